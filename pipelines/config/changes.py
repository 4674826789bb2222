"""The section `changes`: what was done to spend less, when, and what it was to save, to be held against what it did."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.registered_changes import DIFFERENCE, Change, Touched
from pipelines.config.positions import Document
from pipelines.config.problems import Problem
from pipelines.config.strict import Slug, Strict, Words

Claimed = Annotated[Decimal, Field(gt=0, max_digits=26, decimal_places=12)]


class Requests(Strict):
    """Requests of which all that is given holds, in the words of `usage_by_team_daily`."""

    team: Words | None = Field(default=None, description="Team that owns them (an id from 'teams').")
    provider: Words | None = Field(default=None, description="Provider, as the log's figures name it.")
    model: Words | None = Field(default=None, description="Model, by the id that figures are grouped by.")
    feature: Words | None = Field(default=None, description="Feature, as request metadata names it.")
    environment: Words | None = Field(default=None, description="Environment, likewise.")
    key: Words | None = Field(default=None, description="Virtual key of the gateway: its alias or its hash.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.touched.named:
            raise ValueError(f"must name at least one of {', '.join(Requests.model_fields)}")
        return self

    @property
    def touched(self) -> Touched:
        """As the comparison takes them."""
        named = (self.team, self.provider, self.model, self.feature, self.environment, self.key)
        return Touched(*(name or "" for name in named))


class RegisteredChange(Strict):
    """A change that was made to spend less. `verified_savings` holds what was claimed against what came."""

    id: Slug = Field(description="Its name in `verified_savings`.")
    what: Words = Field(max_length=300, description="What was changed.")
    switched_on: date = Field(description="Day on which it was (UTC). That day is on neither side.")
    touches: Requests = Field(description="The requests that it touches: all of them, and as few others as can be.")
    claimed_usd: Claimed = Field(description="What it was to save in a month, in USD as the price book has it.")
    method: Literal["matched_days", "difference_in_differences"] = Field(
        default="matched_days",
        description="How it is judged: against the same weekdays before, or against what `control` did meanwhile, too.",
    )
    control: Requests | None = Field(
        default=None, description="Requests like them that it does not touch, for difference_in_differences."
    )
    moves_models: bool = Field(
        default=False,
        description="Whether it sends the same requests to another model or provider, as routing does. Without, "
        "another share of models is mix, and none of its doing.",
    )
    days: int = Field(default=28, ge=28, le=91, description="How many days are looked at, on either side.")
    evidence: Words = Field(default="-", max_length=300, description="Where it stands: a merge request, a ticket.")
    reviewed_by: Words = Field(max_length=120, description="Who reviewed this entry.")

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if (self.control is not None) != (self.method == DIFFERENCE):
            raise ValueError("'control' goes with 'method: difference_in_differences': give both or neither")
        if self.control is not None and self.control.touched.may_meet(self.touches.touched):
            raise ValueError(
                "a request could be of 'touches' and of 'control' at once: both must name the same setting with "
                "different values, such as another feature (two keys may be one: its alias and its hash)"
            )
        return self

    @model_validator(mode="after")
    def _sees_both_models(self) -> Self:
        if self.moves_models and (self.touches.model or self.touches.provider):
            raise ValueError(
                "'moves_models' goes with requests on whatever model: 'touches' names a model or provider, and what "
                "moves away from it would not be seen after the change. Name team, feature, environment or key instead"
            )
        return self

    @property
    def change(self) -> Change:
        """As the comparison takes it."""
        return Change(
            change_id=self.id,
            what=self.what,
            switched_on=self.switched_on,
            touched=self.touches.touched,
            claimed_usd=self.claimed_usd,
            method=self.method,
            control=self.control.touched if self.control else None,
            moves_models=self.moves_models,
            window_days=self.days,
            evidence=self.evidence,
            reviewed_by=self.reviewed_by,
        )


def changes_that_meet(document: Document, changes: Sequence[RegisteredChange]) -> Iterator[Problem]:
    """Changes of which neither can be judged, because another one was made to the same requests within their days."""
    for index, entry in enumerate(changes):
        for place, other in enumerate(changes):
            if entry.change.disturbed_by(other.change):
                line = document.position(("changes", place))[0]
                message = f"'{other.id}' on line {line} was switched on within its days and may touch the same requests"
                remedy = "It stays undecided. Name what each touches more narrowly, if they are apart."
                yield document.problem(("changes", index), message, remedy)
                break
