"""Reports made on demand: asked for, waited for, downloaded, and what becomes of those that fail."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from connectors.azure.bill import AzureBillSource
from connectors.azure.bill_settings import AzureBillSettings
from connectors.azure.signed_blob import SignedBlob
from connectors.base import AuthenticationError, IncompleteDeliveryError, SourceError
from connectors.deadline import DeadlineError, begin_delivery
from connectors.http import Pace
from tests.connectors.azure.tokens import TOKEN, token_credential
from tests.connectors.azure.written import SEPTEMBER, csv_of, frame, landed, line, settings
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, cut_in_half, json_answer

SCOPE = "/providers/Microsoft.Billing/billingAccounts/11112222"
SIGNATURE = "canary-signature-78"


class Reports:
    """A server that makes reports, and a source that asks it; `states` are told one after the other."""

    def __init__(self, server: FaultyServer, clock: Clock) -> None:
        self.server, self.clock = server, clock
        self.source = AzureBillSource(token_credential, Pace(sleep=clock.sleep, monotonic=clock.monotonic))
        self.asked = list[Any]()
        prefix = f"{SCOPE}/providers/Microsoft.CostManagement"
        self.path = f"{prefix}/costDetailsOperationResults/op"
        server.route(f"{prefix}/generateCostDetailsReport", self._made)

    def _made(self, request: Request) -> Answer:
        self.asked.append(json.loads(request.body))
        metric = self.asked[-1]["metric"]
        return Answer(b"", 202, {"Location": f"{self.server.url}{self.path}/{metric}", "Retry-After": "5"})

    def ends(self, metric: str, **found: Any) -> None:
        self.server.route(f"{self.path}/{metric}", json_answer(json.dumps(found).encode()))

    def completes(self, metric: str, content: bytes, announced: int | None = None) -> None:
        address = f"{self.server.url}/blob/{metric}.csv?se=2026-09-05&sig={SIGNATURE}"
        blob = {"blobLink": address, "byteCount": len(content) if announced is None else announced}
        self.server.route(f"/blob/{metric}.csv", parts_of(content))
        self.ends(
            metric, status="Completed", validTill="2026-09-05T00:00:00Z", manifest={"blobCount": 1, "blobs": [blob]}
        )

    def settings(self, *metrics: str) -> AzureBillSettings:
        report = {"scope": SCOPE, **({"metrics": metrics} if metrics else {})}
        return settings(location=None, actual=None, amortized=None, report=report, endpoint=self.server.url)

    def fetch(self, *metrics: str) -> list[Any]:
        return landed(list(self.source.fetch(self.settings(*metrics), SEPTEMBER)))


def parts_of(content: bytes, versions: tuple[str, ...] = ("v1",)) -> Callable[[Request], Answer]:
    """A blob that answers with the part that is asked for, as storage accounts do; its version is the next one."""
    told = iter(versions)
    version = next(told)

    def respond(request: Request) -> Answer:
        nonlocal version
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["Range"])
        assert found, "the blob is asked for in parts"
        first, last = int(found[1]), min(int(found[2]), len(content) - 1)
        headers = {"Content-Range": f"bytes {first}-{last}/{len(content)}", "ETag": version}
        version = next(told, version)
        return Answer(content[first : last + 1], 206, headers)

    return respond


@pytest.fixture
def reports(server: FaultyServer, clock: Clock) -> Reports:
    return Reports(server, clock)


def test_both_metrics_together_give_billed_and_effective_cost(reports: Reports) -> None:
    reports.completes("ActualCost", csv_of(line(), line(Cost="5", Date="09/09/2026")))
    reports.completes("AmortizedCost", csv_of(line(), line(Cost="7", Date="09/10/2026")))
    pages = reports.fetch()
    found = frame(list(reports.source.parse(reports.settings(), SEPTEMBER, pages)))
    assert (found["billed_cost"].sum(), found["effective_cost"].sum()) == (185, 187)
    assert [asked["metric"] for asked in reports.asked] == ["ActualCost", "AmortizedCost"]
    assert all(asked["timePeriod"] == {"start": "2026-09-01", "end": "2026-09-30"} for asked in reports.asked)


def test_signed_links_stay_out_of_names_and_pages(reports: Reports) -> None:
    reports.completes("ActualCost", csv_of(line()))
    for page in reports.fetch("ActualCost"):
        assert SIGNATURE not in page.name
        with page.body.open() as stream:
            assert SIGNATURE.encode() not in stream.read()


@pytest.mark.parametrize(("state", "words"), [("NoDataFound", "which is not zero"), ("Failed", "out of luck")])
def test_a_report_without_data_or_that_failed_is_no_delivery(reports: Reports, state: str, words: str) -> None:
    reports.ends("ActualCost", status=state, error={"code": "x", "message": "out of luck"})
    with pytest.raises(SourceError, match=words):
        reports.fetch("ActualCost")


def test_a_report_that_is_never_ready_is_given_up(reports: Reports) -> None:
    again = Answer(b"", 202, {"Location": f"{reports.server.url}{reports.path}/ActualCost", "Retry-After": "3600"})
    reports.server.route(f"{reports.path}/ActualCost", again)
    with pytest.raises(SourceError, match="longer than 180 minutes"):
        reports.fetch("ActualCost")
    assert sum(reports.clock.slept) <= 3 * 3600


def test_a_blob_of_another_size_than_announced_is_an_incomplete_delivery(reports: Reports) -> None:
    reports.completes("ActualCost", csv_of(line()), announced=7)
    with pytest.raises(IncompleteDeliveryError, match="7 were announced"):
        reports.fetch("ActualCost")


def test_the_quota_says_itself_how_long_to_wait(reports: Reports) -> None:
    headers = {
        "x-ms-ratelimit-microsoft.costmanagement-entity-retry-after": "17",
        "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "9",
    }
    reports.completes("ActualCost", csv_of(line()))
    reports.server.inject(Answer(b'{"error":{"code":"429","message":"Too many requests."}}', 429, headers))
    reports.fetch("ActualCost")
    assert 17 in reports.clock.slept


def test_refused_credentials_are_told_without_them(reports: Reports) -> None:
    reports.server.inject_always(json_answer(b'{"error":{"code":"AuthorizationFailed","message":"no"}}', 403))
    with pytest.raises(AuthenticationError, match="Cost Management Reader") as failure:
        reports.fetch("ActualCost")
    assert TOKEN not in str(failure.value)


EXPORTS = f"{SCOPE}/providers/Microsoft.CostManagement/exports"
NO_EXPORTS = json_answer(b'{"value": []}')
REFUSED = json_answer(b'{"error":{"code":"RBACAccessDenied","message":"no"}}', 403)


def checked(reports: Reports) -> str:
    return reports.source.probe(reports.settings())


def test_a_check_reads_the_running_month_s_report_of_the_first_metric(reports: Reports) -> None:
    reports.server.route(EXPORTS, NO_EXPORTS)
    reports.completes("ActualCost", csv_of(line(), line(Cost="5", Date="09/09/2026")))
    told = checked(reports)
    assert "can be asked for (0 exports are set up)" in told
    assert told.endswith("ActualCost-0001.csv can be read: its first 2 lines are charges in USD")
    assert SIGNATURE not in told
    assert reports.asked == [{"metric": "ActualCost"}]  # which month it is Azure's own clock says
    assert [request.path for request in reports.server.requests].count("/blob/ActualCost.csv") == 1


def test_a_check_says_what_is_wrong_with_a_report_s_lines(reports: Reports) -> None:
    reports.server.route(EXPORTS, NO_EXPORTS)
    reports.completes("ActualCost", csv_of(line(BillingCurrency="EUR")))
    with pytest.raises(SourceError, match="none of its lines can be staged; line 1: wrong_currency"):
        checked(reports)


def test_a_check_does_not_wait_for_a_large_report_nor_take_a_young_month_for_an_error(reports: Reports) -> None:
    reports.server.route(EXPORTS, NO_EXPORTS)
    waits = Answer(b"", 202, {"Location": f"{reports.server.url}{reports.path}/ActualCost", "Retry-After": "45"})
    reports.server.route(f"{reports.path}/ActualCost", waits)
    assert "was not ready within 120 seconds: the first night waits for it" in checked(reports)
    assert sum(reports.clock.slept) <= 120
    reports.ends("ActualCost", status="NoDataFound")
    assert checked(reports).endswith("Azure has no data of this month yet")


def test_a_check_does_not_wait_for_a_slow_download_nor_calls_a_silent_azure_a_delivery(reports: Reports) -> None:
    reports.server.route(EXPORTS, NO_EXPORTS)
    content = csv_of(line())
    reports.completes("ActualCost", content)
    serve = parts_of(content)

    def slowly(request: Request) -> Answer:
        reports.clock.sleep(121)
        return serve(request)

    reports.server.route("/blob/ActualCost.csv", slowly)
    assert checked(reports).endswith("ActualCost-0001.csv did not come within 120 seconds: the first night reads it")
    again = Answer(b"{}", 429, {"Retry-After": "125"})
    reports.server.route(EXPORTS, again)
    with pytest.raises(SourceError, match="Azure did not answer within 120 seconds; check again later"):
        checked(reports)


@pytest.mark.parametrize("path", [EXPORTS, f"{SCOPE}/providers/Microsoft.CostManagement/generateCostDetailsReport"])
def test_a_check_tells_each_right_that_is_missing(reports: Reports, path: str) -> None:
    """One to read costs, one to have reports made: an application may have the first alone."""
    reports.server.route(EXPORTS, NO_EXPORTS)
    reports.server.route(path, REFUSED)
    with pytest.raises(AuthenticationError, match=r"not allowed \(HTTP 403\).*Cost Management Reader"):
        checked(reports)


def blob(server: FaultyServer, clock: Clock, part_bytes: int, announced: int | None = None) -> bytes:
    """The blob's bytes, read in parts."""
    pace = Pace(sleep=clock.sleep, monotonic=clock.monotonic)
    link = f"{server.url}/blob?sig={SIGNATURE}"
    with SignedBlob("ActualCost-0001.csv", link, announced, pace, part_bytes).open() as stream:
        found = stream.read()
    assert all(request.query == {"sig": [SIGNATURE]} for request in server.requests)
    return found


@pytest.mark.parametrize("announced", [None, 25])
def test_a_blob_is_read_part_by_part(server: FaultyServer, clock: Clock, announced: int | None) -> None:
    content = bytes(range(25))
    server.route("/blob", parts_of(content))
    assert blob(server, clock, 10, announced) == content
    assert [request.headers["Range"] for request in server.requests] == ["bytes=0-9", "bytes=10-19", "bytes=20-29"]


def test_a_part_that_breaks_off_is_asked_for_again_and_no_other(server: FaultyServer, clock: Clock) -> None:
    content = bytes(range(25))
    server.route("/blob", parts_of(content))
    server.inject(lambda good: good, cut_in_half)
    assert blob(server, clock, 10) == content
    asked = [request.headers["Range"] for request in server.requests]
    assert asked == ["bytes=0-9", "bytes=10-19", "bytes=10-19", "bytes=20-29"]


def test_a_blob_that_changes_while_it_is_read_is_no_delivery(server: FaultyServer, clock: Clock) -> None:
    server.route("/blob", parts_of(bytes(25), ("v1", "v2")))
    with pytest.raises(IncompleteDeliveryError, match="changed while it was read"):
        blob(server, clock, 10)


def test_a_blob_that_comes_too_slowly_is_left_and_its_link_is_not_told(server: FaultyServer, clock: Clock) -> None:
    given = parts_of(bytes(1000))

    def slow(request: Request) -> Answer:
        clock.sleep(100)
        return given(request)

    server.route("/blob", slow)
    with pytest.raises(SourceError, match="longer than 120 minutes") as failure:
        blob(server, clock, 1)
    assert SIGNATURE not in str(failure.value)


@pytest.mark.parametrize("seconds", [100, 101])
def test_a_last_part_that_comes_after_the_deadline_is_too_late(
    server: FaultyServer, clock: Clock, seconds: int
) -> None:
    given = parts_of(bytes(10))

    def slow(request: Request) -> Answer:
        clock.sleep(seconds)
        return given(request)

    server.route("/blob", slow)
    pace, deadline = Pace(sleep=clock.sleep, monotonic=clock.monotonic), begin_delivery(clock.monotonic, 100)
    with SignedBlob("part.csv", f"{server.url}/blob", 10, pace, 10, deadline).open() as stream:
        if seconds == 100:
            assert stream.read() == bytes(10)
            return
        with pytest.raises(DeadlineError, match=r"part\.csv: the delivery took longer"):
            stream.read()
