"""Lines that a delivery has more than once, where the provider gives each line a key of its own.

Here belongs: counting keys, and what is said or refused for it. Here does not belong: what makes a key (the shapes).
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa

from connectors.base import IncompleteDeliveryError, LandedPage
from connectors.bills.engine import engine
from connectors.bills.files import Lines, open_lines
from connectors.bills.statement import Statement

FEW_LINES = 8  # of a file of fewer, nobody can tell that it repeats another


def repeated_keys(pages: Sequence[LandedPage], keys: Sequence[Sequence[pa.ChunkedArray]]) -> pa.Table | None:
    """(key, count, file) of what stands there more than once, `file` by its number; None where nothing does.

    `keys` are those of each file's lines, 64 bits each: of so many lines as bills have, two different ones hardly ever
    have the same.

    Raises IncompleteDeliveryError where all lines of a file stand in the delivery more than once: nothing of it can be
    counted then.
    """
    if not _has_repeated([chunk for of in keys for chunk in of]):
        return None
    files = [pa.table({"key": chunk, "file": pa.repeat(n, len(chunk))}) for n, of in enumerate(keys) for chunk in of]
    with engine() as counting:
        counting.register("keys", pa.concat_tables(files))
        counting.execute(
            "create temp table repeated as select key, count(*) as times, min(file) as file from keys "
            "where key is not null group by key having count(*) > 1"
        )
        whole = counting.execute(
            "select keys.file, count(*) from keys left join repeated on keys.key = repeated.key group by keys.file "
            "having count(*) >= ? and count(*) = count(times) order by keys.file",
            [FEW_LINES],
        ).fetchall()
        if whole:
            raise _whole_file(pages, [(pages[n].name, lines) for n, lines in whole])
        return counting.sql("select key, times, file from repeated").to_arrow_table()


def _has_repeated(keys: Sequence[pa.ChunkedArray]) -> bool:
    """Whether any key stands there twice: hardly ever, so that sorting them is all that most deliveries need."""
    if not keys:
        return False
    known = np.sort(np.concatenate([chunk.drop_null().to_numpy() for chunk in keys]))
    return bool(np.any(known[1:] == known[:-1]))


def _whole_file(pages: Sequence[LandedPage], found: Sequence[tuple[str, int]]) -> IncompleteDeliveryError:
    named = ", ".join(f"{name} ({lines:,} lines)" for name, lines in found[:3])
    return IncompleteDeliveryError(
        f"every line of {len(found)} of {len(pages)} files stands in the delivery more than once, by the id that the "
        f"bill gives each line: {named}; counted, its money would count twice. Take away the file that holds what "
        "another does, or have the month exported again"
    )


def repeats_told(
    pages: Sequence[LandedPage], repeated: pa.Table | None, statement: Callable[[Lines], Statement]
) -> tuple[str, ...]:
    """What to tell of lines that came again: how many, and of what billed cost. They are counted."""
    if repeated is None:
        return ()
    surplus, cost = 0, Decimal(0)
    for number, page in enumerate(pages):
        with open_lines(page) as lines:
            lines.connection.register("repeated_keys", repeated)
            found = lines.connection.execute(
                "select times, count(*), sum(cost) from (select times, key, any_value(_cost) as cost "
                f"from ({statement(lines).keyed()}) join repeated_keys on key = _key where file = ? group by all) "
                "group by times",
                [number],
            ).fetchall()
        surplus += sum((times - 1) * count for times, count, _ in found)
        cost += sum(((times - 1) * (billed or Decimal(0)) for times, _, billed in found), Decimal(0))
    told = (
        f"{surplus:,} lines came again under the id of another with the same interval, quantity and cost, billed "
        f"{cost.normalize():f}: they are counted; if they are one charge, have the month exported again"
    )
    return (told,)
