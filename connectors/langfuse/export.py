"""Langfuse's blob export: observations in files of an object store, as JSON, CSV or Parquet."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from connectors.base import LandedPage, Parsed, SourceSettings, Window
from connectors.langfuse.observations import CALLS, ESSENTIAL, allowed, attempt, reported_cost
from connectors.langfuse.parsing import parse_observations
from connectors.langfuse.settings import LangfuseExportSettings
from connectors.logs.allow_list import AllowList, UnlandableError
from connectors.logs.attempt import Attempt, Record
from connectors.logs.files import Csv
from connectors.logs.instants import microseconds
from connectors.logs.source import StoredLog
from connectors.logs.values import WITHHELD, json_value

_TABLE = Csv(frozenset({"start_time", "type"}))
_MAPS = ("metadata", "usageDetails", "providedUsageDetails", "costDetails", "tags")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_OLDER_NAMES = {"spanId": "id", "parentSpanId": "parentObservationId"}


class LangfuseExport(StoredLog[LangfuseExportSettings]):
    """Calls of models in Langfuse's blob export. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "langfuse_export"
    settings_model: ClassVar[type[SourceSettings]] = LangfuseExportSettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def allow_list(self, settings: LangfuseExportSettings) -> AllowList:
        """The fields of an observation; a row of another table is unlandable."""
        found = allowed(settings)

        def observation(row: Mapping[str, Any]) -> dict[str, Any]:
            if "type" not in row or "startTime" not in row:
                raise UnlandableError("unknown_format")
            return found.redact(row)

        return AllowList(observation, found.known)

    def started(self, settings: LangfuseExportSettings, row: Mapping[str, Any]) -> int | None:  # noqa: ARG002
        """In UTC, without a zone."""
        return microseconds(row.get("startTime"))

    def records(self, settings: LangfuseExportSettings, row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:  # noqa: ARG002
        """The row under the API's names; nothing for an observation that is no call of a model."""
        if "type" in row and row["type"] not in CALLS:
            return ()
        return (api_names(row),)

    def csv(self, settings: LangfuseExportSettings) -> Csv:  # noqa: ARG002
        """The export may be CSV."""
        return _TABLE

    def read(self, settings: LangfuseExportSettings, record: Record) -> Attempt:
        """See `observations`."""
        return attempt(settings, record)

    def cost(self, settings: LangfuseExportSettings, record: Record) -> str | Decimal | None:  # noqa: ARG002
        """What Langfuse computed, or was told."""
        return reported_cost(record)

    def parse(self, settings: LangfuseExportSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """See `parse_observations`."""
        return parse_observations(settings, window, pages, self.remedy)


def api_names(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the export as the API gives it: names in camel case, maps as objects."""
    found = {_camel(name): value for name, value in row.items()}
    for name in _MAPS:
        if isinstance(found.get(name), str):
            found[name] = map_value(found[name])
    return {_OLDER_NAMES.get(name, name): value for name, value in found.items()}


def map_value(text: str) -> object:
    """A map or list as text: JSON, or ClickHouse's own writing of it with single quotes, as CSV has it.

    Text that is neither comes back as it is: the allow-list withholds it.
    """
    found = json_value(text)
    if found != WITHHELD:
        return found
    quoted = _QUOTED.sub(lambda match: json.dumps(_ESCAPED.sub(_unescaped, match[1])), text)
    found = json_value(quoted)
    return text if found == WITHHELD else found


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[1])


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


SOURCE = LangfuseExport()
