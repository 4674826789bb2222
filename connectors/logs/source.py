"""The sources that logs are: the four verbs, filled in once; a connector gives its allow-list and its reader."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from connectors.base import LandedPage, Page, Parsed, SourceSettings, Window
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.files import Csv
from connectors.logs.landing import StoredShape, land_stored
from connectors.logs.plain_lines import PlainForm, plain_lines
from connectors.logs.probing import found_there
from connectors.logs.settings import LogSettings, StoredLogSettings
from connectors.windows import day_windows

if TYPE_CHECKING:
    from connectors.logs.columns import Columns

S = TypeVar("S", bound=LogSettings)
Stored = TypeVar("Stored", bound=StoredLogSettings)


class RequestLog(ABC, Generic[S]):
    """A log of requests. A connector to an API or a database adds `fetch` (with `land_rows`) and `probe`."""

    kind: ClassVar[str]
    fact: ClassVar[str] = "gateway_requests"
    settings_model: ClassVar[type[SourceSettings]]
    essential: ClassVar[frozenset[str]] = frozenset()  # paths without which a record means nothing, beside tokens
    remedy: ClassVar[str] = "raise trailing_days and fetch that day again"  # for attempts outside of the window

    @abstractmethod
    def allow_list(self, settings: S) -> AllowList:
        """What may be landed; see `connectors.logs.allow_list`."""

    @abstractmethod
    def read(self, settings: S, record: Record) -> Attempt:
        """The attempt that a landed record tells of. May raise RowError and UsageError, which refuse the record."""

    def cost(self, settings: S, record: Record) -> str | Decimal | None:  # noqa: ARG002
        """What the landed record says that the attempt cost, in USD; None where the log states no cost."""
        return None

    def paths(self, settings: S) -> Mapping[str, str]:  # noqa: ARG002
        """Landed fields that the log has under other names, and the path of each there."""
        return {}

    def forms(self, settings: S) -> Mapping[str, str]:  # noqa: ARG002
        """What was expected in landed fields that a mapping fills, with the remedy; see `connectors.logs.forms`."""
        return {}

    def expected(self, settings: S) -> Mapping[str, str]:  # noqa: ARG002
        """Landed fields that some row of a delivery should have, and the settings' path of each; see `Reading`."""
        return {}

    def columns(self, settings: S) -> "Columns | None":  # noqa: ARG002
        """How plain landed records are read many at once; None where each is read by itself."""
        return None

    def windows(self, settings: S, day: date) -> list[Window]:
        """The day and the trailing days before it, oldest first: rows are filed late."""
        return day_windows(day, settings.trailing_days)

    def parse(self, settings: S, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of `gateway_requests`; see `parse_log`."""
        from connectors.logs.staging import Reading, parse_log  # of what it needs, reading files needs nothing

        reading = Reading(
            read=lambda record: self.read(settings, record),
            cost=lambda record: self.cost(settings, record),
            known=self.allow_list(settings).known,
            essential=self.essential,
            remedy=self.remedy,
            columns=self.columns(settings),
            expected=self.expected(settings),
            paths=self.paths(settings),
            forms=self.forms(settings),
        )
        return parse_log(settings, window, pages, reading)


class StoredLog(RequestLog[Stored]):
    """A log whose files lie in a folder or an object store."""

    remedy: ClassVar[str] = (
        "it is filed further away than the settings folders_before and folders_after reach: raise them and fetch that "
        "day again"
    )

    @abstractmethod
    def started(self, settings: Stored, row: Mapping[str, Any]) -> int | None:
        """The microsecond since 1970 at which a row of a file started, before the allow-list; None if unreadable."""

    def records(self, settings: Stored, row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:  # noqa: ARG002
        """The records that a row of a file holds: itself, or many where a line is an envelope."""
        return (row,)

    def csv(self, settings: Stored) -> Csv | None:  # noqa: ARG002
        """How the log looks as CSV; None where it is never CSV."""
        return None

    def plain(self, settings: Stored) -> PlainForm | None:  # noqa: ARG002
        """What the commonest rows look like, so that they are landed faster; None where all are read alike."""
        return None

    def fetch(self, settings: Stored, window: Window) -> Iterator[Page]:
        """The window's rows after the allow-list; see `land_stored`."""
        return land_stored(settings, window, partial(self._shape, settings))

    def _shape(self, settings: Stored) -> StoredShape:
        is_enveloped = type(self).records is not StoredLog.records  # a row that is itself needs no look inside
        form = self.plain(settings)
        return StoredShape(
            redact=self.allow_list(settings).redact,
            started=lambda row: self.started(settings, row),
            records=(lambda row: self.records(settings, row)) if is_enveloped else None,
            csv=self.csv(settings),
            plain=None if form is None else plain_lines(form),
        )

    def places(self, settings: Stored, window: Window, payloads: Collection[str]) -> Mapping[str, str]:
        """Where refused rows stand in the files; see `connectors.placed`."""
        from connectors.logs.placing import places_of

        return places_of(settings, window, self._shape(settings), payloads)

    def probe(self, settings: Stored) -> str:
        """Looks at the first files: a log may have millions. Raises SourceError where the layout fits none of them."""
        return found_there(settings)
