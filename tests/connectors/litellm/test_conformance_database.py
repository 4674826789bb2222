"""The database's source keeps what every connector promises."""

from typing import ClassVar

import pytest

from connectors.base import IncompleteDeliveryError
from connectors.litellm.database import SOURCE
from connectors.litellm.settings import LiteLlmDatabaseSettings
from tests.connectors.litellm.test_conformance import TestLiteLlm as OfFiles

_COMPARISON = b'{"daily_table":{"day":"2026-11-21","table":[4,1,50,20,"0.1"],"log":[4,1,50,20,"0.1"],"apart_count":0,"apart":[]}}\n'


class TestLiteLlmDatabase(OfFiles):
    source = SOURCE
    inapplicable: ClassVar = {"fetch": "rows come from PostgreSQL: test_database.py puts a real server and its faults"}

    def settings(self, **over: object) -> LiteLlmDatabaseSettings:
        given = {
            "name": "gw",
            "kind": "litellm_database",
            "dsn": "postgresql://u:p@h/d",
            "hash_key": "sixteen letters!",
        }
        return LiteLlmDatabaseSettings.model_validate({**given, **over})

    def pages(self) -> list[bytes]:
        first, last = (page.replace(b'"id"', b'"request_id"') for page in super().pages())
        return [first, _COMPARISON, last]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return super().count_source_rows([page for page in pages if not page.startswith(b'{"daily_table"')])

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"request_id"', b'"x_from_the_future": 1, "request_id"', 1)

    def test_a_truncated_comparison_is_an_incomplete_delivery(self) -> None:
        with pytest.raises(IncompleteDeliveryError):
            self.parse([_COMPARISON[:-30]])
