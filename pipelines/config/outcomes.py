"""The section `outcomes`: what requests are made for, how it meets them, and when it is a success."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import combinations
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.outcome_kinds import CUSTOMER, HORIZON_DAYS, OPERATION, TRACE_ID, USER, OutcomeKind, Touch
from pipelines.config.strict import Slug, Strict, Words

UseCase = Literal["answer", "case", "journey"]
WINDOW_HOURS: Mapping[UseCase, int] = MappingProxyType({"answer": 1, "case": 24, "journey": 7 * 24})
_KEY = r"^[A-Za-z_][A-Za-z0-9_]*$"
Scale = Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000, decimal_places=6)]


class QualityScale(Strict):
    """The scale of a quality field."""

    worst: Scale = Field(default=Decimal(0), alias="from", description="The value that is worth nothing.")
    best: Scale = Field(default=Decimal(1), alias="to", description="The value of a perfect outcome.")

    @model_validator(mode="after")
    def _two_ends(self) -> Self:
        if self.worst == self.best:
            raise ValueError(f"from and to are both {self.best}: give the two ends of the scale")
        return self


class Outcome(Strict):
    """A kind of outcome: its requests, how it meets them, and what of it is a success."""

    name: Slug = Field(description="The kind's name, as events carry it: ticket-resolved.")
    origin: Literal["events", "scores", "gateway"] = Field(
        default="events",
        alias="from",
        description="Who tells it: `events` (sources that feed outcomes), `scores` (evaluation scores), `gateway` (the "
        "log itself: every id under `trace` is one, a success if its first day has an attempt that succeeded).",
    )
    score: Words | None = Field(default=None, description="scores: name of the score.")
    features: tuple[Words, ...] = Field(
        default=(),
        description="Features whose requests serve it. Without, every request that carries an id under `trace`.",
    )
    trace: str = Field(
        default=TRACE_ID,
        pattern=_KEY,
        description="By which id an outcome meets its requests: `trace_id`, `operation` (the attempts of one request), "
        "or a key of request metadata that the log's `outcome_keys` name, such as ticket_id.",
    )
    key: str | None = Field(
        default=None,
        pattern=_KEY,
        description="What it is met by in time, where no id is: `customer`, `user` or a key of request metadata.",
    )
    touch: Touch = Field(
        default="last", description="Which requests of the key: the `last` before it, or all alike (`linear`)."
    )
    use_case: UseCase = Field(
        default="case", description="How far back requests of the key are looked for: 1 hour, 24 hours, 7 days."
    )
    window_hours: int | None = Field(
        default=None, ge=1, le=HORIZON_DAYS * 24, description="The same in hours, where the use case does not fit."
    )
    successes: tuple[Words, ...] = Field(
        default=(), description="Results that are a success. Without, the events say it themselves (is_success)."
    )
    failures: tuple[Words, ...] = Field(
        default=(),
        description="Results that are an outcome without success. Given, events with any other result than successes, "
        "failures and reversals say nothing (open, waiting, ...); without, every event is a word on the outcome.",
    )
    reversals: tuple[Words, ...] = Field(
        default=(), description="Results that take an earlier success back: reopened, refunded, ..."
    )
    least_quality: Annotated[Decimal, Field(ge=0, le=1)] | None = Field(
        default=None, description="Quality from which on it is a success, on the scale from 0 to 1."
    )
    quality: QualityScale = Field(default=QualityScale(), description="Scale of the events' quality values.")
    maturity_days: int = Field(
        default=7, ge=1, le=HORIZON_DAYS, description="Days after a request on which the last outcomes come."
    )
    least_successes: int = Field(
        default=30, ge=1, le=1_000_000, description="Successes below which no cost per success is told."
    )
    human_cost_usd: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=6)] | None = Field(
        default=None, description="What a case costs, in USD, that people finish where no success came."
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if not self.features and self.trace in (TRACE_ID, OPERATION):
            raise ValueError("needs 'features': without them nobody knows which requests serve it")
        if (self.score is not None) != (self.origin == "scores"):
            raise ValueError("'score' goes with 'from: scores', and needs to be given there")
        if self.failures and not self.successes:
            raise ValueError("'failures' goes with 'successes': without them the events say themselves what succeeded")
        if self.origin == "gateway" and (self.key or self.reversals or self.successes):
            raise ValueError("'from: gateway' is met by its id alone: leave key, successes and reversals out")
        if self.origin == "scores" and self.key in (CUSTOMER, USER):
            raise ValueError(f"a score tells no {self.key}: leave key out, or name a key of request metadata (session)")
        given = (("successes", self.successes), ("failures", self.failures), ("reversals", self.reversals))
        for name, words in (*given, ("features", self.features)):
            if twice := sorted({word for word in words if words.count(word) > 1}):
                raise ValueError(f"{name}: {', '.join(twice)} is given twice; keep one of them")
        for (name, words), (other, others) in combinations(given, 2):
            if both := sorted(set(words) & set(others)):
                raise ValueError(f"{', '.join(both)}: {name} or {other}? It cannot be both")
        return self

    @property
    def metadata_keys(self) -> tuple[str, ...]:
        """The keys of request metadata that it is met by."""
        named = {self.trace, self.key or TRACE_ID} - {TRACE_ID, OPERATION, CUSTOMER, USER}
        return tuple(sorted(named))

    def resolved(self) -> OutcomeKind:
        """The kind as it is computed with."""
        return OutcomeKind(
            name=self.name,
            origin=self.origin,
            features=self.features,
            trace=self.trace,
            key=self.key,
            touch=self.touch,
            window_hours=self.window_hours or WINDOW_HOURS[self.use_case],
            successes=self.successes,
            failures=self.failures,
            reversals=self.reversals,
            least_quality=self.least_quality,
            quality_from=self.quality.worst,
            quality_to=self.quality.best,
            maturity_days=self.maturity_days,
            least_successes=self.least_successes,
            human_cost_usd=self.human_cost_usd,
            score=self.score,
        )
