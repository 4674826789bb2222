"""A cache that answers before the model is a hit, with what it avoided where its log says so."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.logs.values import keyed_hash
from connectors.mapped_log import SOURCE
from tests.connectors.stored_log import KEY, LogFolder

README = Path(__file__).resolve().parents[3] / "connectors/mapped_log/README.md"


def recipes() -> dict[str, dict[str, Any]]:
    """The settings that the README gives, by name."""
    blocks = README.read_text().split("```yaml\n")[1:]
    given = [source for block in blocks for source in yaml.safe_load(block.partition("```")[0])]
    return {source["name"]: source for source in given}


def folder(tmp_path: Path, name: str) -> LogFolder:
    return LogFolder(tmp_path, SOURCE, recipes()[name] | {"location": str(tmp_path), "hash_key": KEY})


@pytest.mark.parametrize("name", ["own-log", "gptcache", "langcache"])
def test_every_declaration_of_the_readme_holds(name: str, tmp_path: Path) -> None:
    assert folder(tmp_path, name).settings().name == name


def test_hits_of_gptcache_are_told_and_what_nobody_knows_of_them_stays_unknown(tmp_path: Path) -> None:
    log = folder(tmp_path, "gptcache")
    log.raw(
        "report-2026-11-21.csv",
        b"id,user_question,cache_question_id,cache_question,cache_answer,similarity,cache_delta_time,cache_time,extra\n"
        b'7,who pays?,3,who pays,"the canary, of course",0.92,0.004,2026-11-21 09:15:00.5,\n',
    )
    (row,) = log.rows()
    assert (row["gateway"], row["is_cache_hit"], row["status"]) == ("gptcache", True, "success")
    assert (row["requested_model"], row["billed_model"]) == ("gpt-4o-mini", None)
    assert (row["latency_seconds"], row["prompt_hash"]) == (0.004, keyed_hash(KEY)("who pays?"))
    assert (row["input_total_tokens"], row["avoided_cost_usd"]) == (None, None)
    assert row["x_extra"] == '{"cache_question_id":"3","similarity":"0.92"}'
    assert b"canary" not in log.landed_bytes()
    assert b"who pays" not in log.landed_bytes()


def test_hits_of_langcache_carry_the_cost_that_they_avoided_and_tokens_of_the_first_answer(tmp_path: Path) -> None:
    log = folder(tmp_path, "langcache")
    hit = {
        "lookup_id": "l1", "time": "2026-11-21T09:15:00Z", "took_ms": 3, "hit": True, "similarity": 0.93, "entry_id": "e9",
        "prompt": "canary", "response": "canary",
        "attributes": {"model": "gpt-5-mini", "cost_usd": "0.00472", "feature": "search",
                       "usage": {"prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500}},
    }  # fmt: skip
    log.file("2026-11-21/x.jsonl.gz", [hit])
    (row,) = log.rows()
    assert (row["is_cache_hit"], row["avoided_cost_usd"]) == (True, Decimal("0.004720000000"))
    assert (row["source_reported_cost_usd"], row["feature"]) == (None, "search")
    assert (row["input_total_tokens"], row["output_total_tokens"]) == (1200, 300)
    assert b"canary" not in log.landed_bytes()
