"""A log that is read by an API of the test's own server."""

from abc import ABC, abstractmethod
from datetime import date
from typing import Any

from connectors.base import Parsed
from tests.connectors.conformance import land
from tests.connectors.stored_log import DAY, whole


class ApiLog(ABC):
    """What a source makes of rows that its server tells.

    `given` are settings beside the name and the kind; a subclass puts the rows on the server in `serve`.
    """

    def __init__(self, source: Any, given: dict[str, Any]) -> None:
        self.source = source
        self.given = given

    @abstractmethod
    def serve(self, rows: list[dict[str, Any]]) -> None:
        """Lets the server tell these rows."""

    def settings(self, **over: Any) -> Any:
        named = {"name": "log", "kind": self.source.kind}
        return self.source.settings_model.model_validate({**named, **self.given, **over})

    def pages(self, rows: list[dict[str, Any]], day: date = DAY, **over: Any) -> list[bytes]:
        """Everything that reaches disk of a day."""
        self.serve(rows)
        settings = self.settings(**over)
        window = self.source.windows(settings, day)[-1]
        return [page.body.open().__enter__().read() for page in self.source.fetch(settings, window)]

    def night(self, rows: list[dict[str, Any]], **over: Any) -> Parsed:
        """The whole delivery of a day."""
        settings = self.settings(**over)
        window = self.source.windows(settings, DAY)[-1]
        return whole(self.source.parse(settings, window, land(self.pages(rows, **over))))

    def row(self, told: dict[str, Any], **over: Any) -> dict[str, Any]:
        """The one row of one told row, with nothing refused."""
        night = self.night([told], **over)
        assert night.rejects == ()
        (row,) = night.rows.to_pylist()
        return row
