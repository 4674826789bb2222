"""The sections `unused` and `prompt_cache`: each rule says of what it is, and leads to somebody who exists."""

from datetime import date
from pathlib import Path

import pytest

from models.unused import Unused, UnusedRule
from models.validity import EVER, FOREVER
from pipelines.config import load
from tests.config.test_load import ENVIRONMENT, GOOD, complaint, written


def rules_of(folder: Path, *entries: str) -> list[UnusedRule]:
    text = GOOD + "unused:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)
    config, _ = load(written(folder, text), ENVIRONMENT)
    return [rule.resolved() for rule in config.unused]


def test_a_rule_names_a_team_or_a_pool_or_nobody(tmp_path: Path) -> None:
    assert rules_of(
        tmp_path,
        "id: ri, of: commitment, commitment: ri-1, team: search, from: 2026-10-01",
        "id: gpus, of: idle_gpu, cluster: train, pool: llm",
        "id: ptu, of: throughput",
    ) == [
        UnusedRule("ri", Unused.COMMITMENT, "ri-1", "team:search", date(2026, 10, 1), FOREVER),
        UnusedRule("gpus", Unused.IDLE_GPU, "train", "pool:llm", EVER, FOREVER),
        UnusedRule("ptu", Unused.THROUGHPUT, "", "", EVER, FOREVER),
    ]


def test_writes_into_caches_are_as_incurred_unless_told_otherwise(tmp_path: Path) -> None:
    config, _ = load(written(tmp_path, GOOD), ENVIRONMENT)
    assert config.prompt_cache.writes == "as_incurred"
    config, _ = load(written(tmp_path, GOOD + "prompt_cache: {writes: by_reads}\n"), ENVIRONMENT)
    assert config.prompt_cache.writes == "by_reads"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("unused: [{id: a, of: idle}]", "commitment"),
        ("unused: [{id: a, of: idle_gpu, commitment: c}]", "'commitment' is not for 'of: idle_gpu'"),
        ("unused: [{id: a, of: commitment, cluster: c}]", "it goes with idle_gpu, unhealthy_gpu, unknown_gpu"),
        ("unused: [{id: a, of: commitment, team: search, pool: llm}]", "at most one of 'team' and 'pool'"),
        ("unused: [{id: a, of: commitment, team: serch}]", "there is no team 'serch'. Did you mean 'search'?"),
        ("unused: [{id: a, of: commitment, pool: lm}]", "there is no pool 'lm'. Did you mean 'llm'?"),
        ("unused: [{id: a, of: commitment}, {id: a, of: idle_gpu}]", "'a' is taken on line"),
        ("prompt_cache: {writes: pooled}", "expected 'as_incurred' or 'by_reads'"),
    ],
)
def test_what_does_not_fit_is_said_with_its_line(tmp_path: Path, entry: str, said: str) -> None:
    text = GOOD + entry + "\n"
    message = complaint(tmp_path, text)
    assert said in message
    assert f":{text.count(chr(10))}:" in message


def test_what_nobody_logged_is_spread_unless_it_is_kept_apart(tmp_path: Path) -> None:
    config, _ = load(written(tmp_path, GOOD), ENVIRONMENT)
    assert config.token_log.unlogged == "spread"
    config, _ = load(written(tmp_path, GOOD + "token_log: {unlogged: apart}\n"), ENVIRONMENT)
    assert config.token_log.unlogged == "apart"
