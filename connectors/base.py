"""The vocabulary that every connector speaks: windows, pages, rows, rejects, and the shape of a source."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, ClassVar, Protocol, cast, runtime_checkable

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

if TYPE_CHECKING:
    import pyarrow as pa  # processes that read files for another one start without it


class SourceError(Exception):
    """A source could not deliver. The message is for people: what, where, and the remedy. It never holds a secret."""


class AuthenticationError(SourceError):
    """The source refused the credentials: trying again is pointless."""


class RefusedRequestError(SourceError):
    """The source will not answer this request as it was asked; credentials are not the matter. `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class IncompleteDeliveryError(SourceError):
    """The source delivered less than it announced, or the same page for ever: nothing of it may be committed."""


def _as_words(options: object) -> object:
    """YAML reads `aws_allow_http: true` as a truth value; stores want words."""
    if not isinstance(options, Mapping):
        return options
    given = cast("Mapping[object, object]", options)
    # settings that are made of others' hold what was read before, as a secret
    if "credentials" in given and given["credentials"] not in ("ambient", SecretStr("ambient")):
        raise ValueError("'credentials' can only be 'ambient' (the machine's own role); keys have their own options")
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else value
        for name, value in given.items()
    }


StoreOptions = Annotated[dict[str, SecretStr], BeforeValidator(_as_words)]
"""How an object store is reached. All values count as secret, because some are and their names are the store's."""


def revealed(options: Mapping[str, SecretStr]) -> dict[str, str]:
    """The options in clear, for the store alone."""
    return {name: value.get_secret_value() for name, value in options.items()}


class SourceSettings(BaseModel):
    """What every source's settings hold. Secrets arrive resolved: a connector never reads the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$", description="The source's own name: unique in the file.")
    kind: str = Field(description="Which connector reads it.")
    account: str = Field(default="default", description="Account, organisation or cluster that it belongs to.")


class StoredSourceSettings(SourceSettings):
    """Settings of a source whose files lie in a folder or an object store.

    `storage` says how the place is reached, not what lies there: it is no part of a delivery's identity.
    """

    storage: StoreOptions = Field(
        default={},
        repr=False,
        description="The object store's own options: aws_region, aws_access_key_id, ...; `credentials: ambient` uses "
        "the machine's own role. Secrets by reference.",
    )

    @property
    def store_options(self) -> dict[str, str]:
        """The options in clear, for the store alone."""
        return revealed(self.storage)


@dataclass(frozen=True, order=True)
class Window:
    """A half-open UTC interval `[start, end)`, naive datetimes, that one delivery covers and one slice holds."""

    start: datetime
    end: datetime

    @property
    def slice_date(self) -> date:
        """The day that names the slice: the window's first."""
        return self.start.date()


class Body(Protocol):
    """Bytes that can be opened more than once, each time from the beginning."""

    def open(self) -> AbstractContextManager[BinaryIO]:
        """A fresh stream over the bytes."""
        ...


@dataclass(frozen=True)
class Page:
    """One object or response as the source delivered it (gateway payloads: after the allow-list).

    `name` is what the source calls it (object key, request path); identity is the content, never the name.
    """

    name: str
    body: Body


@dataclass(frozen=True)
class LandedPage:
    """A page after landing: `digest` is the SHA-256 of its bytes, in hexadecimal."""

    name: str
    digest: str
    body: Body

    @property
    def page_id(self) -> str:
        """What rows carry as `x_page`."""
        return self.digest[:16]


@dataclass(frozen=True)
class Reject:
    """A row that cannot be staged: why, and the row itself. `row` counts from 1; 0 means the page as a whole.

    `currency` is that of `cost` where the row is in another one than its source: no part of a sum then.
    """

    page_id: str
    row: int
    reason: str
    detail: str
    payload: str
    column_name: str | None = None
    cost: Decimal | None = None
    currency: str | None = None


CHUNK_ROWS = 50_000
"""How many rows a chunk holds at most, where they are gathered in Python."""


@dataclass(frozen=True)
class Parsed:
    """A chunk of a delivery: rows in the fact's Arrow schema, and what had to be refused.

    `stated_*` are control totals that the source itself gives (a manifest, a footer); None where it gives none.
    `is_final` is the provider's own word that the slice will not change. `not_covered` is what of the window the source
    cannot tell at all: it is in no row, and published beside the figures for as long as they stand. `reaches` is up to
    when the answers go, where they tell of stretches of time without use, too: after the window's end that is its end.
    `is_final_once_settled`: what came will not change, but more may come until the last night that pulls the window.
    """

    rows: "pa.Table"
    rejects: tuple[Reject, ...] = ()
    duplicate_count: int = 0
    stated_cost: Decimal | None = None
    stated_rows: int | None = None
    is_final: bool = False
    notices: tuple[str, ...] = field(default=())
    not_covered: tuple[str, ...] = field(default=())
    reaches: datetime | None = None
    is_final_once_settled: bool = False


class Source(Protocol):
    """One kind of source. Implementations hold no state: settings and windows come in, pages and rows go out."""

    kind: ClassVar[str]
    fact: ClassVar[str]
    settings_model: ClassVar[type[SourceSettings]]

    def windows(self, settings: Any, day: date) -> list[Window]:
        """The windows that the night of `day` pulls, oldest first: `day` itself and what may have been restated."""
        ...

    def fetch(self, settings: Any, window: Window) -> Iterator[Page]:
        """Pages of that window. An empty iterator means that the source confirmed it holds nothing for it.

        Raises SourceError (or a subclass) when that cannot be known.
        """
        ...

    def parse(self, settings: Any, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows and rejects of landed pages, in bounded chunks. Pure: the same pages give the same rows.

        Raises IncompleteDeliveryError when the pages cannot be a whole delivery (truncated, a part missing).
        """
        ...

    def probe(self, settings: Any) -> str:
        """Tries the credentials and the address; one line saying what was found. Raises SourceError."""
        ...


@dataclass(frozen=True)
class MonthFiles:
    """What a store lists of a month: how many files, and when the last was written, UTC without a zone.

    `count` is None where lines lie in a table, of which only what was written lately is listed; `latest` is None where
    the store does not say.
    """

    count: int | None
    latest: datetime | None


@runtime_checkable
class Dated(Protocol):
    """What a source of files may tell as well: which files of each month there are."""

    def written(self, settings: Any) -> Mapping[date, MonthFiles]:
        """By the month's first day; months that nights pull no more included; empty where nothing tells months.

        Every file that a delivery of the month would land counts, manifests too. Raises SourceError.
        """
        ...


@runtime_checkable
class Doubted(Protocol):
    """What a source whose settings say what fields mean may tell as well: what of them its data does not bear out."""

    def doubts(self, settings: Any) -> Sequence[str]:
        """One sentence each, with the remedy; asked after `probe` succeeded, stops no night. Raises SourceError."""
        ...


class Bytes:
    """A body held in memory."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def open(self) -> AbstractContextManager[BinaryIO]:
        """A stream over the content."""
        return BytesIO(self.content)
