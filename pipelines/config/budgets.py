"""The section `budgets`: what may be spent in a month, by whom and on what; and when to say so."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from models.scopes import COST, OUTCOME_COST, TOKENS, Scope
from models.validity import EVER, FOREVER
from pipelines.config.positions import Document
from pipelines.config.problems import Problem
from pipelines.config.strict import Dated, Slug, Strict, Words
from pipelines.config.teams import Address

Amount = Annotated[Decimal, Field(gt=0, max_digits=26, decimal_places=6)]
Share = Annotated[Decimal, Field(gt=0, le=10, decimal_places=4)]
Chance = Annotated[Decimal, Field(gt=0, lt=1, decimal_places=2)]
Ratio = Annotated[Decimal, Field(gt=0, le=1000, decimal_places=4)]


class Budget(Dated):
    """What a month may cost, or how many tokens it may use: of the company, or of what matches all that is named.

    It holds for whole months, one after the other; a new amount is a new entry that begins where the old one ends.
    """

    id: Slug = Field(description="Its name in tables and mails. Entries that follow one another may share it.")
    team: str | None = Field(default=None, description="Of this team alone (an id from 'teams').")
    business_unit: Words | None = Field(
        default=None,
        description="Of the teams of this business unit, each on the days on which it stands there ('teams', "
        "'hierarchy').",
    )
    provider: Words | None = Field(default=None, description="Of this provider alone, as bills name it; in money.")
    model: Words | None = Field(default=None, description="Of this model alone, as chargeback names it.")
    feature: Words | None = Field(
        default=None, description="Of this feature or kind of request alone, as request metadata names it."
    )
    outcome: str | None = Field(
        default=None,
        description="Of the requests that serve this kind of outcome alone (a name from 'outcomes'), whatever comes of "
        "them; in money, at the price book, and without 'model'.",
    )
    amount: Amount | None = Field(default=None, description="A month's effective cost, in the statements' currency.")
    tokens: int | None = Field(default=None, gt=0, lt=10**18, description="Or a month's tokens, as logged.")
    recipients: tuple[Address, ...] = Field(default=(), description="Who is told; without, the team's recipients.")

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.amount is None) == (self.tokens is None):
            raise ValueError("must give exactly one of 'amount' (money a month) and 'tokens' (tokens a month)")
        if self.tokens is not None and self.provider is not None:
            raise ValueError("'provider' is a name on bills, and 'tokens' are counted in logs: name a 'model' instead")
        if self.outcome is not None and (self.tokens is not None or self.provider is not None):
            raise ValueError(
                "a budget of an 'outcome' is in money, at the price book: it has no 'tokens' or 'provider'"
            )
        if self.outcome is not None and self.model is not None:
            raise ValueError(
                "a budget of an 'outcome' has no 'model': a trace is counted with the one model that served it, so "
                "those of several models would be missing; leave 'model' out, or name a 'team' or 'feature'"
            )
        if self.team is not None and self.business_unit is not None:
            raise ValueError("a 'team' stands in its business unit: name the 'team' or the 'business_unit'")
        for name, day in (("from", self.valid_from), ("to", self.valid_to)):
            if day not in (EVER, FOREVER) and day.day != 1:
                raise ValueError(f"'{name}' ({day}) must be the first of a month: a budget is for whole months")
        return self

    @property
    def metric(self) -> str:
        """What it limits."""
        if self.outcome is not None:
            return OUTCOME_COST
        return COST if self.tokens is None else TOKENS

    @property
    def size(self) -> Decimal:
        """How much a month may come to, in currency or tokens."""
        return Decimal(self.tokens or 0) if self.amount is None else self.amount

    @property
    def scope(self) -> Scope:
        """What it is for."""
        account = f"team:{self.team}" if self.team else ""
        named = (self.provider, self.model, self.feature, self.outcome, self.business_unit)
        return Scope(self.metric, account, *(name or "" for name in named))


class BudgetAlerts(Strict):
    """When a budget is spoken of: each threshold once a month."""

    spent: tuple[Share, ...] = Field(
        default=(Decimal("0.5"), Decimal("0.8"), Decimal(1)), description="Shares of the budget that were spent."
    )
    breach_chance: tuple[Chance, ...] = Field(
        default=(Decimal("0.5"), Decimal("0.8")), description="Chances that the month ends above it."
    )
    burn_one_day: Ratio = Field(
        default=Decimal(3), description="Burning: the last settled day's usage above so many days' parts of it, and"
    )
    burn_seven_days: Ratio = Field(
        default=Decimal("1.5"), description="the last seven days' usage above so many seven days' parts."
    )


def budget_problems(document: Document, budgets: Sequence[Budget]) -> Iterator[Problem]:
    """Entries that cannot both hold: two of one scope and measure, or of one name, in the same months."""
    for index, budget in enumerate(budgets):
        for place, other in enumerate(budgets[:index]):
            is_same_time = budget.valid_from < other.valid_to and other.valid_from < budget.valid_to
            if not is_same_time or not (budget.scope == other.scope or budget.id == other.id):
                continue
            line = document.position(("budgets", place))[0]
            what = "limits the same" if budget.scope == other.scope else "has the same id"
            message = f"'{other.id}' on line {line} {what} in the same months"
            yield document.problem(("budgets", index), message, "Give each its 'from' and 'to', or keep one of them.")
            break


Standing = Callable[[str, date], str | None]
"""The business unit of a team on a day."""


def budgets_above(document: Document, budgets: Sequence[Budget], unit_of: Standing) -> Iterator[Problem]:
    """Budgets of parts that together allow more than the budget of the whole, with the first month in which they do.

    Parts of a whole are what names one thing more than it does, of one kind: the teams of the company, the features of
    a team; and of a business unit the teams that stand in it when the month begins.
    """
    for index, whole in enumerate(budgets):
        by_kind: dict[str, list[Budget]] = {}
        for part in budgets:
            if part.metric == whole.metric and (kind := _part_by(part.scope, whole.scope)):
                by_kind.setdefault(kind, []).append(part)
        for kind, parts in sorted(by_kind.items()):
            found = _above(whole, parts, unit_of)
            if found is not None:
                month, total = found
                of = f"allows {whole.size:,f} a month, and its parts by {_WORDS[kind]} allow {total:,f}"
                message = f"{of} from {month:%Y-%m} on" if month > EVER else of
                yield document.problem(("budgets", index), message, "Raise it, or lower one of them.")


_WORDS = {
    "account": "team",
    "provider_name": "provider",
    "model_id": "model",
    "feature": "feature",
    "outcome_kind": "outcome",
    "business_unit": "business unit",
}


def _part_by(part: Scope, whole: Scope) -> str | None:
    """The one thing that a part names beyond the whole; None where it is no part of it, or names more."""
    if part.account and not part.business_unit:  # a team stands in a unit without naming it
        whole = replace(whole, business_unit="")
    more = set(part.fixed) - set(whole.fixed)
    is_within = all(getattr(part, name) == getattr(whole, name) for name in whole.fixed)
    return more.pop() if is_within and len(more) == 1 else None


def _above(whole: Budget, parts: Sequence[Budget], unit_of: Standing) -> tuple[date, Decimal] | None:
    """The first month in which the parts exceed the whole, and what they come to; None where they never do."""
    starts = sorted({max(whole.valid_from, part.valid_from) for part in parts})
    for start in starts:
        if not whole.valid_from <= start < whole.valid_to:
            continue
        held = [part for part in parts if part.valid_from <= start < part.valid_to]
        total = sum((part.size for part in held if _is_within(part, whole, start, unit_of)), Decimal(0))
        if total > whole.size:
            return start, total
    return None


def _is_within(part: Budget, whole: Budget, day: date, unit_of: Standing) -> bool:
    return whole.business_unit is None or part.team is None or unit_of(part.team, day) == whole.business_unit
