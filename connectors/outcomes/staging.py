"""Landed pages of outcomes as rows of the fact: the same for files and for databases."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

from connectors.base import LandedPage, Parsed, Reject, Window
from connectors.logs.attempt import RowError, json_text
from connectors.logs.landed import lines_of, record_of, reject_of
from connectors.logs.small_days import require_inside, table_of
from connectors.logs.withheld import take_out_withheld
from connectors.logs.wording import in_own_words
from connectors.outcomes.reading import ESSENTIAL, THERE, forms, staged_outcome
from connectors.outcomes.settings import Mapped


def stage(settings: Mapped, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
    """Rows of `outcomes`, in one chunk: a day of outcomes is small.

    Rows that say the very same are one; two events of one outcome id are two rows, and what they mean together is
    decided where outcomes are counted. Raises IncompleteDeliveryError for a page that ends in the middle of a row.
    """
    rows, rejects, expected = list[dict[str, Any]](), list[Reject](), forms(settings)
    unknown, seen, repeated = set[str](), set[bytes](), 0
    for page in sorted(pages, key=lambda page: page.digest):
        for number, line in lines_of(page):
            try:
                record = record_of(line)
                refused = take_out_withheld(record, ESSENTIAL, expected)
                row = staged_outcome(settings, record)
                require_inside(window, row["occurred_at"], "occurred_at")
            except RowError as refusal:
                rejects.append(reject_of(page.page_id, number, line, _own(settings, refusal), None))
                continue
            said = blake2b(json_text(row).encode(), digest_size=16).digest()
            if said in seen:
                repeated += 1
                continue
            seen.add(said)
            unknown |= record.keys() - set(settings.fields)
            rejects += [reject_of(page.page_id, number, line, _own(settings, lost), None) for lost in refused]
            rows.append(row | {"x_page": page.page_id, "x_row": number})
    told = tuple(f"field {name} is not known; it is kept in x_extra" for name in sorted(unknown))
    yield Parsed(table_of("outcomes", settings, window, rows), tuple(rejects), repeated, notices=told)


def _own(settings: Mapped, refusal: RowError) -> RowError:
    return in_own_words(refusal, settings.fields, THERE)
