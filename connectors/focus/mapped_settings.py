"""Settings of a bill in its own columns: which of them feed the contract, and what stands in for what it lacks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import combinations
from typing import Annotated, Literal, Self, cast

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from connectors.exact import read_decimal, read_time
from connectors.focus.columns import bill_columns
from connectors.focus.rate_card import UnitPrice
from connectors.focus.settings import BillSettings
from connectors.focus.values import read_tag_set
from connectors.names import nearest

UNIX_SECONDS = "unix"
_PROBE = datetime(2026, 11, 23, tzinfo=UTC)  # a day that tells day, month and year apart


def _known_columns(named: dict[str, str]) -> dict[str, str]:
    for name in named:
        if name not in bill_columns():
            found = nearest(name, bill_columns())
            advice = f"did you mean {found!r}?" if found else f"it has {', '.join(bill_columns())}"
            raise ValueError(f"{name!r} is no column of charges that a bill fills; {advice}")
    return named


def _readable_constants(constants: dict[str, str]) -> dict[str, str]:
    for name, text in constants.items():
        column = bill_columns()[name]
        if column.values and text not in column.values:
            raise ValueError(f"{name} cannot be {text!r}; it is one of {', '.join(column.values)}")
        if column.type.startswith("decimal") and read_decimal(text) is None:
            raise ValueError(f"{name} is {text!r}, which is no decimal number")
        if column.type == "timestamp" and read_time(text) is None:
            raise ValueError(f"{name} is {text!r}, which is no ISO 8601 instant of 2000 to 2099")
        if column.type == "json" and read_tag_set(text) is None:
            raise ValueError(f"{name} is {text!r}, which is no JSON object")
        if not text:
            raise ValueError(f"{name} is empty; leave it out")
    return constants


def _as_text(value: object) -> object:
    """An account number may stand in the file without quotes."""
    if not isinstance(value, Mapping):
        return value
    given = cast("Mapping[object, object]", value)
    return {key: str(v) if isinstance(v, int) and not isinstance(v, bool) else v for key, v in given.items()}


def _tells_the_day(pattern: str) -> str:
    if pattern == UNIX_SECONDS:
        return pattern
    try:
        found = datetime.strptime(_PROBE.strftime(pattern), pattern)  # noqa: DTZ007 - only its date is looked at
    except ValueError as error:
        raise ValueError(f"date_format {pattern!r} reads nothing back ({error})") from None
    if (found.year, found.month) != (_PROBE.year, _PROBE.month):
        raise ValueError(f"date_format {pattern!r} must tell year and month, as in '%d/%m/%Y %H:%M'")
    return pattern


Named = Annotated[dict[str, str], AfterValidator(_known_columns)]
Constants = Annotated[
    dict[str, str], BeforeValidator(_as_text), AfterValidator(_known_columns), AfterValidator(_readable_constants)
]


class MappedBillSettings(BillSettings):
    """A bill in its own columns, as CSV, CSV.gz, Parquet or JSON, in a folder or in an object store."""

    kind: str = Field(default="mapped_bill", pattern="^mapped_bill$", description="Which connector reads it.")
    columns: Named = Field(
        description="Column of `charges` on the left, column of the file on the right: `billed_cost: Amount`. In JSON "
        "`metadata.podName` is a field of an object, `$.period.from` one of what lies around, `$path` the list's name."
    )
    constants: Constants = Field(
        default={}, description="Column of `charges` on the left, on the right what every line has there."
    )
    words: dict[str, dict[str, str]] = Field(
        default={},
        description="What the file's words are in the contract's, by column of `charges`: "
        "`charge_category: {usage: Usage, promo: Credit}`.",
    )
    period: Literal["hour", "day", "month"] | None = Field(
        default=None,
        description="How long a charge lasts, where the file has no end of it or the end is the very start.",
    )
    cost_unit: Decimal = Field(
        default=Decimal(1),
        gt=0,
        max_digits=24,
        decimal_places=12,
        description="What 1 in the file's costs and unit prices is in `currency`: 0.01 for cents.",
    )
    date_format: Annotated[str, AfterValidator(_tells_the_day)] | None = Field(
        default=None,
        description="How the file writes instants, in strptime's words, or `unix` for seconds; left out: ISO 8601.",
    )
    decimal_mark: Literal[".", ","] = Field(default=".", description="Sign before the decimal places.")
    grouped: bool = Field(default=False, description="Whether the other sign may stand between groups of three digits.")
    delimiter: Literal[",", ";", "\t", "|"] = Field(default=",", description="Sign between the columns of a CSV.")
    records: tuple[str, ...] = Field(
        default=(),
        description="Where the records lie in a JSON document: `data`, or `hourlyUsage.*` for every list in an object. "
        "Left out, the document is the list, or every line is a record.",
    )
    unit_prices: tuple[UnitPrice, ...] = Field(
        default=(), description="What usage costs, for files without costs; the first price that matches counts."
    )

    @field_validator("columns")
    @classmethod
    def _names_something(cls, columns: dict[str, str]) -> dict[str, str]:
        if empty := [name for name, source in columns.items() if not source.strip()]:
            raise ValueError(f"{', '.join(empty)}: the name of the file's column is empty; leave the line out")
        return columns

    @model_validator(mode="after")
    def _translates_what_it_reads(self) -> Self:
        for name, words in self.words.items():
            if name not in self.columns or bill_columns()[name].type != "string":
                raise ValueError(f"words: {name!r} is no column of text that `columns` names")
            allowed = bill_columns()[name].values
            if odd := sorted(set(words.values()) - set(allowed or words.values())):
                raise ValueError(f"words: {name} cannot be {', '.join(odd)}; it is one of {', '.join(allowed or ())}")
        return self

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Self:
        if both := sorted(set(self.columns) & set(self.constants)):
            raise ValueError(f"{', '.join(both)}: both a column and a constant; which one counts?")
        if self.unit_prices and "billed_cost" in {*self.columns, *self.constants}:
            raise ValueError("billed_cost has a source of its own, and unit_prices give one too; which one counts?")
        stated = self.constants.get("billing_currency", self.currency)
        if stated != self.currency:
            raise ValueError(
                f"billing_currency is {stated}, and every line in it would be refused: set currency: {stated}"
            )
        for one, other in combinations(self.unit_prices, 2):
            if one.overlaps(other):
                raise ValueError(
                    f"two unit_prices of {one.per} for {one.match or 'any line'} hold on the same days: end the "
                    f"first with 'to'"
                )
        return self

    @model_validator(mode="after")
    def _fills_what_a_charge_needs(self) -> Self:
        known = {*self.columns, *self.constants}
        lacking = [n for n in ("provider_name", "service_name", "charge_period_start") if n not in known]
        if lacking:
            raise ValueError(f"{', '.join(lacking)}: no column and no constant says it; every charge needs it")
        if "billed_cost" not in known and not self.unit_prices:
            raise ValueError("billed_cost: name its column, or give unit_prices if the file has quantities only")
        if "charge_period_end" not in known and self.period is None:
            raise ValueError("charge_period_end: name its column, or say how long a charge lasts with period")
        if ("billing_period_start" in known) != ("billing_period_end" in known):
            raise ValueError("billing_period_start and billing_period_end come together, or from the charge's month")
        return self

    @property
    def remedies(self) -> Mapping[str, str]:
        """By the reason why a value was not read, the setting that would read it."""
        other = "," if self.decimal_mark == "." else "."
        grouped = "" if self.grouped else f"; `grouped: true` lets {other!r} stand between thousands"
        return {
            "unknown_value": "the setting `words` says what the file's words mean",
            "unreadable_number": f"`decimal_mark` puts {self.decimal_mark!r} before its decimal places{grouped}",
        }

    @property
    def file_columns(self) -> tuple[str, ...]:
        """Every column of the file that the settings name."""
        priced = [name for price in self.unit_prices for name in (price.per, *price.match)]
        ruled = [rule.column for rule in (*self.models, *self.cost_classes)]
        return tuple(dict.fromkeys([*self.columns.values(), *priced, *ruled]))
