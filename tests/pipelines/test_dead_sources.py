"""A source that is down costs a night the patience for one question, whatever it is asked, and is told for all of it."""

import socket
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from connectors.http import Limits, Pace
from connectors.patience import shared_patience
from connectors.registry import source
from pipelines.house import open_house
from pipelines.lake import Delivery
from pipelines.night.stage import stage
from tests.connectors.faulty_server import Answer, FaultyServer

DAY = date(2026, 10, 31)
DAYS = 8  # the night's own, and seven before
CONFIG = """\
company: Small
lake: lake
sources:
  - {{name: usage, kind: openai_usage, admin_key: "file:key", url: "{url}", endpoints: [completions]}}
teams:
  - {{id: search, name: Search}}
"""


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the connector wanted to sleep; it does not."""
    seconds: list[float] = []
    monkeypatch.setattr(source("openai_usage"), "_pace", Pace(sleep=seconds.append))
    return seconds


@pytest.fixture
def closed_port() -> Iterator[str]:
    """An address where nobody listens, and nobody else will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def pulled(folder: Path, url: str) -> list[Delivery]:
    (folder / "farthing.yml").write_text(CONFIG.format(url=url), encoding="utf-8")
    (folder / "key").write_text("sk-admin-0123456789", encoding="utf-8")
    now = datetime.combine(DAY + timedelta(days=1), time(5, 30))
    with open_house(folder / "farthing.yml", "run-1", clock=lambda: now) as house:
        return stage(house, "openai_usage", DAY, DAY)


def test_a_server_that_is_down_is_asked_patiently_once_and_then_once_a_window(
    tmp_path: Path, waited: list[float]
) -> None:
    with FaultyServer() as server:
        server.inject_always(Answer(b"busy", 503))
        deliveries = pulled(tmp_path, server.url)
        assert len(server.requests) == Limits().tries + DAYS - 1
    assert [d.status for d in deliveries] == ["failed"] * DAYS
    assert all("HTTP 503" in (d.message or "") for d in deliveries)
    assert len(waited) == Limits().tries - 1


def test_a_port_that_is_closed_costs_one_patience_and_every_window_says_so(
    tmp_path: Path, waited: list[float], closed_port: str
) -> None:
    deliveries = pulled(tmp_path, closed_port)
    assert [d.slice_date for d in deliveries] == [DAY - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    assert [d.status for d in deliveries] == ["failed"] * DAYS
    assert "8 tries" in str(deliveries[0].message)
    assert all("1 try" in (d.message or "") for d in deliveries[1:])
    assert len(waited) == Limits().tries - 1


def test_one_window_that_always_fails_blocks_no_other(tmp_path: Path, waited: list[float]) -> None:
    empty = b'{"object":"page","data":[],"has_more":false,"next_page":null}'
    with FaultyServer() as server:
        server.inject(*[Answer(b"busy", 503)] * Limits().tries)
        server.inject(Answer(empty), Answer(b"busy", 503), Answer(empty))
        server.inject_always(Answer(empty))
        deliveries = pulled(tmp_path, server.url)
    assert [d.status for d in deliveries] == ["failed", *["empty"] * (DAYS - 1)]
    assert waited  # the third window's trouble was ridden out again: the source had answered in between


def test_somebody_who_waits_is_told_after_two_tries(waited: list[float], closed_port: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-admin-0123456789", encoding="utf-8")
    (tmp_path / "farthing.yml").write_text(CONFIG.format(url=closed_port), encoding="utf-8")
    with open_house(tmp_path / "farthing.yml", "check", writing=False) as house:
        (settings,) = house.config.sources
    connector = source("openai_usage")
    with shared_patience(most_tries=2), pytest.raises(Exception, match="2 tries"):
        connector.probe(settings)
    assert len(waited) == 1
