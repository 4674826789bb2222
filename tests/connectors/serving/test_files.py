"""Scrapes kept as files, a whole night from the folder to the rows: engines by path, midnight, restarts."""

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.base import IncompleteDeliveryError
from connectors.serving import SOURCE
from connectors.windows import day_window
from tests.connectors.conformance import land
from tests.connectors.serving.written import DAY, line, settings, write

NEXT = date(2026, 10, 2)


def scraped(prompt: int) -> bytes:
    return f'vllm:prompt_tokens_total{{model_name="llama-8b",engine="0"}} {prompt}\n'.encode()


def night(folder: Path, day: date = DAY, **over: Any) -> list[dict[str, Any]]:
    given, window = settings(scrapes=str(folder), **over), day_window(day)
    pages = []
    for page in SOURCE.fetch(given, window):
        with page.body.open() as stream:
            pages.append(stream.read())
    (parsed,) = SOURCE.parse(given, window, land(pages))
    assert parsed.rejects == ()
    return parsed.rows.to_pylist()


def tokens(found: list[dict[str, Any]]) -> dict[str, int]:
    counted = dict[str, int]()
    for row in found:
        counted[row["pod"]] = counted.get(row["pod"], 0) + row["prompt_tokens"]
    return counted


def test_engines_are_told_apart_by_the_names_of_their_files(tmp_path: Path) -> None:
    for pod, low, high in (("vllm-a", 0, 60), ("vllm-b", 500, 507)):
        write(tmp_path, f"2026-10-01/{pod}-20261001T100000Z.prom", scraped(low))
        write(tmp_path, f"2026-10-01/{pod}-20261001T100100Z.prom.gz", gzip.compress(scraped(high)))
    assert tokens(night(tmp_path)) == {"vllm-a": 60, "vllm-b": 7}


def test_engines_are_told_apart_by_their_folders_where_the_settings_say_so(tmp_path: Path) -> None:
    for pod, low, high in (("a", 0, 60), ("b", 500, 507)):
        write(tmp_path, f"{pod}/20261001T100000Z.prom", scraped(low))
        write(tmp_path, f"{pod}/20261001T100100Z.prom", scraped(high))
    assert tokens(night(tmp_path, target_pattern="^([^/]+)/")) == {"a": 60, "b": 7}


def test_a_file_that_is_an_instant_alone_is_its_folder_s_engine(tmp_path: Path) -> None:
    for pod, low, high in (("a", 0, 60), ("b", 500, 507)):
        write(tmp_path, f"{pod}/2026-10-01/20261001T100000Z.prom", scraped(low))
        write(tmp_path, f"{pod}/2026-10-01/20261001T100100Z.prom", scraped(high))
    assert tokens(night(tmp_path)) == {"a": 60, "b": 7}


def test_two_days_share_what_was_counted_over_midnight_and_lose_nothing(tmp_path: Path) -> None:
    write(tmp_path, "2026-10-01/vllm-0-20261001T230000Z.prom", scraped(100))
    write(tmp_path, "2026-10-01/vllm-0-20261001T235900Z.prom", scraped(1000))
    write(tmp_path, "2026-10-02/vllm-0-20261002T000200Z.prom", scraped(1301))
    write(tmp_path, "2026-10-02/vllm-0-20261002T001000Z.prom", scraped(1400))
    write(
        tmp_path, "2026-10-02/vllm-0-20261002T120000Z.prom", b"no scrape, and too late to be read for the day before\n"
    )
    first = tokens(night(tmp_path))
    (tmp_path / "2026-10-02/vllm-0-20261002T120000Z.prom").unlink()
    second = tokens(night(tmp_path, NEXT))
    assert first == {"vllm-0": 900 + 100}  # 1 of 3 minutes of 301 tokens
    assert second == {"vllm-0": 201 + 99}


def test_a_file_of_a_whole_day_is_read_for_its_neighbours_too(tmp_path: Path) -> None:
    def lines(day: date, times: dict[str, int]) -> bytes:
        named = {"model_name": "llama-8b", "engine": "0"}
        found = [line("vllm:prompt_tokens_total", named, value, at, day) for at, value in times.items()]
        return ("\n".join(found) + "\n").encode()

    write(tmp_path, "vllm-0-2026-10-01.prom", lines(DAY, {"10:00": 0, "23:59": 100}))
    write(tmp_path, "vllm-0-2026-10-02.prom", lines(NEXT, {"00:01": 120, "18:00": 500}))
    assert tokens(night(tmp_path)) == {"vllm-0": 110}
    assert tokens(night(tmp_path, NEXT)) == {"vllm-0": 390}


def test_a_file_that_is_cut_off_fails(tmp_path: Path) -> None:
    write(tmp_path, "2026-10-01/vllm-0-20261001T100000Z.prom", scraped(1)[:-4])
    with pytest.raises(IncompleteDeliveryError, match="cut off"):
        night(tmp_path)


def test_a_scrape_without_an_instant_is_refused_with_the_remedy(tmp_path: Path) -> None:
    write(tmp_path, "2026-10-01/vllm-0.prom", scraped(1))
    given, window = settings(scrapes=str(tmp_path)), day_window(DAY)
    pages = [page.body.open().__enter__().read() for page in SOURCE.fetch(given, window)]
    (parsed,) = SOURCE.parse(given, window, land(pages))
    assert [reject.reason for reject in parsed.rejects] == ["no_instant"]


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"interval_seconds": 700}, "divide an hour"),
        ({"url": "http://p", "step_seconds": 120}, "must divide 'interval_seconds'"),
        ({"target_pattern": "vllm"}, "must have a group"),
        ({"models": {"(": "m"}}, "no regular expression"),
        ({"engines": ["gpt"]}, "Input should be"),
        ({"url": "http://p", "scrapes": "x"}, "not both"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_in_words(over: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settings(**over)
