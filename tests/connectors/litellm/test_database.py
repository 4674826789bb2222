"""The log in a real PostgreSQL that LiteLLM's own statements have made: every row of a day once, nothing that is not allowed."""

import json
from datetime import date
from decimal import Decimal

import pytest

from connectors.base import AuthenticationError, SourceError
from connectors.litellm.database import SOURCE
from tests.connectors.litellm.spend_table import SpendTable, landed_text
from tests.postgres_server import PASSWORD

DAY = date(2026, 11, 21)


def test_a_day_is_the_half_open_utc_day_and_each_row_is_read_once(table: SpendTable) -> None:
    starts = ("2026-11-20 23:59:59.999", "2026-11-21 00:00:00", "2026-11-21 23:59:59.999", "2026-11-22 00:00:00")
    for number, start in enumerate(starts):
        table.add(request_id=f"r{number}", startTime=start)
    assert [table.ids(date(2026, 11, day)) for day in (19, 20, 21, 22)] == [[], ["r0"], ["r1", "r2"], ["r3"]]


def test_rows_of_one_instant_are_all_read_whatever_the_page(table: SpendTable) -> None:
    table.run(
        'insert into "LiteLLM_SpendLogs" (request_id, call_type, "startTime", "endTime", status) '
        "select 'r' || n, 'acompletion', '2026-11-21 10:00', '2026-11-21 10:00', 'success' "
        "from generate_series(1, 5000) n"
    )
    found = table.ids()
    assert len(found) == len(set(found)) == 5000


def test_the_same_rows_land_as_the_same_bytes(table: SpendTable) -> None:
    for number in (3, 1, 2):
        table.add(request_id=f"r{number}", spend=0.1 + 0.2)
    first = table.landed()
    assert [page.digest for page in first] == [page.digest for page in table.landed()]
    assert [row["request_id"] for row in map(json.loads, landed_text(first).splitlines()) if "request_id" in row] == [
        "r1",
        "r2",
        "r3",
    ]


def test_money_is_the_figure_that_was_written_to_the_last_digit(table: SpendTable) -> None:
    table.add(spend=0.006931349999999999)
    assert json.loads(landed_text(table.landed()).splitlines()[0])["spend"] == "0.006931349999999999"
    assert table.night().rows["source_reported_cost_usd"].to_pylist() == [Decimal("0.006931350000")]


def test_a_figure_that_is_no_number_refuses_the_value_and_keeps_the_row(table: SpendTable) -> None:
    table.add(spend=float("nan"))
    night = table.night()
    assert night.rows["source_reported_cost_usd"].to_pylist() == [None]
    assert [reject.column_name for reject in night.rejects] == ["spend"]


def test_nothing_that_is_not_allowed_leaves_the_database(table: SpendTable) -> None:
    secret = {"text": "canary", "nested": ["canary"]}
    table.add(
        user="canary-user", end_user="canary-customer", messages=secret, response=secret, proxy_server_request=secret,
        requester_ip_address="canary-ip", cache_key="canary-cache", mcp_namespaced_tool_name="canary-tool",
        api_base="https://canary:canary@api.example.com/v1?canary", api_key="sk-canary",
        metadata={
            **dict.fromkeys(("guardrail_information", "mcp_tool_call_metadata", "proxy_server_request"), secret),
            "user_api_key": "canary", "user_api_key_user_id": "canary", "requester_ip_address": "canary",
            "spend_logs_metadata": {"ticket_id": "T-1", "note": "canary"}, "error_information": {"error_message": "canary"},
            "usage_object": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "note": "canary"},
        },
    )  # fmt: skip
    text = landed_text(table.landed())
    assert b"T-1" in text
    assert b"canary" not in text


def test_the_database_itself_is_asked_for_allowed_columns_and_keys_only(table: SpendTable) -> None:
    table.run("alter system set log_statement = 'all'")
    table.run("select pg_reload_conf()")
    table.add(messages={"a": "canary"})
    table.landed()
    table.run("alter system reset log_statement")
    table.run("select pg_reload_conf()")
    log = (table.server.folder / "log").read_text()
    (asked,) = [line for line in log.splitlines() if "row_to_json" in line and "DECLARE" in line]
    assert not any(f'"{name}"' in asked for name in ("messages", "response", "proxy_server_request"))
    assert "jsonb_each" in asked


@pytest.mark.parametrize("also", ["", ', "completionStartTime"'])
def test_a_user_with_rights_to_the_allowed_columns_alone_can_read(also: str, table: SpendTable) -> None:
    columns = (
        'request_id, call_type, api_key, spend, total_tokens, prompt_tokens, completion_tokens, "startTime", "endTime", '
        'model, model_id, model_group, custom_llm_provider, api_base, "user", metadata, cache_hit, request_tags, '
        f"team_id, end_user, session_id, status, organization_id{also}"
    )
    reader = _user(table, "reader", f'grant select ({columns}) on "LiteLLM_SpendLogs" to reader')
    table.add()
    assert table.ids(dsn=reader) == ["r1"]
    assert "but not its daily table" in SOURCE.probe(table.settings(dsn=reader))


def test_a_user_without_the_right_is_told_what_to_grant(table: SpendTable) -> None:
    stranger = _user(table, "stranger", 'grant select (request_id) on "LiteLLM_SpendLogs" to stranger')
    with pytest.raises(
        AuthenticationError, match=r'no right to read call_type.*grant select \("request_id", "call_type"'
    ):
        table.landed(dsn=stranger)


def _user(table: SpendTable, name: str, *grants: str) -> str:
    table.run(f"drop role if exists {name}")
    table.run(f"create role {name} login password '{PASSWORD}'")
    for grant in grants:
        table.run(grant)
    return table.server.dsn(table.name, name)


def test_an_older_table_without_newer_columns_is_read(table: SpendTable) -> None:
    for column in ("status", "session_id", "organization_id", "model_group", "end_user", "metadata", "model_id"):
        table.run(f'alter table "LiteLLM_SpendLogs" drop column {column}')
    table._insert(
        "LiteLLM_SpendLogs",
        {"request_id": "old", "call_type": "completion", "startTime": "2026-11-21", "endTime": "2026-11-21",
         "prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "model": "gpt-4o"},
    )  # fmt: skip
    (row,) = table.night().rows.to_pylist()
    assert (row["request_id"], row["billed_model"], row["input_total_tokens"]) == ("old", "gpt-4o", 5)


def test_a_newer_table_with_unknown_columns_is_read_without_them(table: SpendTable) -> None:
    table.run("alter table \"LiteLLM_SpendLogs\" add column litellm_call_id text default 'canary'")
    table.add()
    assert b"canary" not in landed_text(table.landed())


def test_a_partitioned_table_is_read_like_any_other(table: SpendTable) -> None:
    table.run('alter table "LiteLLM_SpendLogs" rename to plain')
    table.run(
        'create table "LiteLLM_SpendLogs" (like plain including defaults, primary key (request_id, "startTime")) '
        'partition by range ("startTime")'
    )
    for day in (20, 21, 22):
        table.run(
            f'create table part_{day} partition of "LiteLLM_SpendLogs" '
            f"for values from ('2026-11-{day}') to ('2026-11-{day + 1}')"
        )
    for day in (20, 21, 22):
        table.add(request_id=f"r{day}", startTime=f"2026-11-{day} 05:00")
    assert table.ids() == ["r21"]


def test_a_schema_of_its_own_is_read_by_setting_or_as_prisma_names_it(table: SpendTable) -> None:
    table.run("create schema gateway")
    table.run('alter table "LiteLLM_SpendLogs" set schema gateway')
    table.run("set search_path = gateway, public")
    table.add()
    assert table.ids(table_schema="gateway") == ["r1"]
    prisma = f"{table.server.dsn(table.name)}?schema=gateway&connection_limit=10&pool_timeout=60"
    assert table.ids(dsn=prisma) == ["r1"]
    with pytest.raises(SourceError, match=r"no table public\.LiteLLM_SpendLogs.*table_schema"):
        table.landed()


def test_metadata_written_as_text_is_read_and_metadata_that_is_no_object_refuses_the_row(table: SpendTable) -> None:
    table.add(request_id="text", metadata=json.dumps(json.dumps({"user_api_key_alias": "search", "x": "canary"})))
    table.add(request_id="list", metadata="[1]")
    night = table.night()
    assert night.rows.select(["request_id", "key_alias"]).to_pylist() == [{"request_id": "text", "key_alias": "search"}]
    assert [reject.column_name for reject in night.rejects] == ["metadata"]
    assert b"canary" not in landed_text(table.landed())


@pytest.mark.parametrize(
    ("dsn", "error", "said"),
    [
        ("postgresql://postgres:wrong-password@127.0.0.1:{port}/{name}", AuthenticationError, "refuses the user"),
        ("postgresql://nobody:wrong-password@127.0.0.1:{port}/{name}", AuthenticationError, "refuses the user"),
        ("postgresql://postgres:correct-horse-battery@127.0.0.1:{port}/absent", SourceError, '"absent" does not exist'),
        ("postgresql://postgres:wrong-password@127.0.0.1:1/{name}", SourceError, "no connection"),
        ("postgresql://postgres:wrong-password@no-such-host.invalid/{name}", SourceError, "no connection"),
        ("postgresql://postgres:wrong-password/{name}", SourceError, "no user"),
        ("postgresql://postgres:wrong@zebra@127.0.0.1/{name}", SourceError, "percent-encoded"),
        ("postgresql://postgres:wrong/zebra@127.0.0.1/{name}", SourceError, "no user"),
        ("postgresql://127.0.0.1/{name}", SourceError, "no user"),
        ("host=127.0.0.1 wrong-password", SourceError, "no connection string"),
        ("mysql://postgres:wrong-password@127.0.0.1/{name}", SourceError, "no connection string"),
    ],
)
def test_what_is_wrong_with_the_way_in_is_told_without_the_password(
    dsn: str, error: type[SourceError], said: str, table: SpendTable
) -> None:
    given = table.settings(dsn=dsn.format(port=table.server.port, name=table.name))
    with pytest.raises(error, match=said) as failure:
        SOURCE.probe(given)
    for secret in ("wrong", "zebra", "correct-horse"):
        assert secret not in str(failure.value)
    assert "wrong" not in repr(given)


def test_a_server_without_tls_is_refused_unless_the_settings_allow_it(table: SpendTable) -> None:
    with pytest.raises(SourceError, match="speaks no TLS"):
        SOURCE.probe(table.settings(tls="require"))
    assert "can be read" in SOURCE.probe(table.settings(tls="disable"))


def test_a_table_that_is_not_litellms_is_told(table: SpendTable) -> None:
    table.run('alter table "LiteLLM_SpendLogs" rename column "startTime" to starttime')
    with pytest.raises(SourceError, match="no column startTime"):
        SOURCE.probe(table.settings())


def test_a_statement_that_takes_too_long_is_cancelled_and_told(table: SpendTable) -> None:
    table.run('alter table "LiteLLM_SpendLogs" rename to slow')
    table.run('create view "LiteLLM_SpendLogs" as select * from slow, lateral (select pg_sleep(5)::text) s')
    table.run(
        "insert into slow (request_id, call_type, \"startTime\", \"endTime\") values ('r', 'c', '2026-11-21', '2026-11-21')"
    )
    with pytest.raises(SourceError, match=r"given 1 seconds \(`statement_seconds`\)"):
        table.landed(statement_seconds=1)


def test_what_is_written_while_a_day_is_read_is_left_to_the_next_reading(table: SpendTable) -> None:
    for number in range(4000):
        table.add(request_id=f"r{number:04d}") if number < 3 else None
    settings = table.settings()
    pages = SOURCE.fetch(settings, SOURCE.windows(settings, DAY)[-1])
    first = next(pages)
    table.add(request_id="late")
    table.add_daily(api_requests=4)
    rest = list(pages)
    with first.body.open() as stream:
        assert stream.read().count(b"\n") == 3
    assert all("late" not in landed_text([page]).decode() for page in rest)  # pyright: ignore[reportArgumentType]
    assert "late" in table.ids()


def test_the_trailing_days_are_read_again(table: SpendTable) -> None:
    windows = SOURCE.windows(table.settings(), date(2026, 3, 1))
    assert [window.slice_date for window in windows] == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
