"""Down to the log's requests and the GPU's samples, with file and row: a few by themselves, the rest as one line."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from contracts import contract
from models.frames import frame_of, schema_of
from pipelines.clock import utc_now
from pipelines.explain import gpu_time as of_gpus
from pipelines.explain import made_of_rows as of_parts
from pipelines.explain import requests as of_log
from pipelines.explain.delivered import log_files
from pipelines.explain.evidence import Evidence, evidence
from pipelines.explain.requests import requests, requests_that_differ
from pipelines.house import House, open_house
from pipelines.lake import Lake
from pipelines.night.build import build
from pipelines.night.references import REFERENCE_DATE, REFERENCE_SOURCE, write_references
from pipelines.night.stage import stage
from tests.models.conftest import Rows
from tests.pipelines.small_company import DAY, write_log
from tests.pipelines.test_close import OCTOBER, at_noon, company, night
from tests.pipelines.test_explain import costs, levels, told
from tests.pipelines.test_explain_weights import HOUR, START, charge, post, put
from tests.sql.golden import filled

D = Decimal
PRICES = "prices: [{provider: openai, model: gpt-4o, usd_per_mtok: {input_uncached: 1000, output_text: 4000}}]\n"
OWNER = "  - {id: search-ns, namespace: search, team: search}\n"
LOG = ("usage_sums", "request_defects", "usage_daily", "usage_by_team_daily", "usage_by_user_daily")
OUTPUTS = (100, 300, 500, 100, 250)
"""Tokens of each request's answer; each asked with 1000, and the last was answered by the gateway's own cache."""


def write_requests(folder: Path) -> None:
    write_log(folder)
    (file,) = (folder / "log" / DAY.isoformat()).iterdir()
    row: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    lines: list[dict[str, Any]] = []
    for number, output in enumerate(OUTPUTS):
        usage = {"prompt_tokens": 1000, "completion_tokens": output, "total_tokens": 1000 + output}
        times = {"startTime": row["startTime"] + number, "endTime": row["endTime"] + number}
        about = {"id": f"chatcmpl-{number}", "trace_id": f"t-{number}", "cache_hit": str(number == 4)}
        metadata = row["metadata"] | {"usage_object": usage}
        lines.append(row | usage | times | about | {"metadata": metadata})
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def samples(*minutes: int, **given: Any) -> list[dict[str, Any]]:
    """Samples of a GPU at these minutes of the first hour, each a page of its own."""
    at = [START + timedelta(minutes=minute) for minute in minutes]
    common = {"sample_date": str(DAY), "cluster": "c", "hostname": "h", "gpu_uuid": "g", "gpu_instance_id": ""}
    common |= {"x_source": "dcgm", "x_slice_date": str(DAY), **given}
    return [common | {"sampled_at": str(one), "x_page": f"page{one.minute}", "x_row": 7} for one in at]


def put_gpus(house: House) -> None:
    """An hour of a GPU: search works on it for half an hour, does nothing for a quarter, and then nobody holds it."""
    on = {"cluster": "c", "hostname": "h", "gpu_uuid": "g"}
    held = {**on, "hour_start": START, "namespace": "search", "pod": "p1", "holder_source": "exporter_label"}
    states = Rows().states(
        {**held, "state": "effective", "state_seconds": 1350, "observed_seconds": 1350},
        {**held, "state": "under_used", "state_seconds": 450, "observed_seconds": 450, "under_used_seconds": 450},
        {**held, "state": "allocated_idle", "state_seconds": 900, "observed_seconds": 900},
        {**on, "hour_start": START, "state": "unallocated", "state_seconds": 900},
    )
    put(house, "gpu_states_hourly", DAY, states)
    stretch = {
        **on,
        "usage_date": str(DAY),
        "gpu_instance_id": "",
        "mig_profile": "",
        "share_total": 1,
        "share_weight": 1,
    }
    search = stretch | {"namespace": "search", "pod": "p1"}

    def lasting(start: int, end: int, **given: Any) -> dict[str, Any]:
        times = {"started_at": START + timedelta(minutes=start), "ended_at": START + timedelta(minutes=end)}
        return search | {name: str(at) for name, at in times.items()} | given

    found = [
        lasting(0, 10, state="in_use", metric_used="sm_active_ratio"),
        lasting(10, 30, state="in_use", metric_used="sm_active_ratio", unfilled_seconds=450),
        lasting(30, 45, state="allocated_idle", metric_used="sm_active_ratio", is_observed=True),
    ]
    put(house, "gpu_stretches", DAY, frame_of(filled("gpu_stretches", found)))
    put(house, "gpu_samples", DAY, frame_of(filled("gpu_samples", samples(0, 5, 12, 20, 31))), "dcgm")


def identities() -> list[dict[str, Any]]:
    """The model as the log and the bill name it."""
    known = dict.fromkeys(schema_of("model_identity")) | {"provider_id": "openai", "model_id": "gpt-4o"}
    known |= {"source_model": "gpt-4o", "is_self_hosted": False, "identity_source": "configuration"}
    return [known | {"source_provider": provider} for provider in ("openai", "OpenAI")]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bill of 12 for a model that support alone called five times, and of 8 for an hour of a GPU."""
    folder = tmp_path_factory.mktemp("requests")
    file = company(folder)
    file.write_text(file.read_text().replace("owners:\n", f"owners:\n{OWNER}") + PRICES)
    write_requests(folder)
    night(file, DAY, date(2026, 11, 2))
    with open_house(file, "log", clock=lambda: at_noon(date(2026, 11, 3))) as house:
        write_references(house)
        assert [one.status for one in stage(house, "litellm", DAY, DAY)] == ["committed"]
        put(house, "model_identity", REFERENCE_DATE, Rows().frame("model_identity", identities()), REFERENCE_SOURCE)
        bill = [
            charge(1, "12", x_model_id="gpt-4o"),
            charge(2, "8", resource_id="i-1", provider_name="Cloud", charge_period_end=START + HOUR),
        ]
        put(house, "charges", OCTOBER, Rows().frame("charges", bill), "bill")
        for name in ("price_spans", "price_book", *LOG):
            build(house, contract(name), DAY, DAY)
        put_gpus(house)
        post(house)
    return file


def test_money_goes_down_to_the_requests_and_the_file_and_row_that_each_stands_in(config: Path) -> None:
    found = levels(config, "2026-10", "support", "gpt-4o", depth="requests")
    # 1.4 + 2.2 + 3 + 1.4 = 8 dollars at the price book; what the cache answered was not bought
    told_of = [
        (row["request_id"], row["x_row"], row["output_text_tokens"], row["request_count"], D(row["effective_cost"]))
        for row in sorted(found["requests"], key=lambda row: str(row["request_id"]))
    ]
    parts = [D("2.1"), D("3.3"), D("4.5"), D("2.1"), D(0)]
    expected = [(f"chatcmpl-{n}", n + 1, OUTPUTS[n], 1, parts[n]) for n in range(5)]
    assert told_of == expected
    assert {row["output_text_usd_per_token"] for row in found["requests"][:4]} == {"0.004000000000"}
    (file,) = found["log_files"]
    assert (file["x_source"], file["row_count"], D(file["effective_cost"]), file["note"]) == ("gateway", 5, D(12), None)
    body = (config.parent / "lake" / file["landing_file"]).read_bytes()
    assert b"chatcmpl-3" in body
    assert {name: costs(rows) for name, rows in found.items()} == dict.fromkeys(found, D(12))


def opened(config: Path) -> Any:
    return evidence(Lake.open(str(config.parent / "lake"), {}, utc_now))


def used_by_support(found: Evidence) -> pl.DataFrame:
    """The one use behind the 12, as the level of weights tells it."""
    use = found.rows("select * from usage_by_team_daily")
    money = {name: pl.lit("12").cast(pl.Decimal(38, 12)) for name in ("effective_cost", "billed_cost")}
    kept = {
        name: pl.lit(None, pl.String) for name in ("origin", "posting_id", "charge_group_id", "rule_id", "to_account")
    }
    return use.with_columns(
        **money,
        **kept,
        entry=pl.lit(0, pl.Int64),
        period=pl.lit(OCTOBER),
        billing_currency=pl.lit("USD"),
        basis=pl.lit("USD logged"),
    )


@pytest.mark.parametrize(
    ("most", "listed", "rest"),
    [
        (1, {"chatcmpl-2": "4.5"}, ("4 requests of smaller cost, together", 4, "7.5", "5.00")),
        (3, {"chatcmpl-2": "4.5", "chatcmpl-1": "3.3", "chatcmpl-0": "2.1"}, ("2 requests", 2, "2.1", "1.40")),
    ],
)
def test_of_more_requests_than_are_listed_the_smaller_ones_are_one_line_and_nothing_is_lost(
    config: Path, most: int, listed: Mapping[str, str], rest: tuple[str, int, str, str]
) -> None:
    with opened(config) as found:
        used = used_by_support(found)
        rows = requests(found, used, most)
        by_itself = rows.filter(pl.col("request_id").is_not_null())
        assert dict(by_itself.select("request_id", "effective_cost").iter_rows()) == {
            n: D(c) for n, c in listed.items()
        }
        (other,) = rows.filter(pl.col("request_id").is_null()).iter_rows(named=True)
        note, count, cost, logged = rest
        assert other["note"].startswith(note)
        assert (other["request_count"], other["effective_cost"], other["request_cost_usd"]) == (
            count,
            D(cost),
            D(logged),
        )
        assert rows["effective_cost"].sum() == rows["billed_cost"].sum() == D(12)
        assert list(requests_that_differ(used, rows)) == []
        # a request that the use does not count is found, listed or not
        assert len(list(requests_that_differ(used.with_columns(request_count=pl.lit(6, pl.Int64)), rows))) == 1
        files = log_files(found, rows)
        assert files["effective_cost"].sum() == D(12)
        assert files["note"].to_list() == [None, "no row of a file is listed for it"]


@pytest.mark.parametrize(("most", "expected"), [(100, [33, 66]), (9, [3, 6]), (3, [1, 2]), (6, [2, 4]), (1, [1, 1])])
def test_days_share_what_is_listed_by_how_many_requests_they_have(
    config: Path, monkeypatch: pytest.MonkeyPatch, most: int, expected: list[int]
) -> None:
    """3 requests on one day and 6 on the next: where nine may be listed, each day is whole; else the larger has more."""
    asked: list[tuple[date, int]] = []

    def of_day(_: object, day: date, __: pl.DataFrame, own: int) -> pl.DataFrame:
        asked.append((day, own))
        return pl.DataFrame({"use": []}, schema={"use": pl.Int64})

    monkeypatch.setattr(of_log, "_shared_of_day", of_day)
    with opened(config) as found:
        first = used_by_support(found).with_columns(request_count=pl.lit(3, pl.Int64))
        second = first.with_columns(
            usage_date=pl.col("usage_date") + timedelta(days=1), request_count=pl.lit(6, pl.Int64)
        )
        # a use that two moves were split by is one
        used = pl.concat([first, second, second])
        with pytest.raises(pl.exceptions.ColumnNotFoundError):  # nothing is read here
            requests(found, used, most)
    assert asked == [(DAY, expected[0]), (DAY + timedelta(days=1), expected[1])]


def test_gpu_time_goes_down_to_its_stretches_and_their_samples(config: Path) -> None:
    found = levels(config, "gpu_waste", where=("team=search",), depth="requests")
    # 8 for 3600 seconds: 1350 and 450 of work at 3 and 1, 900 idle at 2
    rows = [
        (
            row["gpu_state"],
            row["started_at"],
            row["sample_count"],
            row["x_page"],
            row["x_row"],
            D(row["effective_cost"]),
        )
        for row in sorted(found["requests"], key=lambda row: (row["gpu_state"], str(row["started_at"])))
    ]
    first, second, third = "2026-10-31T00:00:00", "2026-10-31T00:10:00", "2026-10-31T00:30:00"
    assert rows == [
        ("allocated_idle", third, 1, "page31", 7, D(2)),
        # 600 seconds of the first stretch, 750 of the second
        ("effective", first, 2, "page0", 7, D("1.333333333333")),
        ("effective", second, 2, "page12", 7, D("1.666666666667")),
        ("under_used", second, 2, "page12", 7, D(1)),
    ]
    assert costs(found["log_files"]) == D(6)
    assert {name: costs(rows) for name, rows in found.items()} == dict.fromkeys(found, D(6))
    (nobody,) = levels(config, "2026-10", "idle", depth="requests")["requests"]
    assert (nobody["note"], nobody.get("sample_count"), D(nobody["effective_cost"])) == (
        "no sample tells of it",
        None,
        D(2),
    )


def test_of_more_stretches_than_are_listed_the_smaller_ones_are_one_line(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_gpus.gpu_time, "__defaults__", (1,))
    found = levels(config, "gpu_waste", where=("team=search",), depth="requests")
    notes = sorted((row["note"] or "", D(row["effective_cost"])) for row in found["requests"])
    one = "1 stretches of smaller cost, together"
    two = "2 stretches of smaller cost, together"
    assert notes == [("", D(2)), (one, D(1)), (two, D(3))]
    assert costs(found["log_files"]) == D(6)


def test_of_more_hours_of_gpus_than_are_read_the_smaller_ones_are_one_line(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_gpus, "HOURS", 1)
    found = levels(config, "gpu_waste", where=("team=search",), depth="requests")
    notes = sorted((row["note"] or "", D(row["effective_cost"])) for row in found["requests"])
    # work of 3 is the hour of most money, in two stretches; 1 and 2 are hours of their own states
    one = "1 hours of smaller cost, together"
    assert notes == [("", D("1.333333333333")), ("", D("1.666666666667")), (one, D(1)), (one, D(2))]
    assert costs(found["log_files"]) == D(6)


def test_a_page_tells_of_what_is_not_listed(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_log.requests, "__defaults__", (1,))
    code, text = told(config, "2026-10", "support", "gpt-4o", depth="requests")
    assert code == 0, text
    assert "4 requests of smaller cost, together" in text
    assert "Every level comes to the figure, to the last decimal." in text


def test_a_page_names_each_request_by_its_start_its_id_and_its_model(config: Path) -> None:
    code, text = told(config, "2026-10", "support", "gpt-4o", depth="requests", everything=True)
    assert code == 0, text
    by_itself = [line for line in text.splitlines() if " UTC, chatcmpl-1, " in line]
    assert len(by_itself) == 1, text
    assert "gpt-4o" in by_itself[0]
    bought = "1,000 input_uncached at 1,000.00 USD/1M, 300 output_text at 4,000.00 USD/1M"
    assert by_itself[0].endswith(f" UTC, chatcmpl-1, {bought}")
    assert "chatcmpl-4" in text  # from the gateway's cache: nothing was bought at any price
    assert not any("chatcmpl-4" in line and "USD/1M" in line for line in text.splitlines())
    code, text = told(config, "usage_by_team_daily", depth="requests", figure="priced_cost_usd", everything=True)
    assert code == 0, text
    asked = text.partition("priced_requests, ")[2].partition("\n\n")[0].splitlines()[1:6]
    named = sorted(line.partition("; ")[2].split(", ")[1:3] for line in asked)
    assert named == [[f"chatcmpl-{number}", "gpt-4o"] for number in range(5)]
    told_of = {line.partition("; ")[2].split(", ")[1]: line.rpartition("; ")[2] for line in asked}
    assert told_of["chatcmpl-1"] == bought
    hit = "1,000 input_uncached at 1,000.00 USD/1M, 250 output_text at 4,000.00 USD/1M"
    assert told_of["chatcmpl-4"] == f"{hit} (answered by the gateway's cache, not bought)"


def test_a_page_s_counts_of_rows_add_up(config: Path) -> None:
    """Four requests are one group of the day, at one price, and the cache hit is another, of no tokens bought."""
    code, text = told(config, "2026-10", "support", "gpt-4o", depth="requests")
    assert code == 0, text
    level = text.partition("Requests")[2].partition("\n\n")[0]
    assert level.splitlines()[0].endswith(": 5 rows"), text
    assert "4,000 input_uncached at 1,000.00 USD/1M, 1,000 output_text at 4,000.00 USD/1M (4 rows)" in level


def test_other_tables_go_down_to_as_many_rows_as_are_listed_and_the_rest_has_its_sum(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = levels(config, "usage_by_team_daily", figure="priced_cost_usd", depth="requests")
    log = found["usage_daily/priced_requests"]
    # what the gateway's cache answered cost nothing
    assert sorted(D(row["to_priced_cost_usd"]) for row in log) == [D(0), D("1.4"), D("1.4"), D("2.2"), D(3)]
    monkeypatch.setattr(of_parts.listed, "__defaults__", (2,))
    found = levels(config, "usage_by_team_daily", depth="requests")
    log = found["usage_daily/priced_requests"]
    assert [row["x_note"] for row in log] == [None, None, "3 more rows, together"]
    assert sum(D(row["to_priced_cost_usd"]) for row in log if row["to_priced_cost_usd"]) == D(8)
    assert sum(row["to_request_count"] for row in log) == 5
