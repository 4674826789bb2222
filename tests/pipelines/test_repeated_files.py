"""A copied file of a bill counts once, and is told for as long as it lies there."""

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.house import open_house
from pipelines.lake import Delivery
from pipelines.night.stage import notices, stage
from tests.pipelines.small_company import line, write_bill

CONFIG = """\
company: Small
lake: lake
sources:
  - {name: bill, kind: focus, account: main, location: bills}
teams:
  - {id: search, name: Search}
"""
TRAIN, SERVE = line(ResourceId="train", BilledCost="7.25"), line(ResourceId="serve", BilledCost="-0.25")
EIGHT = [line(ResourceId=f"node-{number}", BilledCost="1") for number in range(8)]
COPY = "'2026-10/copy.csv' repeats '2026-10/bill.csv' line for line and is not counted"


@pytest.fixture
def bills(tmp_path: Path) -> Path:
    (tmp_path / "farthing.yml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "bills"


def delivered(bills: Path) -> tuple[Delivery, str]:
    """One night's delivery of October, and what is told of it."""
    with open_house(bills.parent / "farthing.yml", "run-1") as house:
        (delivery,) = stage(house, "focus", date(2026, 10, 20), date(2026, 10, 20))[-1:]
    return delivery, "\n".join(notices([delivery]))


def test_a_file_with_another_one_s_lines_in_another_order_is_counted_once(bills: Path) -> None:
    write_bill(bills, [TRAIN, TRAIN, SERVE])
    write_bill(bills, [SERVE, TRAIN, TRAIN], name="copy.csv")
    delivery, told = delivered(bills)
    assert (delivery.row_count, delivery.total_cost) == (3, Decimal("14.25"))
    assert COPY in told
    assert delivery.repeated is not None
    assert COPY in delivery.repeated


def test_a_file_packed_again_beside_itself_in_another_folder_is_counted_once(bills: Path) -> None:
    original = write_bill(bills, [TRAIN, SERVE])
    (original.parent / "again").mkdir()
    (original.parent / "again" / "bill.csv.gz").write_bytes(gzip.compress(original.read_bytes(), mtime=0))
    delivery, told = delivered(bills)
    assert (delivery.row_count, delivery.total_cost) == (2, Decimal(7))
    assert "'2026-10/bill.csv' repeats '2026-10/again/bill.csv.gz' line for line" in told


def test_an_earlier_state_of_the_month_beside_the_later_one_is_counted_once(bills: Path) -> None:
    write_bill(bills, [*EIGHT, TRAIN])
    write_bill(bills, EIGHT, name="copy.csv")
    delivery, told = delivered(bills)
    assert (delivery.row_count, delivery.total_cost) == (9, Decimal("15.25"))
    assert COPY in told


def test_few_lines_that_a_larger_file_has_too_may_be_charges_of_their_own(bills: Path) -> None:
    write_bill(bills, [*EIGHT, TRAIN])
    write_bill(bills, EIGHT[:7], name="copy.csv")
    delivery, told = delivered(bills)
    assert (delivery.row_count, delivery.total_cost) == (16, Decimal("22.25"))
    assert "7 lines stand word for word in another file too" in told
    assert "billed 7.00: counted in each" in told


@pytest.mark.parametrize("own", [SERVE, line(ResourceId="idle", BilledCost="0", EffectiveCost="0"), EIGHT[0]])
def test_a_file_that_has_a_line_of_its_own_or_one_more_often_is_no_copy(bills: Path, own: dict[str, str]) -> None:
    write_bill(bills, [*EIGHT, TRAIN])
    write_bill(bills, [*EIGHT, own], name="copy.csv")
    delivery, _ = delivered(bills)
    assert delivery.row_count == 18


@pytest.mark.parametrize(("refused", "counted"), [("five", (8, 1)), ("six", (16, 2))])
def test_a_copy_s_refused_lines_count_once_too_and_another_refusal_makes_it_no_copy(
    bills: Path, refused: str, counted: tuple[int, int]
) -> None:
    write_bill(bills, [*EIGHT, line(ResourceId="node-9", BilledCost="five")])
    write_bill(bills, [line(ResourceId="node-9", BilledCost=refused), *EIGHT], name="copy.csv")
    delivery, _ = delivered(bills)
    assert (delivery.row_count, delivery.reject_count) == counted


def test_of_three_equal_files_one_counts(bills: Path) -> None:
    for name, lines in (("a.csv", [TRAIN, SERVE]), ("b.csv", [SERVE, TRAIN]), ("c.csv", [TRAIN, SERVE])):
        write_bill(bills, lines, name=name)
    delivery, told = delivered(bills)
    assert (delivery.row_count, delivery.total_cost) == (2, Decimal(7))
    assert "'2026-10/b.csv' repeats '2026-10/a.csv' line for line" in told
    assert "'2026-10/c.csv' repeats '2026-10/a.csv' byte for byte" in told


@pytest.mark.parametrize("name", ["bill (1).csv", "zz.csv"])
def test_a_copy_is_told_every_night_while_it_lies_there_and_never_after(bills: Path, name: str) -> None:
    """The copy comes on the second night and goes before the fourth; the money never moves."""
    original = write_bill(bills, [TRAIN, SERVE])
    copy = original.with_name(name)
    nights: list[tuple[Delivery, str]] = []
    for later in range(4):
        if later == 1:
            copy.write_bytes(original.read_bytes())
        if later == 3:
            copy.unlink()
        nights.append(delivered(bills))
    assert ["byte for byte" in told for _, told in nights] == [False, True, True, False]
    assert [delivery.repeated is not None for delivery, _ in nights] == [False, True, True, False]
    assert [delivery.status for delivery, _ in nights] == ["committed", "committed", "unchanged", "committed"]
    assert {delivery.total_cost for delivery, _ in nights} == {Decimal(7)}


def test_single_lines_that_stand_in_two_files_are_told_on_later_nights_too(bills: Path) -> None:
    write_bill(bills, [TRAIN])
    write_bill(bills, [TRAIN, SERVE], name="copy.csv")
    nights = [delivered(bills) for _ in range(2)]
    assert [delivery.status for delivery, _ in nights] == ["committed", "unchanged"]
    assert [told.count("1 line stands word for word in another file too") for _, told in nights] == [1, 1]


def test_a_manifest_s_files_of_equal_bytes_are_counted_once_and_nobody_is_told_to_take_one_away(bills: Path) -> None:
    original = write_bill(bills, [TRAIN])
    original.with_name("part-2.csv").write_bytes(original.read_bytes())
    original.with_name("manifest.json").write_text('{"files": ["bill.csv", "part-2.csv"]}', encoding="utf-8")
    delivery, told = delivered(bills)
    assert (delivery.row_count, delivery.repeated) == (1, None)
    assert "'2026-10/part-2.csv' came more than once and was counted once" in told
