"""What a source delivers is taken in whole or not at all, and every attempt is recorded with its outcome."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.base import AuthenticationError, IncompleteDeliveryError, SourceError, SourceSettings
from pipelines.lake import Delivery, Lake
from tests.lake.fakes import FakeSource, Place, day_window, everywhere

Pull = Callable[..., Delivery]
DAY, NEXT = date(2026, 10, 1), date(2026, 10, 2)
BILL = FakeSource([("bill.json", [{"cost": "1.50"}, {"cost": "-0.25"}, {"cost": "0.000000000001"}])])
TOTAL = Decimal("1.250000000001")


def costs(lake: Lake) -> list[Decimal]:
    return lake.read("charges")["billed_cost"].to_pylist()


@everywhere
def test_a_delivery_becomes_a_slice_and_an_entry_in_the_journal(lake: Lake, pull: Pull) -> None:
    delivery = pull(BILL)
    assert (delivery.status, delivery.row_count, delivery.total_cost) == ("committed", 3, TOTAL)
    assert costs(lake) == [Decimal("1.5"), Decimal("-0.25"), Decimal("0.000000000001")]
    [piece] = lake.slices("charges")
    assert (piece.slice_date, piece.slice_source, piece.row_count) == (DAY, "aws-main", 3)
    assert piece.fingerprint == delivery.delivery_id
    assert len(piece.fingerprint) == 64
    assert lake.read("deliveries").to_pylist() == [asdict(delivery)]


@everywhere
def test_the_same_delivery_again_changes_nothing_but_the_journal(lake: Lake, pull: Pull) -> None:
    first = pull(BILL)
    version = lake.versions()["charges"]
    again = pull(FakeSource([("renamed.json", BILL.pages[0][1])]))
    assert again.status == "unchanged"
    assert (again.delivery_id, again.row_count, again.total_cost) == (first.delivery_id, 3, TOTAL)
    assert lake.versions()["charges"] == version
    assert lake.read("deliveries")["status"].to_pylist() == ["committed", "unchanged"]
    assert len(set(lake.read("deliveries")["attempt_id"].to_pylist())) == 2


def test_pages_in_another_order_are_the_same_delivery(pull: Pull) -> None:
    pages = [("a", [{"cost": "1"}]), ("b", [{"cost": "2"}])]
    first = pull(FakeSource(pages))
    assert pull(FakeSource(pages[::-1])).delivery_id == first.delivery_id


def test_a_page_that_comes_twice_is_counted_once_and_said(lake: Lake, pull: Pull) -> None:
    delivery = pull(FakeSource([("a", [{"cost": "1"}]), ("again", [{"cost": "1"}])]))
    assert costs(lake) == [Decimal(1)]
    assert delivery.message is not None
    assert "'again' repeats 'a' byte for byte and is not counted: take one" in delivery.message


@everywhere
def test_a_restated_delivery_replaces_its_slice_and_no_other(lake: Lake, pull: Pull) -> None:
    pull(BILL)
    pull(FakeSource([("n", [{"cost": "7"}])]), NEXT)
    restated = pull(FakeSource([("bill.json", [{"cost": "2"}])]))
    assert (restated.status, restated.total_cost, restated.previous_total_cost) == ("committed", Decimal(2), TOTAL)
    assert (restated.total_effective_cost, restated.previous_total_effective_cost) == (Decimal(2), TOTAL)
    assert costs(lake) == [Decimal(2), Decimal(7)]
    assert [piece.row_count for piece in lake.slices("charges")] == [1, 1]


@everywhere
def test_a_bill_whose_files_alone_were_written_anew_says_that_no_line_changed(lake: Lake, pull: Pull) -> None:
    # a second line moves into a file of its own, the third is given the cost of the first, and takes it back
    lines = [{"cost": "1.50"}, {"cost": "-0.25"}, {"cost": "0.75"}]
    assert pull(FakeSource([("a", lines)])).lines_changed is None
    moved = pull(FakeSource([("a", lines[::2]), ("b", lines[1:2])]))
    assert (moved.status, moved.lines_changed, moved.previous_total_cost) == ("committed", False, Decimal(2))
    assert sorted(lake.read("charges")["x_row"].to_pylist()) == [1, 1, 2]  # the lines lead to the files that are there
    swapped = [{"cost": "1.25"}, {"cost": "0.00"}, {"cost": "0.75"}]
    assert pull(FakeSource([("a", swapped)])).lines_changed is True  # other lines of the same sum
    assert pull(FakeSource([("a", lines[:2])])).lines_changed is True


def test_what_a_source_cannot_tell_is_kept_for_as_long_as_its_delivery_stands(pull: Pull) -> None:
    pages = [("a", [{"cost": "1"}]), ("b", [{"cost": "2"}])]
    first = pull(FakeSource(pages, not_covered=("a tier that the report leaves out",)))
    assert (first.not_covered, first.message) == ("a tier that the report leaves out",) * 2
    again = pull(FakeSource(pages, not_covered=("a tier that the report leaves out",)))
    assert (again.status, again.not_covered) == ("unchanged", "a tier that the report leaves out")
    assert pull(FakeSource([("a", [{"cost": "3"}])])).not_covered is None


@everywhere
def test_what_a_source_delivered_before_a_restatement_can_still_be_read(lake: Lake, pull: Pull) -> None:
    pull(BILL)
    before = lake.versions()["charges"]
    pull(FakeSource([("bill.json", [{"cost": "2"}])]))
    assert lake.read_at("charges", before)["billed_cost"].to_pylist()[0] == Decimal("1.5")


@everywhere
def test_landed_bytes_are_what_the_source_sent(place: Place, pull: Pull) -> None:
    pull(BILL)
    lake = place.open()
    page = lake.read("charges")["x_page"][0].as_py()
    folder = "landing/aws-main/1234/20261001T000000-20261002T000000"
    body = b'{"cost": "1.50"}\n{"cost": "-0.25"}\n{"cost": "0.000000000001"}'
    import hashlib

    digest = hashlib.sha256(body).hexdigest()
    assert page == digest[:16]
    with lake.root.open(f"{folder}/{digest}") as stream:
        assert stream.read() == body


@everywhere
def test_refused_rows_keep_their_payload_and_reason_and_go_when_the_slice_is_restated(lake: Lake, pull: Pull) -> None:
    delivery = pull(FakeSource([("b", [{"cost": "1"}, {"cost": "5", "refuse": "bad_cost"}, {"refuse": "no_cost"}])]))
    assert (delivery.status, delivery.row_count, delivery.reject_count) == ("committed", 1, 2)
    assert delivery.rejected_cost is None  # one of them has no readable cost: five would be a part of it
    rejects = lake.read("rejects").to_pylist()
    assert [(r["reason"], r["x_row"], r["cost"], r["payload"]) for r in rejects] == [
        ("bad_cost", 2, Decimal(5), '{"cost": "5", "refuse": "bad_cost"}'),
        ("no_cost", 3, None, '{"refuse": "no_cost"}'),
    ]
    pull(FakeSource([("b", [{"cost": "6"}])]))
    assert lake.read("rejects").num_rows == 0


def test_money_of_refused_rows_in_another_currency_is_kept_and_told_and_no_part_of_a_sum(
    lake: Lake, pull: Pull
) -> None:
    euros = [{"cost": cost, "currency": "EUR", "refuse": "wrong_currency"} for cost in ("5.25", "2")]
    delivery = pull(FakeSource([("b", [{"cost": "1"}, {"cost": "3", "refuse": "bad"}, *euros])]))
    assert (delivery.total_cost, delivery.rejected_cost) == (Decimal(1), None)
    assert (delivery.message or "").endswith("refused in other currencies: EUR 7.25")
    rejects = lake.read("rejects").to_pylist()
    assert [(r["cost"], r["currency"]) for r in rejects] == [
        (Decimal(3), None),
        (Decimal("5.25"), "EUR"),
        (Decimal(2), "EUR"),
    ]


@everywhere
def test_nothing_where_there_were_rows_is_refused_until_it_is_confirmed(lake: Lake, pull: Pull) -> None:
    pull(BILL)
    refused = pull(FakeSource())
    assert refused.status == "suspicious_empty"
    assert "--confirm aws-main" in (refused.message or "")
    assert len(costs(lake)) == 3
    confirmed = pull(FakeSource(), confirmed=True)
    assert (confirmed.status, confirmed.previous_total_cost) == ("empty", TOTAL)
    assert costs(lake) == []
    assert [piece.row_count for piece in lake.slices("charges")] == [0]
    assert pull(FakeSource()).status == "unchanged"


def test_nothing_after_a_day_with_rows_is_refused_and_after_an_empty_day_it_is_not(lake: Lake, pull: Pull) -> None:
    pull(BILL, DAY)
    assert pull(FakeSource(), NEXT).status == "suspicious_empty"
    assert pull(FakeSource(), NEXT, confirmed=True).status == "empty"
    assert pull(FakeSource(), date(2026, 10, 3)).status == "empty"
    assert [piece.row_count for piece in lake.slices("charges")] == [3, 0, 0]


def test_a_first_delivery_may_be_empty(pull: Pull) -> None:
    assert pull(FakeSource()).status == "empty"
    assert pull(FakeSource([("page", [])]), NEXT).status == "empty"


def test_a_bill_that_does_not_sum_to_its_stated_total_leaves_the_slice_before_in_place(lake: Lake, pull: Pull) -> None:
    pull(BILL)
    short = FakeSource([("b", [{"cost": "10.10"}, {"cost": "1", "refuse": "bad"}])], stated_cost=Decimal("12.10"))
    delivery = pull(short)
    assert delivery.status == "incomplete"
    assert "12.10" in (delivery.message or "")
    assert "11.10" in (delivery.message or "")
    assert delivery.stated_cost == Decimal("12.10")
    assert len(costs(lake)) == 3
    assert lake.read("rejects").num_rows == 0
    short.stated_cost = Decimal("11.10")
    assert pull(short).status == "committed"


def test_answers_that_stop_before_an_ended_window_does_are_incomplete(
    place: Place, lake: Lake, settings: SourceSettings
) -> None:
    short = FakeSource([("b", [{"cost": "1"}])], reaches=datetime(2026, 10, 1, 20))
    place.clock.now = datetime(2026, 10, 1, 21)
    assert lake.ingest(short, settings, day_window(DAY), "run").status == "committed"  # the day was not over
    place.clock.now = datetime(2026, 10, 2, 3)
    refused = lake.ingest(short, settings, day_window(DAY), "run")
    assert refused.status == "incomplete"
    assert "the answers go to 2026-10-01 20:00 UTC, and what was asked for to 2026-10-02 00:00" in (
        refused.message or ""
    )
    short.reaches = datetime(2026, 10, 2)
    assert lake.ingest(short, settings, day_window(DAY), "run").status == "committed"


@pytest.mark.parametrize(
    ("stated", "status"), [(3, "committed"), (4, "committed"), (5, "incomplete"), (2, "incomplete")]
)
def test_stated_rows_count_refused_and_repeated_ones(pull: Pull, stated: int, status: str) -> None:
    lines = [{"cost": "1"}, {"cost": "2"}, {"cost": "1", "refuse": "bad"}]
    delivery = pull(FakeSource([("b", lines)], stated_rows=stated, duplicate_count=1))
    assert delivery.status == status
    assert status == "committed" or f"states {stated} rows, 3 came" in (delivery.message or "")


def test_a_delivery_of_which_every_row_is_refused_does_not_replace_rows(lake: Lake, pull: Pull) -> None:
    pull(BILL)
    delivery = pull(FakeSource([("b", [{"cost": "1", "refuse": "column_gone"}])]))
    assert delivery.status == "incomplete"
    assert "column_gone" in (delivery.message or "")
    assert len(costs(lake)) == 3


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SourceError("the store is away"), "failed"),
        (AuthenticationError("the key was refused"), "failed"),
        (IncompleteDeliveryError("part 2 of 3 is missing"), "incomplete"),
    ],
)
@pytest.mark.parametrize("stage", ["fail_fetch", "fail_parse"])
def test_a_source_that_cannot_deliver_leaves_the_slice_and_its_own_words(
    lake: Lake, pull: Pull, stage: str, error: Exception, status: str
) -> None:
    pull(BILL)
    broken: Any = FakeSource([("b", [{"cost": "9"}])])
    setattr(broken, stage, error)
    delivery = pull(broken)
    assert (delivery.status, delivery.message) == (status, str(error))
    assert len(costs(lake)) == 3
    assert lake.read("deliveries")["status"].to_pylist() == ["committed", status]


@pytest.mark.parametrize("stage", ["fail_fetch", "fail_parse"])
def test_a_connector_that_explodes_fails_its_delivery_only_and_tells_no_secret(lake: Lake, stage: str) -> None:
    class Keyed(SourceSettings):
        api_key: SecretStr
        options: dict[str, str]

    keyed = Keyed(
        name="openai", kind="fake", api_key=SecretStr("sk-canary"), options={"aws_secret_access_key": "canary-2"}
    )
    broken: Any = FakeSource([("b", [{"cost": "9"}])])
    setattr(broken, stage, KeyError("GET https://host/v1?key=canary-3 with sk-canary and canary-2\nmore"))
    delivery = lake.ingest(broken, keyed, day_window(DAY), "run-1")
    assert delivery.status == "failed"
    message = delivery.message or ""
    assert "KeyError" in message
    assert "fakes.py" in message
    assert "canary" not in message
    assert lake.read("charges").num_rows == 0


def test_rows_that_belong_to_another_source_are_refused_as_a_whole(lake: Lake, pull: Pull) -> None:
    delivery = pull(FakeSource([("b", [{"cost": "9"}])], row_source="someone-else"))
    assert delivery.status == "failed"
    assert "someone-else" in (delivery.message or "")
    assert lake.slices("charges") == []


def test_rows_that_break_the_contract_fail_the_delivery(pull: Pull) -> None:
    class Loose(FakeSource):
        def parse(self, settings: Any, window: Any, pages: Any) -> Any:
            for chunk in super().parse(settings, window, pages):
                object.__setattr__(chunk, "rows", chunk.rows.drop_columns(["billed_cost"]))
                yield chunk

    delivery = pull(Loose([("b", [{"cost": "9"}])]))
    assert delivery.status == "failed"
    assert "billed_cost" in (delivery.message or "")


def test_an_account_that_is_a_path_does_not_escape(local_place: Place) -> None:
    lake = local_place.open()
    hostile = SourceSettings(name="aws-main", kind="fake", account="../../../etc")
    dots = SourceSettings(name="aws-main", kind="fake", account="..")
    for settings in (hostile, dots):
        assert lake.ingest(BILL, settings, day_window(DAY), "run").status == "committed"
    landing = lake.root.path("landing/aws-main")
    assert sorted(path.name for path in landing.iterdir()) == ["%2E%2E", "..%2F..%2F..%2Fetc"]
    assert sorted(path.name for path in lake.root.path("").iterdir()) == ["landing", "lock.json", "spool", "tables"]


def test_other_settings_read_the_same_bytes_again(lake: Lake, settings: SourceSettings) -> None:
    first = lake.ingest(BILL, settings, day_window(DAY), "run")
    other = settings.model_copy(update={"account": "5678"})
    again = lake.ingest(BILL, other, day_window(DAY), "run")
    assert (first.status, again.status) == ("committed", "committed")
    assert len(costs(lake)) == 3


def test_nothing_is_final_before_its_window_ends_and_the_same_bytes_may_be_after_it(
    place: Place, lake: Lake, settings: SourceSettings
) -> None:
    """A month's only line so far may have its invoice already, as an upfront fee has."""
    bill = FakeSource([("b", [{"cost": "9000"}])], final=True)
    found = list[tuple[str, bool]]()
    for now in (datetime(2026, 10, 1, 23, 59, 59), datetime(2026, 10, 2), datetime(2026, 10, 3)):
        place.clock.now = now
        delivery = lake.ingest(bill, settings, day_window(DAY), "run")
        found.append((delivery.status, delivery.is_final))
    assert found == [("committed", False), ("committed", True), ("unchanged", True)]
    assert costs(lake) == [Decimal(9000)]


def test_what_may_yet_gain_lines_is_final_after_the_last_night_that_pulls_it(
    place: Place, lake: Lake, settings: SourceSettings
) -> None:
    """The night of the 3rd, which runs on the 4th, is the last one that pulls the 1st."""
    bought = FakeSource([("b", [{"cost": "9000"}])], final_once_settled=True, trailing_days=2)
    other = FakeSource([("b", [{"cost": "9000"}])], trailing_days=2)
    found = list[tuple[str, bool]]()
    for day in (2, 3, 4, 5):
        place.clock.now = datetime(2026, 10, day, 5, 30)
        delivery = lake.ingest(bought, settings, day_window(DAY), "run")
        found.append((delivery.status, delivery.is_final))
    assert found == [
        ("committed", False),
        ("unchanged", False),
        ("committed", True),  # read once more, with the same lines
        ("unchanged", True),
    ]
    assert costs(lake) == [Decimal(9000)]
    plain = settings.model_copy(update={"name": "plain"})
    states = [lake.ingest(other, plain, day_window(DAY), "run") for _ in range(2)]
    assert [(state.status, state.is_final) for state in states] == [("committed", False), ("unchanged", False)]


def test_a_slice_is_final_only_when_every_part_says_so(pull: Pull) -> None:
    assert pull(FakeSource([("b", [{"cost": "1"}])], final=True)).is_final
    assert pull(FakeSource([("b", [{"cost": "1"}])], final=True)).is_final  # unchanged: what it was
    assert not pull(FakeSource([("b", [{"cost": "2"}])])).is_final
