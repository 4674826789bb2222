"""Settings that cannot work are refused before the night; what a server is asked is what the settings say."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.kubernetes.allocations import SOURCE as ALLOCATIONS
from connectors.kubernetes.nodes import SOURCE as NODES
from connectors.registry import source
from tests.connectors.kubernetes.written import settings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "give either 'url'"),
        ({"url": "http://p", "step_seconds": 7}, "must divide 2 h"),
        ({"scrapes": "x", "resource_pattern": "("}, "no regular expression"),
        ({"scrapes": "x", "resource_pattern": 'a"} or up{b="c'}, "neither a quotation mark"),
        ({"scrapes": "x", "model_label": ""}, "at least 1 character"),
        ({"scrapes": "x", "labels": ["team"]}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ALLOCATIONS.settings_model.model_validate({"name": "k", "kind": ALLOCATIONS.kind, **given})
    assert any(said in str(error["msg"]) for error in refused.value.errors())


def test_each_query_holds_the_settings_own_matchers_and_resources() -> None:
    over = {"url": "http://p", "selector": 'cluster="prod"', "resource_pattern": "amd_com_gpu"}
    for one, count in ((ALLOCATIONS, 6), (NODES, 3)):
        queries = " ".join(one.queries(settings(one, **over)).values())
        assert queries.count('cluster="prod"') == count  # in each selector, also in the one behind `and`
        assert "amd_com_gpu" in queries
        assert "nvidia_com_gpu(" not in queries


def test_a_night_reads_the_day_before_again() -> None:
    windows = NODES.windows(settings(NODES), date(2026, 3, 1))
    assert [window.slice_date for window in windows] == [date(2026, 2, 28), date(2026, 3, 1)]


def test_the_registry_knows_both_kinds() -> None:
    assert source("kubernetes_allocations") is ALLOCATIONS
    assert source("kubernetes_nodes") is NODES
