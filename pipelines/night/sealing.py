"""The chargeback of locked months: it says that they are locked, and nothing else of it changes any more."""

from datetime import date

import pyarrow as pa

from contracts import contract
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.night.build import SLICE_SOURCE, Built, build
from pipelines.night.closings import locked_months
from pipelines.night.stale import HALF, content_fingerprint

CHARGED = "chargeback"
LOCKED = "locked"
_SEALED = LOCKED.ljust(HALF, "-")  # in place of what a slice was built from


def build_chargeback(house: House, first: date, last: date) -> Built:
    """The months of a run that are not locked, and what a closing that was cut short left to say."""
    seal(house)
    return build(house, contract(CHARGED), first, last)


def seal(house: House) -> None:
    """Writes into the chargeback of every locked month that it is: the amounts stay what they were."""
    locked = locked_months(house)
    for piece in house.lake.slices(CHARGED) if locked else ():
        if piece.slice_date not in locked or piece.fingerprint[:HALF] == _SEALED:
            continue
        rows = house.lake.read(CHARGED, piece.slice_date, next_month(piece.slice_date))
        place = rows.schema.get_field_index("period_state")
        states = pa.array([LOCKED] * rows.num_rows, pa.string())
        sealed = rows.set_column(place, rows.schema.field(place), states)
        fingerprint = _SEALED + content_fingerprint(sealed)
        house.lake.replace_slice(CHARGED, piece.slice_date, SLICE_SOURCE, sealed, fingerprint)
