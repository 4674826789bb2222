"""The mapped source: its declaration, and the way from its verbs to the modules that do them."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, cast

from connectors.base import SourceError, SourceSettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.files import Csv
from connectors.logs.paths import value_at
from connectors.logs.probing import absent, first_rows, matching_files
from connectors.logs.source import StoredLog
from connectors.mapped_log.reading import allowed, attempt, reported_cost, started
from connectors.mapped_log.settings import NEEDED, MappedLogSettings


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

    def cost(self, settings: MappedLogSettings, record: Record) -> Decimal | None:
        """The cost in USD, in whole units."""
        return reported_cost(settings, record)

    def read(self, settings: MappedLogSettings, record: Record) -> Attempt:
        """See `reading`."""
        return attempt(settings, record)

    def probe(self, settings: MappedLogSettings) -> str:
        """Whether the layout finds files, and what one of them lacks of the mapping.

        Raises SourceError where it lacks what every attempt needs.
        """
        told, files = super().probe(settings), matching_files(settings)
        rows = first_rows(settings, files[-1], self.csv(settings)) if files else []
        records = [record for row in rows for record in self.records(settings, row)]
        if not records:
            return told
        where = f"the first {len(records)} rows of {files[-1].path} say nothing under"
        needed = {path for name, path in settings.fields.items() if name in NEEDED}
        if lacking := absent(records, sorted(needed)):
            raise SourceError(f"{settings.location}: {where} {', '.join(lacking)}: correct `fields`")
        others = {*settings.fields.values(), *settings.tags_from.values(), *settings.extras.values()} - needed
        lacking = absent(records, sorted(others))
        return f"{told}; {where} {', '.join(lacking)}" if lacking else f"{told}; it has every field of the mapping"
