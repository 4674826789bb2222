"""The mapped source: its declaration, and the way from its verbs to the modules that do them."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, cast

from connectors.base import SourceSettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.files import Csv
from connectors.logs.paths import value_at
from connectors.logs.probing import Look, look
from connectors.logs.source import StoredLog
from connectors.mapped_log.fields import SORTS
from connectors.mapped_log.looking import held, own_doubts
from connectors.mapped_log.reading import allowed, attempt, expected_forms, reported_cost, started
from connectors.mapped_log.settings import MappedLogSettings


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

    def forms(self, settings: MappedLogSettings) -> Mapping[str, str]:
        """What each field of the mapping should hold."""
        return expected_forms(settings)

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
        """Whether the layout finds files, and whether rows of some of them are attempts by the mapping.

        Raises SourceError where they lack what every attempt needs, where none would be taken, or none of those that
        have usage.
        """
        told, looked = super().probe(settings), self._look(settings)
        if looked is None:
            return told
        found = held(settings, looked, self.essential)
        found.require(settings.location)
        return f"{told}; {found.told()}"

    def doubts(self, settings: MappedLogSettings) -> Sequence[str]:
        """Paths that find nothing in some of the files, rows that would be refused, and what rows do not tell."""
        looked = self._look(settings)
        if looked is None:
            return ()
        found = held(settings, looked, self.essential)
        return [*found.absences, *found.refused, *own_doubts(settings, looked, self.essential)]

    def _look(self, settings: MappedLogSettings) -> Look | None:
        is_enveloped = settings.records is not None
        return look(settings, self.csv(settings), partial(self.records, settings) if is_enveloped else None)
