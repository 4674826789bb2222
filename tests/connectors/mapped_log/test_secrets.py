"""Nothing that the mapping does not name is ever landed, and of people and prompts only hashes are."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.base import SourceError
from connectors.mapped_log import SOURCE
from tests.connectors.stored_log import NO_COUNTS, LogFolder, places, planted

CANARY = "canary-5f3a"
# Free text that the mapping lets through: ids, names of models, teams and countries.
OPEN = {("id",), ("vendor",), ("result",), ("cache",), ("url",), ("answer", "model"), ("caller", "team"), ("geo", "country"), ("try",)}  # fmt: skip


@pytest.mark.parametrize("secret", [CANARY, {"a": CANARY}, [CANARY], [[{"b": [CANARY]}]], f"1{CANARY}"])
def test_a_secret_planted_anywhere_outside_of_the_mapping_is_in_no_page(
    secret: Any, row: Callable[..., dict[str, Any]], log: LogFolder
) -> None:
    open_paths = OPEN if isinstance(secret, str) else set[tuple[str, ...]]()
    rows = [
        planted(row(), path, secret, name)
        for path in places(row())
        if path not in open_paths
        for name in ("content", CANARY)
    ]
    assert len(rows) > 30
    log.file("2026-11-21/x.jsonl", rows)
    assert log.landed_bytes().count(b"\n") == len(rows)
    assert CANARY.encode() not in log.landed_bytes()


def test_people_and_prompts_are_hashed_and_the_endpoint_loses_its_credentials(
    row: Callable[..., dict[str, Any]], log: LogFolder
) -> None:
    log.file("2026-11-21/x.jsonl", [row()])
    landed = log.landed_bytes()
    for secret in (b"alice", b"a prompt", b"an answer", b"user:pw", b"secret"):
        assert secret not in landed


@pytest.mark.parametrize("secret", [f"{CANARY} and more", {"a": CANARY}, [CANARY], *NO_COUNTS])
def test_a_check_of_any_rows_ends_and_repeats_no_letter_of_what_stands_in_a_wrong_place(
    secret: Any, row: Callable[..., dict[str, Any]], log: LogFolder
) -> None:
    open_paths = OPEN if isinstance(secret, str) else set[tuple[str, ...]]()
    found = [planted(row(), path, secret, "content") for path in places(row()) if path not in open_paths]
    for number, odd in enumerate(found):  # each alone, so that none hides another
        log.file(f"2026-11-21/{number}.jsonl", [odd])
        settings = log.settings(layout=f"{{date}}/{number}.jsonl", fields={**log.given["fields"], "ended_at": "end"})
        try:
            told = [SOURCE.probe(settings), *SOURCE.doubts(settings)]
        except SourceError as error:
            told = [str(error)]
        assert CANARY.partition("-")[0] not in "".join(told), odd
