"""The sections `teams`, `hierarchy`, `products` and `ledger_accounts`: who carries costs, and where that stands."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipelines.config.strict import Dated, Slug, Strict, Words
from reports.address import plain_address


def _is_mail_address(text: str) -> str:
    try:
        return plain_address(text).addr_spec
    except ValueError:
        raise ValueError("is no plain mail address such as ada@example.com") from None


Address = Annotated[str, AfterValidator(_is_mail_address)]


class Team(Strict):
    """A team that costs are charged to."""

    id: Slug = Field(description="Stable id: lower-case letters, digits and hyphens.")
    name: str = Field(min_length=1, max_length=200, description="Name on the statement.")
    organisation: str | None = Field(
        default=None, description="Organisation, such as a legal entity; without, the company."
    )
    business_unit: str | None = Field(default=None, description="Business unit above it.")
    cost_centre: str | None = Field(default=None, description="Cost centre in the general ledger.")
    recipients: tuple[Address, ...] = Field(default=(), description="Who gets its statement by mail.")


class Placement(Dated):
    """Where a team stands for some days; what it does not name is as `teams` has it, and so are all other days."""

    team: str = Field(description="The team.")
    organisation: Words | None = Field(default=None, description="Organisation that it belongs to on these days.")
    business_unit: Words | None = Field(default=None, description="Business unit above it on these days.")
    cost_centre: Words | None = Field(default=None, description="Its cost centre on these days.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.organisation or self.business_unit or self.cost_centre):
            raise ValueError("must name one of 'organisation', 'business_unit' and 'cost_centre'")
        return self


def unit_on(teams: Sequence[Team], placements: Sequence[Placement], team_id: str, day: date) -> str | None:
    """The business unit in which a team stands on a day; None where it stands in none."""
    placed = [p for p in placements if p.team == team_id and p.valid_from <= day < p.valid_to]
    named = [p.business_unit for p in placed] + [team.business_unit for team in teams if team.id == team_id]
    return next((name for name in named if name), None)


class Product(Dated):
    """Which product a feature belongs to. The first match in the file's order wins."""

    product: Words = Field(description="Name of the product.")
    feature: Words = Field(description="Feature, as request metadata name it.")
    team: str | None = Field(default=None, description="Only where this team used it; without, whoever did.")


class LedgerAccount(Dated):
    """Which account of the general ledger a cost is booked on. The first match in the file's order wins."""

    account: Words = Field(description='Number of the account, in quotes: "6420".')
    team: str | None = Field(default=None, description="Only costs of this team; without, all.")
    cost_kind: Literal["api", "gpu", "other", "unused_commitment", "unused_throughput"] | None = Field(
        default=None, description="Only what was bought of this kind; without, all."
    )
    provider: Words | None = Field(default=None, description="Only what this provider billed; without, all.")
