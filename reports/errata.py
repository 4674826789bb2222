"""Known errors on bills as a statement tells them: what is wrong, what it changes, who says so and until when.

Here belongs: the table of errata. Here does not belong: whether one is applied (the ledger decides), its amounts.
"""

from collections.abc import Mapping, Sequence

from reports.given import Erratum
from reports.money import format_money
from reports.tables import NO_VALUE, Row, Table
from reports.wording import MONTHS, clean, day_label

NOT_APPLIED: Mapping[str, str] = {
    "unmatched": "Not corrected: no line of the bill is what it names",
    "bill_changed": "Not corrected: the bill has changed since it was reviewed",
    "overlaps": "Not corrected: another entry corrects some of its lines already",
    "expired": "Not corrected: it was to be reviewed again by then",
    "removed": "Withdrawn since, and still in these figures: its month is further back than a night rebuilds",
}
"""Why an erratum changes nothing, or is not meant to any more, by its standing."""
_NOT_POSTED = "Not corrected yet: its month is further back than a night rebuilds"
_LONGEST = 300


def errata_table(errata: Sequence[Erratum]) -> Table | None:
    """The errata that touch these rows, each with what it changes; None where none does."""
    if not errata:
        return None
    rows = tuple(
        Row(
            clean(erratum.reason, _LONGEST),
            (NO_VALUE if erratum.change is None else format_money(erratum.change, erratum.currency, signed=True),),
            _note(erratum),
        )
        for erratum in sorted(errata, key=lambda erratum: (erratum.month, erratum.provider, erratum.erratum_id))
    )
    return Table(
        "errata",
        "Known errors on bills",
        ("What is wrong", "Change"),
        rows,
        lead="The bill stays as the provider sent it. What is known to be wrong is taken off, and waits apart until it "
        "is credited.",
    )


def _note(erratum: Erratum) -> str:
    bill = f"{clean(erratum.provider)}, {MONTHS[erratum.month.month - 1]} {erratum.month.year}"
    until = f"{day_label(erratum.expires_on)} {erratum.expires_on.year}"
    reviewed = f"Reviewed by {clean(erratum.reviewed_by)}, holds until {until}"
    against = NOT_APPLIED.get(erratum.standing, _NOT_POSTED if erratum.change is None else "")
    told = [bill, clean(erratum.evidence, _LONGEST), reviewed, against]
    return ". ".join(filter(None, told))
