"""The export's table through the BigQuery API: an emulator, and the documented answers where that one has none."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery as api

from connectors.base import (
    AuthenticationError,
    IncompleteDeliveryError,
    MonthFiles,
    Page,
    Parsed,
    RefusedRequestError,
    SourceError,
)
from connectors.gcp.answers import Patience
from connectors.gcp.bill import GcpBillSettings, GcpBillSource
from connectors.windows import month_window
from tests.connectors.conformance import canonical_rows, land
from tests.connectors.faulty_server import HTML_PAGE, FaultyServer, Request, json_answer
from tests.connectors.gcp.lines import credit, json_lines, line, parsed, september

SOURCE = GcpBillSource(Patience(tries=3, first_wait_seconds=0.01, longest_wait_seconds=0.01, total_seconds=20.0))

SEPTEMBER = [
    line(credits=[credit("PROMOTION", -1.25)]),
    line(cost=0.1 + 0.2, usage_start_time="2026-08-31 05:00:00 UTC", usage_end_time="2026-08-31 06:00:00 UTC"),
    line(cost=1.2e-7, labels=[], export_time="2026-10-05 00:00:00 UTC"),
    line(),
    line(),  # the very same line again: two charges
]
AUGUST = [line(cost=100.0, invoice={"month": "202608"}, export_time="2026-09-02 00:00:00 UTC")]


def column(name: str, kind: str = "STRING", *fields: Any, many: bool = False) -> Any:
    return api.SchemaField(name, kind, mode="REPEATED" if many else "NULLABLE", fields=fields)


def record(name: str, *texts: str, many: bool = False) -> Any:
    return column(name, "RECORD", *(column(text) for text in texts), many=many)


STANDARD = [
    column("billing_account_id"),
    record("invoice", "month", "publisher_type"),
    column("cost_type"),
    record("service", "id", "description"),
    record("sku", "id", "description"),
    column("usage_start_time", "TIMESTAMP"),
    column("usage_end_time", "TIMESTAMP"),
    column(
        "project", "RECORD", column("id"), column("number"), column("name"), record("labels", "key", "value", many=True)
    ),
    record("labels", "key", "value", many=True),
    record("system_labels", "key", "value", many=True),
    record("location", "location", "country", "region", "zone"),
    record("tags", "key", "value", many=True),
    column("cost", "FLOAT64"),
    column("currency"),
    column("currency_conversion_rate", "FLOAT64"),
    column(
        "usage",
        "RECORD",
        column("amount", "FLOAT64"),
        column("unit"),
        column("amount_in_pricing_units", "FLOAT64"),
        column("pricing_unit"),
    ),
    column(
        "credits",
        "RECORD",
        column("name"),
        column("amount", "FLOAT64"),
        *(column(text) for text in ("full_name", "id", "type")),
        many=True,
    ),
    record("adjustment_info", "id", "description", "type", "mode"),
    column("export_time", "TIMESTAMP"),
    column("cost_at_list", "FLOAT64"),
    column("cost_at_effective_price_default", "NUMERIC"),
    record("consumption_model", "id", "description"),
]
_PRICES = ("list_price", "effective_price_default", "effective_price", "pricing_unit_quantity")
DETAILED = [
    *STANDARD,
    record("resource", "name", "global_name"),
    column("price", "RECORD", *(column(name, "NUMERIC") for name in _PRICES)),
    record("subscription", "instance_id"),
]


def table(address: str, name: str, schema: list[Any], lines: list[dict[str, Any]]) -> GcpBillSettings:
    """Makes the table and says how to reach it."""
    client = api.Client("acme", AnonymousCredentials(), client_options={"api_endpoint": address})
    client.create_dataset("billing", exists_ok=True)
    made = client.create_table(api.Table(f"acme.billing.{name}", schema=schema))
    held = {field.name for field in schema}
    errors = client.insert_rows_json(made, [{k: v for k, v in entry.items() if k in held} for entry in lines])
    assert errors == []
    return given(address, table=f"acme.billing.{name}")


def given(address: str, **over: Any) -> GcpBillSettings:
    return GcpBillSettings.model_validate(
        {"name": "google", "table": "acme.billing.bill", "endpoint": address, "page_rows": 2, **over}
    )


def pulled(settings: GcpBillSettings, month: date = date(2026, 9, 1)) -> list[tuple[str, bytes]]:
    return [(page.name, content(page)) for page in SOURCE.fetch(settings, month_window(month))]


def content(page: Page) -> bytes:
    with page.body.open() as stream:
        return stream.read()


def staged(settings: GcpBillSettings, pages: list[bytes]) -> list[Parsed]:
    return list(SOURCE.parse(settings, september(), land(pages)))


@pytest.fixture(scope="module")
def detailed(bigquery: str) -> GcpBillSettings:
    return table(bigquery, "gcp_billing_export_resource_v1_01AAAA", DETAILED, [*AUGUST, *SEPTEMBER])


def test_an_invoice_month_is_pulled_whole_in_pages_behind_its_statement(detailed: GcpBillSettings) -> None:
    pages = pulled(detailed)
    assert [name for name, _ in pages] == [
        "202609/statement.json",
        "202609/page-1.jsonl",
        "202609/page-2.jsonl",
        "202609/page-3.jsonl",
    ]
    assert [len(body.splitlines()) for _, body in pages[1:]] == [2, 2, 1]
    chunks = staged(detailed, [body for _, body in pages])
    found = [row for chunk in chunks for row in chunk.rows.to_pylist()]
    assert [reject for chunk in chunks for reject in chunk.rejects] == []
    costs = sorted(row["billed_cost"] for row in found)
    d = Decimal
    assert costs == [d("-1.25"), d("0.00000012"), d("0.3"), d("9.8"), d("9.8"), d("9.8")]


def test_the_table_and_files_of_the_same_lines_give_the_same_charges(detailed: GcpBillSettings) -> None:
    def canonical(chunks: list[Parsed]) -> list[str]:
        apart = ("x_page", "x_row", "x_extra")
        return sorted(text for chunk in chunks for text in canonical_rows(chunk.rows, without=apart))

    from_table = staged(detailed, [body for _, body in pulled(detailed)])
    assert canonical(from_table) == canonical(parsed([json_lines(*SEPTEMBER)]))


def test_the_same_month_pulled_twice_lands_the_same_pages(detailed: GcpBillSettings) -> None:
    assert pulled(detailed) == pulled(detailed)


def test_the_standard_export_has_fewer_columns_and_the_same_money(bigquery: str) -> None:
    settings = table(bigquery, "gcp_billing_export_v1_01AAAA", STANDARD, SEPTEMBER)
    found = [row for chunk in staged(settings, [b for _, b in pulled(settings)]) for row in chunk.rows.to_pylist()]
    assert sum(row["billed_cost"] for row in found) == Decimal("28.45000012")
    assert {row["resource_id"] for row in found} == {None}
    told = SOURCE.probe(settings)
    assert "standard export, 5 lines; acme.billing.gcp_billing_export_v1_01AAAA, 202609 can be read" in told
    with pytest.raises(SourceError, match="none of its lines can be staged"):
        SOURCE.probe(settings.model_copy(update={"currency": "EUR"}))


def test_lines_that_got_lost_after_the_query_are_noticed(detailed: GcpBillSettings) -> None:
    pages = [body for _, body in pulled(detailed)]
    with pytest.raises(IncompleteDeliveryError, match="announced 5 lines, and the landed pages hold 3"):
        staged(detailed, [pages[0], pages[1], pages[3]])


def test_a_month_without_lines_is_unknown_unless_it_is_before_the_first(detailed: GcpBillSettings) -> None:
    assert pulled(detailed, date(2026, 7, 1)) == []
    with pytest.raises(SourceError, match="no line of the invoice month 202610"):
        pulled(detailed, date(2026, 10, 1))


def test_a_month_is_final_only_by_the_export_s_own_clock(detailed: GcpBillSettings) -> None:
    """The newest line was exported on 5 October: by then September is closed if that is the day, and else is not."""
    for day, is_final in ((None, False), (5, True), (6, False)):
        settings = detailed.model_copy(update={"final_after_day": day})
        chunks = staged(settings, [body for _, body in pulled(settings)])
        assert all(chunk.is_final for chunk in chunks) is is_final


def test_a_table_that_is_no_export_is_told(bigquery: str) -> None:
    settings = table(bigquery, "orders", [column("id")], [])
    with pytest.raises(SourceError, match="no column invoice, cost, currency, export_time"):
        pulled(settings)


def test_a_table_that_does_not_exist_is_told(bigquery: str, detailed: GcpBillSettings) -> None:
    with pytest.raises(RefusedRequestError, match="HTTP 404"):
        SOURCE.probe(given(bigquery, table="acme.billing.gone"))


# ---- answers that the emulator does not give -------------------------------------------------------------------------
TABLE = {
    "kind": "bigquery#table",
    "id": "acme:billing.bill",
    "tableReference": {"projectId": "acme", "datasetId": "billing", "tableId": "bill"},
    "numRows": "5",
    "timePartitioning": {"type": "DAY"},
    "schema": {"fields": [field.to_api_repr() for field in STANDARD]},
}


def error(code: int, reason: str, message: str) -> Any:
    found = {"code": code, "message": message, "errors": [{"reason": reason, "message": message}], "status": reason}
    return json_answer(json.dumps({"error": found}).encode(), code)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (error(403, "accessDenied", "Access Denied: Table"), AuthenticationError, "BigQuery Data Viewer"),
        (error(403, "quotaExceeded", "Quota exceeded"), SourceError, "did not deliver"),
        (error(400, "invalidQuery", "Unrecognized name"), RefusedRequestError, "HTTP 400"),
        (error(400, "bytesBilledLimitExceeded", "bytes billed"), RefusedRequestError, "maximum_gib_billed"),
        (error(400, "resourcesExceeded", "Resources exceeded"), RefusedRequestError, "export it as Parquet"),
        (HTML_PAGE, SourceError, "."),
    ],
)
def test_what_a_query_is_refused_with_is_told_with_its_remedy(
    server: FaultyServer, answer: Any, kind: type[SourceError], words: str
) -> None:
    server.route("/bigquery/v2/projects/acme/datasets/billing/tables/bill", json_answer(json.dumps(TABLE).encode()))
    server.route("/bigquery/v2/projects/acme/jobs", answer)
    server.route("/bigquery/v2/projects/acme/queries", answer)
    with pytest.raises(kind, match=words) as failure:
        pulled(given(server.url))
    assert type(failure.value) is kind


def test_a_query_names_its_columns_its_month_and_the_days_on_which_it_was_loaded(server: FaultyServer) -> None:
    asked: list[dict[str, Any]] = []

    def refuse(request: Request) -> Any:
        asked.append(json.loads(request.body))
        return error(400, "invalidQuery", "stop here")

    server.route("/bigquery/v2/projects/acme/datasets/billing/tables/bill", json_answer(json.dumps(TABLE).encode()))
    server.route("/bigquery/v2/projects/acme/jobs", refuse)
    server.route("/bigquery/v2/projects/acme/queries", refuse)
    with pytest.raises(RefusedRequestError):
        pulled(given(server.url, maximum_gib_billed=3))
    query = asked[0]["configuration"]["query"]
    assert query["query"].startswith("select `billing_account_id`, `invoice`, `cost_type`")
    recent = "(_PARTITIONTIME >= @loaded_from or _PARTITIONTIME is null)"  # a line that is streamed in has none yet
    assert f"where invoice.month = @invoice_month and {recent} order by" in query["query"]
    assert query["maximumBytesBilled"] == str(3 * 2**30)
    values = {p["name"]: p["parameterValue"]["value"] for p in query["queryParameters"]}
    assert values["invoice_month"] == "202609"
    assert values["loaded_from"].startswith("2026-08-30 00:00:00")


def replay(server: FaultyServer, announced: int, pages: int) -> list[str]:
    """A finished query that announces so many lines, and pages of one line each; the last of `pages` announces none."""
    reference = {"projectId": "acme", "jobId": "j", "location": "US"}
    job = {
        "jobReference": reference,
        "status": {"state": "DONE"},
        "configuration": {
            "query": {
                "query": "",
                "destinationTable": {"projectId": "acme", "datasetId": "anon", "tableId": "t"},
            }
        },
        "statistics": {"query": {"statementType": "SELECT"}},
    }
    asked: list[str] = []

    def answer(request: Request) -> Any:
        token = request.query.get("pageToken", ["1"])[0]
        asked.append(token)
        row = {"f": [{"v": [] if field.mode == "REPEATED" else None} for field in STANDARD]}
        found = {
            "jobReference": reference,
            "jobComplete": True,
            "totalRows": str(announced),
            "schema": TABLE["schema"],
            "rows": [row],
        }
        more = {"pageToken": str(int(token) + 1)} if int(token) < pages else {}
        return json_answer(json.dumps({**found, **more}).encode())

    server.route("/bigquery/v2/projects/acme/datasets/billing/tables/bill", json_answer(json.dumps(TABLE).encode()))
    server.route("/bigquery/v2/projects/acme/jobs", json_answer(json.dumps(job).encode()))
    server.route("/bigquery/v2/projects/acme/jobs/j", json_answer(json.dumps(job).encode()))
    server.route("/bigquery/v2/projects/acme/queries/j", answer)
    server.route("/bigquery/v2/projects/acme/datasets/anon/tables/t/data", answer)
    return asked


def test_months_that_lately_got_lines_are_told_with_their_newest_export(server: FaultyServer) -> None:
    """Two columns of the newest partitions are asked for; a line without a month that can be read is of none."""
    fields = [{"name": "month", "type": "STRING"}, {"name": "newest", "type": "TIMESTAMP"}]
    at = datetime(2026, 12, 3, 14, 5, tzinfo=UTC)
    cells = [("202608", at), ("202613", at), (None, at), ("202611", None)]
    rows = [{"f": [{"v": month}, {"v": time and str(int(time.timestamp()) * 1_000_000)}]} for month, time in cells]
    replay(server, announced=len(rows), pages=1)
    asked: list[str] = []
    found = {"jobReference": {"projectId": "acme", "jobId": "j", "location": "US"}, "jobComplete": True}
    found |= {"totalRows": str(len(rows)), "schema": {"fields": fields}, "rows": rows}
    finished = json_answer(json.dumps(found).encode())

    def begin(request: Request) -> Any:
        asked.append(json.loads(request.body)["configuration"]["query"]["query"])
        job = {"jobReference": found["jobReference"], "status": {"state": "DONE"}}
        configuration = {
            "query": {"query": "", "destinationTable": {"projectId": "acme", "datasetId": "anon", "tableId": "t"}}
        }
        statistics = {"query": {"statementType": "SELECT"}}
        return json_answer(json.dumps({**job, "configuration": configuration, "statistics": statistics}).encode())

    server.route("/bigquery/v2/projects/acme/jobs", begin)
    server.route("/bigquery/v2/projects/acme/queries/j", finished)
    server.route("/bigquery/v2/projects/acme/datasets/anon/tables/t/data", finished)
    written = SOURCE.written(given(server.url))
    assert written == {date(2026, 8, 1): MonthFiles(None, datetime(2026, 12, 3, 14, 5))}
    (query,) = asked
    assert query.startswith("select invoice.month as month, max(export_time) as newest from `acme.billing.bill` where")
    assert "_PARTITIONTIME >= timestamp_sub(current_timestamp(), interval 40 day)" in query


def test_an_answer_that_does_not_end_is_left_once_it_gave_more_than_it_announced(server: FaultyServer) -> None:
    asked = replay(server, announced=3, pages=40)
    with pytest.raises(IncompleteDeliveryError, match="announced 3 lines and delivered 4"):
        pulled(given(server.url))
    assert len(asked) < 10, "the other pages are not asked for"


def test_an_answer_that_ends_early_is_incomplete(server: FaultyServer) -> None:
    replay(server, announced=3, pages=2)
    with pytest.raises(IncompleteDeliveryError, match="announced 3 lines and delivered 2"):
        pulled(given(server.url))


def test_a_delivery_that_takes_longer_than_a_delivery_may_is_left(server: FaultyServer) -> None:
    replay(server, announced=40, pages=40)
    minutes = iter(range(0, 6000, 60))  # each look at the clock is a minute later
    source = GcpBillSource(Patience(delivery_seconds=600.0, monotonic=lambda: float(next(minutes))))
    landed: list[Page] = []
    with pytest.raises(SourceError, match="longer than 10 minutes"):
        landed.extend(source.fetch(given(server.url), month_window(date(2026, 9, 1))))
    assert len(landed) == 1 + 10, "the statement, and a page for each minute"


def test_an_address_where_nobody_answers_is_told() -> None:
    with pytest.raises(SourceError, match=r"did not answer|cannot be reached|did not deliver"):
        SOURCE.probe(given("http://127.0.0.1:9"))
