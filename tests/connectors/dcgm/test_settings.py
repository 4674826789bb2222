"""Settings that cannot work are refused before the night, with the remedy."""

from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import Window
from connectors.dcgm import SOURCE, DcgmSettings
from connectors.registry import SOURCES, source
from tests.connectors.dcgm.written import settings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "give either 'url'"),
        ({"url": "http://p", "scrapes": "x"}, "not both"),
        ({"url": "p.example.com:9090"}, "must be an address"),
        ({"url": "https://user:secret-77@p.example.com"}, "without user, password"),
        ({"url": "http://p", "username": "u"}, "go together"),
        ({"url": "http://p", "username": "u", "password": "secret-77", "bearer_token": "t"}, "not both"),
        ({"url": "http://p", "step_seconds": 5, "chunk_hours": 24}, "at most 11,000 steps"),
        ({"url": "http://p", "step_seconds": 7}, "must divide 2 h"),
        ({"url": "http://p", "step_seconds": 600}, "less than or equal to 300"),
        ({"url": "http://p", "chunk_hours": 5}, "must divide 24"),
        ({"scrapes": "x", "layout": "*.prom"}, "must hold {date}"),
        ({"scrapes": "x", "exporter_pattern": "("}, "no regular expression"),
        ({"scrapes": "x", "steps": 1}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        DcgmSettings.model_validate({"name": "g", "kind": "dcgm", **given})
    messages = [str(error["msg"]) for error in refused.value.errors()]
    assert any(said in message for message in messages)
    assert not any("secret-77" in message for message in messages)


def test_the_densest_day_that_a_server_answers_is_allowed() -> None:
    assert settings(url="http://p/", step_seconds=5, chunk_hours=12).url == "http://p"  # 8,640 points


def test_neither_tokens_nor_store_keys_stand_in_the_settings_words() -> None:
    given = settings(url="http://p", bearer_token="secret-77")
    assert "secret-77" not in f"{given!r} {given}"
    assert "secret-77" not in repr(settings(storage={"aws_secret_access_key": "secret-77"}))


def test_a_night_reads_the_day_before_again() -> None:
    found = SOURCE.windows(settings(), date(2026, 3, 1))
    assert found == [
        Window(datetime(2026, 2, 28), datetime(2026, 3, 1)),
        Window(datetime(2026, 3, 1), datetime(2026, 3, 2)),
    ]
    assert len(SOURCE.windows(settings(trailing_days=0), date(2026, 3, 1))) == 1


def test_the_registry_knows_this_source_and_names_the_known_ones_for_another() -> None:
    assert source("dcgm") is SOURCE
    with pytest.raises(ValueError, match=rf"'dgcm'.*{', '.join(sorted(SOURCES))}"):
        source("dgcm")
