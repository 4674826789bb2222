"""Settings of a log in its own fields: which of them say what of an attempt, and in which units and words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from connectors.exact import read_decimal
from connectors.logs.conventions import CONVENTIONS, Convention, Place
from connectors.logs.instants import Unit
from connectors.logs.settings import StoredLogSettings
from connectors.logs.words import ENDS, TRUTHS, Words, wrong_words
from connectors.mapped_log.fields import SORTS
from connectors.names import nearest
from connectors.settings_rules import refusal_of
from contracts import contract

NEEDED = ("started_at", "status", "request_id")  # what every attempt has
PLACES: Mapping[str, str] = {
    "cache_read_tokens": "cache_read",
    "cache_write_5m_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write",
    "input_audio_tokens": "input_audio",
    "output_reasoning_tokens": "reasoning",
    "output_audio_tokens": "output_audio",
}
_MEANINGS: Mapping[str, tuple[str, ...]] = {"status": ENDS, "flag": TRUTHS, "text": ()}
_INSIDE = Convention("inside", "inside", "inside")


def _known(named: Mapping[str, object]) -> None:
    for name in named:
        if name not in SORTS:
            found = nearest(name, SORTS)
            advice = f"did you mean {found!r}?" if found else f"the fields are {', '.join(sorted(SORTS))}"
            raise ValueError(f"{name!r} is no field of an attempt; {advice}")


def _known_fields(fields: dict[str, str]) -> dict[str, str]:
    _known(fields)
    if empty := [name for name, path in fields.items() if not path.strip()]:
        raise ValueError(f"{', '.join(empty)}: the path is empty; leave the line out")
    return fields


def _twice(paths: Mapping[str, str]) -> list[str]:
    """Fields that are taken from one and the same place; none where each has its own."""
    return next((same for path in paths.values() if len(same := [n for n, p in paths.items() if p == path]) > 1), [])


def _readable_constants(constants: dict[str, str | bool | int]) -> dict[str, str | bool | int]:
    _known(constants)
    for name, value in constants.items():
        sort = SORTS[name]
        if sort in ("instant", "duration", "metadata", "usage", "tags"):
            raise ValueError(f"{name}: no two attempts share it; take it from a field of the log with `fields`")
        if sort == "count" and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise ValueError(f"{name} is {value!r}; a count is a whole number from 0")
        if sort == "money" and read_decimal(str(value)) is None:
            raise ValueError(f"{name} is {value!r}, which is no decimal number")
        if sort == "flag" and not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}; it is true or false")
        if sort == "status" and value not in ("success", "failure"):
            raise ValueError(f"{name} is {value!r}; it is success or failure")
    return constants


def _known_convention(told: str | dict[str, str]) -> str | dict[str, str]:
    if isinstance(told, str):
        if told not in CONVENTIONS:
            found = nearest(told, CONVENTIONS) or ", ".join(sorted(CONVENTIONS))
            raise ValueError(f"{told!r} is no known convention; did you mean {found}?")
        return told
    for name, place in told.items():
        if name not in PLACES.values() or place not in get_args(Place):
            raise ValueError(
                f"{name}: {place}: a convention says of {', '.join(sorted(set(PLACES.values())))} whether it is "
                "counted inside, outside or unstated"
            )
    return told


class MappedLogSettings(StoredLogSettings):
    """A log in its own fields, as JSON lines, JSON, CSV or Parquet, plain or gzip."""

    fields: Annotated[dict[str, str], AfterValidator(_known_fields)] = Field(
        description="Field of an attempt on the left; on the right the column of the file, or a path with dots through "
        "objects: `billed_model: response.model`."
    )
    constants: Annotated[dict[str, str | bool | int], AfterValidator(_readable_constants)] = Field(
        default={}, description="Field of an attempt on the left, on the right what every row has there."
    )
    words: Words = Field(
        default={},
        description="What the log's words are in the contract's, by field: `status: {ok: success, err: failure}`, "
        "`is_cache_hit: {HIT: true, MISS: false}`.",
    )
    convention: Annotated[str | dict[str, str], AfterValidator(_known_convention)] | None = Field(
        default=None,
        description="Where classes are counted, as `cache_read: inside` (or outside, unstated), or the name of a known "
        "source's convention: `openai`, `anthropic`, `gemini`, ...",
    )
    counted_by: Literal["provider", "gateway_tokenizer", "word_estimate"] = Field(
        default="provider", description="Who counted the tokens."
    )
    time_unit: Unit = Field(
        default="iso", description="How instants are written: ISO 8601 (UTC where it names no zone), or since 1970."
    )
    latency_unit: Literal["s", "ms", "us", "ns"] = Field(default="ms", description="Unit of `latency`.")
    cost_unit: Decimal = Field(
        default=Decimal(1),
        gt=0,
        max_digits=24,
        decimal_places=12,
        description="What 1 in the log's costs is in `currency`: 0.01 for cents, 0.000000001 for nano-USD.",
    )
    currency: str = Field(
        default="USD",
        pattern="^[A-Z]{3}$",
        description="Currency of costs. One that is not USD is kept in x_extra: no rate is made up for it.",
    )
    cost_basis: str = Field(default="unknown", description="What costs include: list, after_discount, with_margin, ...")
    tags_from: dict[str, str] = Field(
        default={}, description="Tags from fields: `region: geo.country` gives the tag `region:DE`."
    )
    extras: dict[str, str] = Field(default={}, description="More fields to keep, as short texts in x_extra.")
    records: str | None = Field(
        default=None, description="Path of the list of attempts in a document that holds more around it, as `data`."
    )
    delimiter: Literal[",", ";", "\t", "|"] = Field(default=",", description="Sign between the columns of a CSV.")

    @field_validator("cost_basis")
    @classmethod
    def _basis_holds(cls, basis: str) -> str:
        columns = {column.name: column for column in contract("gateway_requests").columns}
        known = columns["source_cost_basis"].values or ()
        if basis not in known:
            raise ValueError(f"{basis!r} is none of {', '.join(known)}")
        return basis

    @model_validator(mode="after")
    def _says_what_an_attempt_needs(self) -> Self:
        if "started_at" not in self.fields:
            raise ValueError("fields: started_at is needed: name the field that says when an attempt started")
        if "status" not in {*self.fields, *self.constants}:
            raise ValueError("fields: status is needed; where a log holds successes only, constants: {status: success}")
        if both := sorted(set(self.fields) & set(self.constants)):
            raise ValueError(f"{', '.join(both)}: both a field and a constant; which one counts?")
        return self

    @model_validator(mode="after")
    def _counts_tokens_one_way(self) -> Self:
        counts = {name for name in (*self.fields, *self.constants) if SORTS[name] == "count"}
        if "usage" in self.fields and counts:
            raise ValueError(f"usage: it tells the tokens, and {', '.join(sorted(counts))} too; which one counts?")
        if twice := _twice({name: path for name, path in self.fields.items() if name in counts}):
            raise ValueError(f"{' and '.join(twice)} are both {self.fields[twice[0]]!r}; which of them does it count?")
        classes = sorted(counts & PLACES.keys())
        if not classes and self.convention is not None:
            raise ValueError("convention: no field of a token class is mapped that it could speak of; leave it out")
        told = PLACES.values() if isinstance(self.convention, str) else self.convention or {}
        if untold := [name for name in classes if PLACES[name] not in told]:
            raise ValueError(
                f"convention: say whether {', '.join(untold)} are counted inside of input and output, as "
                f"`convention: {{{PLACES[untold[0]]}: inside}}`, or name a source that counts the same way, as "
                "`convention: openai`"
            )
        return self

    @model_validator(mode="after")
    def _translates_what_it_reads(self) -> Self:
        meanings = {name: _MEANINGS[SORTS[name]] for name in self.fields if SORTS[name] in _MEANINGS}
        if wrong := wrong_words(self.words, meanings):
            raise refusal_of(wrong)
        return self

    @property
    def counting(self) -> Convention:
        """How the log counts tokens; classes that it does not tell apart need no place."""
        if isinstance(self.convention, str):
            return CONVENTIONS[self.convention]
        return _INSIDE._replace(**self.convention or {})

    @property
    def own_columns(self) -> frozenset[str]:
        """Columns without which a table is not this log: those of the fields that every attempt needs."""
        return frozenset(path for name in NEEDED if (path := self.fields.get(name)) and "." not in path)
