"""The mapped source: its declaration, and the way from its verbs to the modules that do them."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, cast

from connectors.base import SourceError, SourceSettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.files import Csv
from connectors.logs.paths import value_at
from connectors.logs.probing import absent, first_rows, matching_files
from connectors.logs.source import StoredLog
from connectors.mapped_log.fields import SORTS
from connectors.mapped_log.looking import lacking_fields, refusals, streams_without_usage
from connectors.mapped_log.reading import allowed, attempt, reported_cost, started
from connectors.mapped_log.settings import NEEDED, MappedLogSettings

_MOST_REASONS = 5  # a field of the wrong kind may give each row a reason of its own


class MappedLog(StoredLog[MappedLogSettings]):
    """Attempts of a log in its own fields. See the README for what can be declared."""

    kind: ClassVar[str] = "mapped_log"
    settings_model: ClassVar[type[SourceSettings]] = MappedLogSettings
    essential: ClassVar[frozenset[str]] = frozenset({"request_id", "started_at", "status", "is_cache_hit", "usage"})

    def allow_list(self, settings: MappedLogSettings) -> AllowList:
        """What the mapping names."""
        return allowed(settings)

    def started(self, settings: MappedLogSettings, row: Mapping[str, Any]) -> int | None:
        """The field that the mapping names, in its unit."""
        return started(settings, row)

    def records(self, settings: MappedLogSettings, row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        """The rows of the list that `records` names, or the row itself."""
        found = None if settings.records is None else value_at(row, settings.records)
        if not isinstance(found, list):
            return (row,)
        return [cast("Mapping[str, Any]", item) for item in cast("list[object]", found) if isinstance(item, Mapping)]

    def csv(self, settings: MappedLogSettings) -> Csv:
        """Any table that has the columns of the fields that every attempt needs."""
        return Csv(settings.own_columns, settings.delimiter)

    def paths(self, settings: MappedLogSettings) -> Mapping[str, str]:
        """The mapping: refusals speak of the log's own fields."""
        return settings.fields

    def expected(self, settings: MappedLogSettings) -> Mapping[str, str]:
        """The fields of tokens: what their paths do not find is priced as something else, or refused."""
        return {name: path for name, path in settings.fields.items() if SORTS[name] == "count"}

    def cost(self, settings: MappedLogSettings, record: Record) -> Decimal | None:
        """The cost in USD, in whole units."""
        return reported_cost(settings, record)

    def read(self, settings: MappedLogSettings, record: Record) -> Attempt:
        """See `reading`."""
        return attempt(settings, record)

    def probe(self, settings: MappedLogSettings) -> str:
        """Whether the layout finds files, and whether rows of one of them are attempts by the mapping.

        Raises SourceError where it lacks what every attempt needs, or none of its first rows would be taken.
        """
        told, beginning = super().probe(settings), self._beginning(settings)
        if beginning is None:
            return told
        path, rows = beginning
        needed = {path for name, path in settings.fields.items() if name in NEEDED}
        if lacking := absent(rows, sorted(needed)):
            where = f"the first {len(rows)} rows of {path} say nothing under"
            raise SourceError(f"{settings.location}: {where} {', '.join(lacking)}: correct `fields`")
        absences, refused = lacking_fields(settings, rows, path), refusals(settings, rows, self.essential)
        if sum(refusal.row_count for refusal in refused) == len(rows):
            raise SourceError(f"{settings.location}: {'; '.join([refused[0].told(len(rows), path), *absences])}")
        return told if absences else f"{told}; it has every field of the mapping"

    def doubts(self, settings: MappedLogSettings) -> Sequence[str]:
        """Paths that find nothing in one of the files, and rows at its beginning that would be refused."""
        beginning = self._beginning(settings)
        if beginning is None:
            return ()
        path, rows = beginning
        refused = refusals(settings, rows, self.essential)
        told = [refusal.told(len(rows), path) for refusal in refused[:_MOST_REASONS]]
        more = [f"rows of {path} would be refused for {len(refused) - _MOST_REASONS} reasons more"]
        told += more[: len(refused) > _MOST_REASONS]
        return [*lacking_fields(settings, rows, path), *told, *streams_without_usage(settings, rows, path)]

    def _beginning(self, settings: MappedLogSettings) -> tuple[str, list[Mapping[str, Any]]] | None:
        """The path of a file, and the first rows of it; None where there is none, or it is empty."""
        files = matching_files(settings)
        rows = first_rows(settings, files[-1], self.csv(settings)) if files else []
        records = [record for row in rows for record in self.records(settings, row)]
        return (files[-1].path, records) if records else None
