"""A page that a check reads more than once is fetched once."""

from io import BytesIO
from typing import BinaryIO

from connectors.base import Page
from connectors.bills.files import open_lines, spooled
from connectors.bills.look import unlanded


class _Counted:
    count = 0

    def open(self) -> BinaryIO:
        self.count += 1
        return BytesIO(b"Cost\n1\n2\n")


def test_a_page_is_fetched_once_however_often_it_is_read() -> None:
    body = _Counted()
    with spooled(Page("part.csv", body)) as page:
        for _ in range(2):
            with open_lines(unlanded(page)) as lines:
                assert lines.connection.sql("select count(*) from lines").fetchall() == [(2,)]
    assert body.count == 1
