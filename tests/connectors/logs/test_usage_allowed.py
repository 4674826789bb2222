"""Of a provider's answer only counts, model and tier are landed, and they tell the same as the whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.logs.allow_list import rules_of
from connectors.logs.usage_allowed import usage_rule
from connectors.logs.usage_bodies import read_body
from connectors.logs.values import WITHHELD
from tests.connectors.stored_log import KEY, places, planted

RECORDINGS = Path(__file__).resolve().parents[3] / "../shared/data/provider_usage_bodies/usages_every_fifth.json"
ANSWER = {
    "model": "gpt-5",
    "service_tier": "default",
    "choices": [{"message": {"content": "text"}}],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 50,
        "total_tokens": 1050,
        "prompt_tokens_details": {"cached_tokens": 600},
    },
}
RULE = usage_rule(rules_of(SecretStr(KEY)).text)


def test_the_counts_of_every_recorded_answer_survive_and_nothing_else_is_needed() -> None:
    if not RECORDINGS.is_file():
        pytest.skip("the usage bodies of real providers are not beside this checkout")
    bodies = [sample["body"] for sample in json.loads(RECORDINGS.read_text())]
    assert len(bodies) == 316
    for body in bodies:
        landed: Any = RULE(body)
        assert "file" not in landed
        assert read_body(landed) == read_body(body)


def test_an_answer_as_text_is_landed_like_one_as_an_object() -> None:
    assert RULE(json.dumps(ANSWER)) == RULE(ANSWER) == {k: v for k, v in ANSWER.items() if k != "choices"}


@pytest.mark.parametrize("secret", ["canary", {"a": "canary"}, ["canary"], [[{"usage": "canary"}]]])
def test_a_secret_planted_anywhere_in_an_answer_is_not_landed(secret: Any) -> None:
    open_texts = {("model",), ("service_tier",)}
    for path in places(ANSWER):
        if path not in open_texts:
            assert "canary" not in json.dumps(RULE(planted(ANSWER, path, secret, "canary-name")))


def test_a_count_that_is_text_is_withheld_and_not_taken_for_none() -> None:
    landed: Any = RULE(planted(ANSWER, ("usage", "completion_tokens"), "many", ""))
    assert landed["usage"]["completion_tokens"] == WITHHELD
