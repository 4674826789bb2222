"""What the settings declare is what an attempt says: fields, words, units, tokens, tags."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from connectors.logs.allow_list import object_rule, rules_of
from connectors.logs.values import WITHHELD, keyed_hash
from connectors.mapped_log import SOURCE
from connectors.mapped_log.fields import SORTS, landing_rule
from connectors.mapped_log.meanings import field_meanings
from tests.connectors.mapped_log.conftest import FIELDS
from tests.connectors.stored_log import KEY, LogFolder

Row = Callable[..., dict[str, Any]]
BUCKETS = ("input_uncached_tokens", "cache_read_tokens", "output_text_tokens", "output_reasoning_tokens")


def test_a_row_becomes_the_attempt_worked_out_by_hand(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl.gz", [row()])
    (found,) = log.rows()
    assert (found["request_id"], found["status"], found["gateway"]) == ("r1", "success", "mapped_log")
    assert found["started_at"] == datetime(2026, 11, 21, 2, 0, 0, 250_000)
    assert (found["ended_at"], found["latency_seconds"]) == (datetime(2026, 11, 21, 2, 0, 1, 750_000), 1.5)
    assert (found["provider"], found["billed_model"]) == ("openai", "gpt-5-mini")
    assert tuple(found[name] for name in BUCKETS) == (400, 600, 30, 20)
    assert (found["input_total_tokens"], found["output_total_tokens"]) == (1000, 50)
    assert (found["source_reported_cost_usd"], found["source_cost_basis"]) == (Decimal("0.000215"), "unknown")
    assert (found["is_cache_hit"], found["gateway_team_id"]) == (False, "search")
    assert (found["api_base"], found["tags"]) == ("https://api.example.com/v1", '["country:DE"]')
    assert found["user_hash"] == keyed_hash(KEY)("alice@corp.test")
    assert found["prompt_hash"] == keyed_hash(KEY)('[{"content":"a prompt","role":"user"}]')
    assert found["x_extra"] == '{"attempt":"2"}'


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("iso", "2026-11-21 03:00:00.25+01:00"),
        ("s", 1795226400.25),
        ("s", "1795226400.25"),
        ("ms", 1795226400250),
        ("us", 1795226400250000),
        ("ns", 1795226400250000000),
        ("ns", "1795226400250000000"),
    ],
)
def test_an_instant_is_read_in_its_unit(unit: str, written: Any, row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(at=written)])
    (found,) = log.rows(time_unit=unit)
    assert found["started_at"] == datetime(2026, 11, 21, 2, 0, 0, 250_000)


@pytest.mark.parametrize(
    ("unit", "written", "cost"),
    [
        ("1", "0.000215", "0.000215"),
        ("0.01", 0.0215, "0.000215"),  # cents
        ("0.000000001", 215000, "0.000215"),  # nano-USD
        ("0.000000000001", 0.5, "0E-12"),  # half goes to even
    ],
)
def test_a_cost_is_read_in_its_unit(unit: str, written: Any, cost: str, row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(price=written)])
    assert log.rows(cost_unit=unit)[0]["source_reported_cost_usd"] == Decimal(cost)


def test_margin_and_discount_in_a_cost_are_what_the_log_states(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/a.jsonl", [row(markup="0.5", rebate=0.25)])
    fields = log.settings().fields | {"margin": "markup", "discount": "rebate"}
    (found,) = log.rows(cost_unit="0.01", cost_basis="with_margin", fields=fields)
    assert (found["stated_margin_usd"], found["stated_discount_usd"]) == (Decimal("0.005"), Decimal("0.0025"))


def test_a_cost_in_another_currency_is_kept_beside_and_not_taken_for_dollars(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(price=2.5)])
    (found,) = log.rows(cost_unit="0.01", currency="EUR")
    assert found["source_reported_cost_usd"] is None
    assert json.loads(found["x_extra"]) == {"attempt": "2", "reported_cost": "0.025", "reported_currency": "EUR"}


@pytest.mark.parametrize(
    ("convention", "used", "expected"),
    [
        ("openai", {"in": 1000, "out": 50, "cached": 600, "thought": 20}, (400, 600, 30, 20)),
        ("anthropic", {"in": 1000, "out": 50, "cached": 600, "thought": 20}, (1000, 600, 30, 20)),
        ({"cache_read": "outside", "reasoning": "outside"}, {"in": 9, "out": 8, "cached": 7, "thought": 6}, (9, 7, 8, 6)),
    ],
)  # fmt: skip
def test_classes_are_counted_where_the_convention_says(
    convention: Any, used: Any, expected: tuple[int, ...], row: Row, log: LogFolder
) -> None:
    log.file("2026-11-21/x.jsonl", [row(used=used)])
    (found,) = log.rows(convention=convention)
    assert tuple(found[name] for name in BUCKETS) == expected


def test_more_cached_than_input_contradicts_a_convention_of_inside(row: Row, log: LogFolder) -> None:
    log.file("2026-11-21/x.jsonl", [row(used={"in": 5, "out": 5, "cached": 6, "thought": 0})])
    (reject,) = log.night().rejects
    assert (reject.reason, reject.cost) == ("parts_exceed_total", Decimal("0.000215"))


def test_a_providers_own_usage_tells_tokens_model_and_tier(row: Row, log: LogFolder) -> None:
    body = {
        "model": "gpt-5-mini",
        "service_tier": "flex",
        "choices": [{"message": {"content": "an answer"}}],
        "usage": {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100,
                  "prompt_tokens_details": {"cached_tokens": 64}},
    }  # fmt: skip
    log.file("2026-11-21/x.jsonl", [row(body=json.dumps(body))])
    fields = {name: FIELDS[name] for name in ("request_id", "started_at", "status")} | {"usage": "body"}
    words = {"status": {"ok": "success"}}
    (found,) = log.rows(fields=fields, convention=None, words=words, tags_from={}, extras={})
    assert (found["billed_model"], found["service_tier"], found["cache_read_tokens"]) == ("gpt-5-mini", "flex", 64)
    assert (found["input_uncached_tokens"], found["output_text_tokens"]) == (26, 10)


def test_a_column_whose_name_holds_dots_and_json_held_as_text_are_found(log: LogFolder) -> None:
    log.raw(
        "2026-11-21/x.csv",
        b'gen_ai.id;at;gen_ai;state\r\nr1;2026-11-21 02:00:00;"{""usage"": {""in"": [7, 8]}}";200\r\n',
    )
    fields = {"request_id": "gen_ai.id", "started_at": "at", "input_tokens": "gen_ai.usage.in.1", "status": "state"}
    constants = {"output_tokens": 0}
    (found,) = log.rows(**_only(fields, constants=constants, delimiter=";"))
    assert (found["request_id"], found["status"], found["input_total_tokens"]) == ("r1", "success", 8)


def test_parquet_gives_the_rows_that_json_lines_give(row: Row, log: LogFolder) -> None:
    rows = [row(id=f"r{n}", price=str(row()["price"])) for n in range(3)]
    log.file("json/2026-11-21/x.jsonl", rows)
    typed = [{**r, "at": datetime(2026, 11, 21, 2, 0, 0, 250_000), "price": Decimal("0.000215")} for r in rows]
    (log.folder / "parquet/2026-11-21").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(typed), log.folder / "parquet/2026-11-21/x.parquet")
    json_night, parquet_night = (log.night(location=str(log.folder / name)) for name in ("json", "parquet"))
    assert json_night.rejects == parquet_night.rejects == ()
    assert json_night.rows.num_rows == 3
    assert json_night.rows.drop_columns("x_page").equals(parquet_night.rows.drop_columns("x_page"))


def test_attempts_in_a_document_are_found_under_the_name_of_their_list(row: Row, log: LogFolder) -> None:
    log.raw("2026-11-21/x.json", json.dumps({"page": {"rows": [row(), row(id="r2")]}, "next": None}, indent=1).encode())
    assert [found["request_id"] for found in log.rows(records="page.rows")] == ["r1", "r2"]


def test_rows_of_a_log_without_ids_are_one_where_their_content_is(row: Row, log: LogFolder) -> None:
    fields = {name: path for name, path in FIELDS.items() if name != "request_id"}
    log.file("2026-11-21/x.jsonl", [row(), row(), row(at="2026-11-21T02:00:00.251Z")])
    night = log.night(fields=fields)
    assert (night.rows.num_rows, night.duplicate_count) == (2, 1)
    assert len(set(night.rows["request_id"].to_pylist())) == 2


def test_metadata_answers_the_keys_that_the_settings_ask_for(log: LogFolder) -> None:
    metadata = {"feature": "search", "env": "prod", "ticket": "T-1", "org": {"team": "ml"}, "note": "private"}
    log.file("2026-11-21/x.jsonl", [{"at": "2026-11-21T02:00:00Z", "meta": metadata}])
    settings: dict[str, Any] = _only({"started_at": "at", "metadata": "meta"}) | {
        "constants": {"status": "success"},
        "environment_key": "env",
        "outcome_keys": ["ticket"],
        "team_id_field": "org.team",
    }
    (found,) = log.rows(**settings)
    assert (found["feature"], found["environment"], found["gateway_team_id"]) == ("search", "prod", "ml")
    assert found["outcome_ids"] == '{"ticket":"T-1"}'
    assert b"private" not in log.landed_bytes(**settings)


@pytest.mark.parametrize(
    ("over", "reason", "said"),
    [
        ({"result": "maybe"}, "unknown_status", "words: {status: {maybe: ...}}, success or failure"),
        ({"at": None}, "unreadable_start", "fields.started_at takes it from 'at', and the row has nothing there"),
        ({"at": 1795226400250}, "unreadable_start", "did you mean time_unit: ms (2026-11-21)?"),
        ({"at": "21/11/2026 02:00"}, "unreadable_value", "time_unit: iso expects ISO 8601, such as 2026-11-21T02:00:00Z"),
        ({"result": None}, "unknown_status", "the row has no status"),
        ({"result": "TIMED_OUT"}, "unknown_status", "words: {status: {TIMED_OUT: failure}}"),
        ({"result": "OK"}, "unknown_status", "words has 'ok', and letters count as they stand"),
        ({"cache": "STALE"}, "unknown_word", "words: {is_cache_hit: {STALE: ...}}, true or false"),
        ({"used": {"in": "many", "out": 1}}, "unreadable_value", "input_tokens"),
        ({"id": None}, "missing_id", "id"),
    ],
)  # fmt: skip
def test_a_row_that_the_mapping_does_not_fit_is_refused_with_the_remedy(
    over: dict[str, Any], reason: str, said: str, row: Row, log: LogFolder
) -> None:
    log.file("2026-11-21/x.jsonl", [row(**over), row(id="good")])
    night = log.night()
    assert night.rows["request_id"].to_pylist() == ["good"]
    (reject,) = night.rejects
    assert reject.reason == reason
    assert said in reject.detail


def test_a_table_without_the_columns_that_every_attempt_needs_says_which(log: LogFolder) -> None:
    log.raw("2026-11-21/x.csv", b"name,result\na,1\n")
    (reject,) = log.night().rejects
    assert reject.detail == (
        "2026-11-21/x.csv has no column at, id, which this log has; export the table with it, or correct the settings "
        "that say how its columns are called and divided"
    )


def test_quoted_columns_between_other_signs_are_a_refusal_and_no_end_of_the_night(log: LogFolder) -> None:
    log.raw("2026-11-21/x.csv", b'"id"\t"at"\t"result"\n"r1"\t"2026-11-21T02:00:00Z"\t"ok"\n')
    (reject,) = log.night().rejects
    assert reject.detail.startswith("2026-11-21/x.csv has no column at, id, result, which this log has; ")
    words = {"status": {"ok": "success"}}
    fields = {name: FIELDS[name] for name in ("request_id", "started_at", "status")}
    (found,) = log.rows(**_only(fields, words=words, delimiter="\t"))
    assert (found["request_id"], found["status"]) == ("r1", "success")


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"fields": {**FIELDS, "model": "m"}}, "did you mean 'billed_model'"),
        ({"fields": {"status": "result"}, "words": {}, "convention": None}, "started_at is needed"),
        ({"fields": {"started_at": "at"}, "words": {}, "convention": None}, "constants: {status: success}"),
        ({"convention": None}, "convention: say whether cache_read_tokens, output_reasoning_tokens are counted"),
        ({"convention": {"cache_read": "inside"}}, "whether output_reasoning_tokens are counted"),
        ({"convention": "opnai"}, "did you mean openai"),
        ({"convention": {"cache_read": "beside"}}, "inside, outside or unstated"),
        ({"constants": {"status": "success"}}, "both a field and a constant"),
        ({"constants": {"service_tier": "batch", "is_stream": "yes"}}, "it is true or false"),
        ({"constants": {"avoided_cost": "much"}}, "no decimal number"),
        ({"fields": {**FIELDS, "usage": "u"}}, "which one counts"),
        ({"words": {"status": {"ok": "fine"}}}, "status is success or failure, and cannot be 'fine'; did you mean {ok: success}?"),
        ({"words": {"status": {"err": "error"}}}, "cannot be 'error'; did you mean {err: failure}?"),
        ({"words": {"status": {"ok": "sucess"}}}, "did you mean {ok: success}?"),
        ({"words": {"status": {"failure": "no"}}}, 'the log\'s own word stands on the left: {"no": failure}'),
        ({"words": {"is_cache_hit": {"HIT": "sure"}}}, "is_cache_hit is true or false, and cannot be 'sure'"),
        ({"words": {"statuss": {"ok": "success"}}}, "'statuss' is no field of words that `fields` names; did you mean 'status'?"),
        ({"words": {"cost": {"ok": "1"}}}, "'cost' is no field of words"),
        ({"cost_basis": "net"}, "none of list, after_discount"),
        ({"cost_unit": "0"}, "greater than 0"),
        ({"currency": "dollars"}, "pattern"),
    ],
)  # fmt: skip
def test_a_declaration_that_cannot_hold_is_refused_with_the_remedy(over: Any, said: str, log: LogFolder) -> None:
    with pytest.raises(ValueError, match="validation error") as refused:
        log.settings(**over)
    assert said in str(refused.value)


def _only(fields: dict[str, str], **over: Any) -> dict[str, Any]:
    """The settings of a log with those fields and nothing of the conftest's own."""
    return {"words": {}, "tags_from": {}, "extras": {}, "convention": None, "fields": fields, **over}


def test_an_advisor_s_part_of_an_answer_is_a_row_of_its_own(tmp_path: Path) -> None:
    """Anthropic's totals leave it out, and bill it at the advisor's own model."""
    advice = {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 2529, "output_tokens": 38}
    own = {"type": "message", "input_tokens": 2417, "output_tokens": 133}
    usage = {"input_tokens": 2417, "output_tokens": 133, "cache_read_input_tokens": 0, "iterations": [own, advice]}
    answer = {"model": "claude-sonnet-5", "usage": usage}
    fields = {"request_id": "id", "started_at": "at", "status": "ok", "provider": "by", "cost": "usd"}
    log = LogFolder(tmp_path, SOURCE, {"fields": {**fields, "usage": "answer"}})
    log.file(
        "2026-11-21/a.jsonl",
        [{"id": "r1", "at": "2026-11-21T02:00:00Z", "ok": "success", "by": "anthropic", "usd": 0.02, "answer": answer}],
    )
    rows = log.rows()
    told = ("request_id", "attempt_group_id", "billed_model", "input_total_tokens", "output_total_tokens")
    assert [tuple(row[name] for name in (*told, "source_reported_cost_usd")) for row in rows] == [
        ("r1", "r1", "claude-sonnet-5", 2417, 133, Decimal("0.02")),
        ("r1:1", "r1", "claude-opus-4-8", 2529, 38, None),
    ]
    assert len({(row["x_page"], row["x_row"]) for row in rows}) == 2


def test_the_page_says_of_every_field_what_it_means_with_a_value_that_may_be_landed() -> None:
    meanings = {field.name: field for field in field_meanings()}
    assert meanings.keys() == SORTS.keys()
    assert [name for name, field in meanings.items() if field.needed.startswith("yes")] == ["started_at", "status"]
    rules = rules_of(SecretStr(KEY))
    for name, field in meanings.items():
        sort = SORTS[name]
        shown = landing_rule(sort, rules, object_rule({"feature": rules.text}), is_translated=False, is_number=False)
        value = json.loads(field.example) if field.example[0] in "[{" else field.example
        assert shown(value) not in (None, WITHHELD), name
