"""Saved pages come in their order and whole, or not at all; from a folder as from a bucket."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.saved_answers import probe_saved, saved_pages, window_name
from connectors.windows import day_window, month_window
from tests.moto_s3 import ObjectStore, object_store

DAY, MONTH = day_window(date(2026, 9, 3)), month_window(date(2026, 9, 3))
BUCKET = "answers"


class Place:
    """A location that files can be put into."""

    def __init__(self, location: str, options: dict[str, str], put: Callable[[str, bytes], None]) -> None:
        self.location, self.options, self.put = location, options, put

    def read(self, window: object, endpoints: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        found = []
        for page in saved_pages(self.location, self.options, window, endpoints, optional):  # type: ignore[arg-type]
            with page.body.open() as stream:
                found.append((page.name, stream.read().decode()))
        return found


@pytest.fixture(scope="module")
def s3() -> Iterator[ObjectStore]:
    with object_store(BUCKET) as store:
        yield store


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":

        def write(path: str, content: bytes) -> None:
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

        return Place(str(tmp_path), {}, write)
    store = request.getfixturevalue("s3")
    prefix = request.node.name

    def upload(path: str, content: bytes) -> None:
        store.client.put_object(Bucket=BUCKET, Key=f"{prefix}/{path}", Body=content)

    return Place(f"s3://{BUCKET}/{prefix}", store.options, upload)


def test_pages_come_in_the_order_of_their_numbers_endpoint_by_endpoint(place: Place) -> None:
    for number in (10, 9, 2, 1, 3, 4, 5, 6, 7, 8):
        place.put(f"2026-09-03/usage/messages/page-{number}.json", str(number).encode())
    place.put("2026-09-03/totals/page-1.json", b"total")
    place.put("2026-09-03/usage/messages/deeper/page-11.json", b"elsewhere")
    place.put("2026-09-03/usage/_SUCCESS", b"")
    place.put("2026-09-04/usage/messages/page-1.json", b"tomorrow")
    found = place.read(DAY, ("usage/messages",), ("totals", "extras"))
    assert [content for _, content in found] == [*"123456789", "10", "total"]
    assert found[0][0] == "2026-09-03/usage/messages/page-1.json"


def test_a_month_and_a_day_have_folders_of_their_own(place: Place) -> None:
    place.put("2026-09/costs/page-01.json", b"month")
    place.put("2026-09-03/costs/page-1.json", b"day")
    assert (window_name(MONTH), window_name(DAY)) == ("2026-09", "2026-09-03")
    assert place.read(MONTH, ("costs",)) == [("2026-09/costs/page-01.json", "month")]
    assert place.read(DAY, ("costs",)) == [("2026-09-03/costs/page-1.json", "day")]


@pytest.mark.parametrize("numbers", [(2,), (1, 3), (0,)])
def test_a_gap_in_the_numbers_is_an_incomplete_delivery(place: Place, numbers: tuple[int, ...]) -> None:
    for number in numbers:
        place.put(f"2026-09/costs/page-{number}.json", b"{}")
    with pytest.raises(IncompleteDeliveryError, match="count from 1"):
        place.read(MONTH, ("costs",))


def test_one_page_under_two_names_is_an_incomplete_delivery(place: Place) -> None:
    place.put("2026-09/costs/page-1.json", b"{}")
    place.put("2026-09/costs/page-01.json", b"{}")
    with pytest.raises(IncompleteDeliveryError, match="are the same page"):
        place.read(MONTH, ("costs",))


def test_a_file_of_another_name_is_not_passed_over(place: Place) -> None:
    place.put("2026-09/costs/page-1.json", b"{}")
    place.put("2026-09/costs/page-2.json.tmp", b"{}")
    with pytest.raises(SourceError, match=r"page-2\.json\.tmp is no page"):
        place.read(MONTH, ("costs",))


def test_an_endpoint_without_pages_beside_others_is_an_incomplete_delivery(place: Place) -> None:
    place.put("2026-09/costs/page-1.json", b"{}")
    with pytest.raises(IncompleteDeliveryError, match="no page of usage"):
        place.read(MONTH, ("costs", "usage"))


def test_a_window_without_answers_is_unknown_but_before_the_first_there_was_nothing(place: Place) -> None:
    place.put("2026-08/costs/page-1.json", b"{}")
    with pytest.raises(SourceError, match=r"expected 2026-09/costs/page-1\.json"):
        place.read(MONTH, ("costs",))
    assert place.read(month_window(date(2026, 7, 1)), ("costs",)) == []
    with pytest.raises(SourceError, match="not zero"):
        place.read(DAY, ("costs",))  # months say nothing of days


def test_the_probe_counts_windows_and_misses_them_where_there_are_none(place: Place) -> None:
    with pytest.raises(SourceError, match="no saved answer"):
        probe_saved(place.location, place.options, ("costs",), monthly=True)
    for window in ("2026-08", "2026-09", "2026-09-03"):
        place.put(f"{window}/costs/page-1.json", b"{}")
    line = probe_saved(place.location, place.options, ("costs",), monthly=True)
    assert line.endswith("answers of 2 months, 2026-08 to 2026-09")
    assert probe_saved(place.location, place.options, ("costs",), monthly=False).endswith(
        "1 days, 2026-09-03 to 2026-09-03"
    )
