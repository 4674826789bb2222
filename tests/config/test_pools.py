"""The section `pools`: every way of splitting says what it needs, and leads to teams that exist."""

from pathlib import Path

import pytest

from models.pools import Pool, Split
from pipelines.config import load
from tests.config.test_load import ENVIRONMENT, GOOD, complaint, line_of, written

TOKENS = "  - {id: llm, model: llama, token_weights: {input_uncached: 1, output_text: 4.25}}\n"


def with_pool(*entries: str) -> str:
    return GOOD.replace(TOKENS, TOKENS + "".join(f"  - {{{entry}}}\n" for entry in entries))


def pools_of(folder: Path, *entries: str) -> list[Pool]:
    config, _ = load(written(folder, with_pool(*entries)), ENVIRONMENT)
    return config.shared_pools[1:]


def test_an_even_pool_is_carried_by_every_team_or_by_those_it_names(tmp_path: Path) -> None:
    everybody, one = pools_of(tmp_path, "id: office, split: even", "id: desk, split: even, teams: [support]")
    assert everybody == Pool("office", split=Split.EVEN, shares={"team:search": 1, "team:support": 1})
    assert one == Pool("desk", split=Split.EVEN, shares={"team:support": 1}, team_ids=("support",))


def test_stated_shares_keep_their_proportions_exactly(tmp_path: Path) -> None:
    (pool,) = pools_of(tmp_path, "id: legal, split: fixed, shares: {search: 33.3, support: 66.7, 'pool:llm': 0.05}")
    assert pool.shares == {"team:search": 666, "team:support": 1334, "pool:llm": 1}


def test_a_pool_may_be_proportional_to_cost_tokens_or_gpus(tmp_path: Path) -> None:
    found = pools_of(
        tmp_path, *(f"id: p{n}, split: {s}" for n, s in enumerate(["direct_cost", "priced_tokens", "gpu_seconds"]))
    )
    assert [pool.split for pool in found] == [Split.DIRECT_COST, Split.PRICED_TOKENS, Split.GPU_SECONDS]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("id: x", "'split: weighted_tokens' needs 'model'"),
        ("id: x, split: fixed", "'split: fixed' needs 'shares'"),
        ("id: x, split: even, shares: {search: 1}", "'shares' is for 'split: fixed', not for 'even'"),
        ("id: x, split: even, model: llama", "'model' is for 'split: weighted_tokens', not for 'even'"),
        ("id: x, split: fixed, shares: {search: 1}, teams: [search]", "its 'shares' name who carries it"),
        ("id: x, split: fixed, shares: {search: 0}", "one of 'shares' must be more than zero"),
        ("id: x, split: fixed, shares: {search: -1}", "greater than or equal to 0"),
        ("id: x, split: fixed, shares: {serch: 1}", "there is no team or other pool 'serch'. Did you mean 'search'?"),
        ("id: x, split: fixed, shares: {'pool:x': 1}", "there is no team or other pool 'pool:x'"),
        ("id: x, split: even, teams: [serch]", "there is no team 'serch'. Did you mean 'search'?"),
        ("id: x, split: evn", "evn"),
    ],
)
def test_what_a_pool_cannot_do_is_said_with_its_line(tmp_path: Path, entry: str, said: str) -> None:
    text = with_pool(entry)
    message = complaint(tmp_path, text)
    assert said in message
    assert f"farthing.yml:{line_of(text, entry)}:" in message


def test_pools_that_only_feed_one_another_are_refused_before_a_night(tmp_path: Path) -> None:
    circle = ["id: x, split: fixed, shares: {'pool:y': 1}", "id: y, split: fixed, shares: {'pool:x': 1}"]
    message = complaint(tmp_path, with_pool(*circle))
    assert "pools pool:x, pool:y feed only one another: expected a share of a team in one of them" in message
    carried = ["id: x, split: fixed, shares: {'pool:y': 1}", "id: y, split: fixed, shares: {'pool:x': 1, search: 1}"]
    assert len(pools_of(tmp_path, *carried)) == 2


def test_a_pool_by_metric_names_one_that_is_there(tmp_path: Path) -> None:
    text = with_pool("id: p, split: metric, metric: seats") + "metrics:\n  - {id: seats, location: seats.csv}\n"
    config, _ = load(written(tmp_path, text), ENVIRONMENT)
    assert config.shared_pools[1] == Pool("p", split=Split.METRIC, metric_id="seats")
    assert Path(config.metrics[0].location).is_absolute()
    assert "'split: metric' needs 'metric'" in complaint(tmp_path, with_pool("id: p, split: metric"))
    missing = complaint(tmp_path, text.replace("metric: seats", "metric: seat"))
    assert "there is no metric 'seat'. Did you mean 'seats'?" in missing
