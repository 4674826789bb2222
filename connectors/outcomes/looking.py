"""What a mapping of outcomes gives to doubt, by the beginnings of files: it is tried on their rows.

Here belongs: what of a row of outcomes is tried. Here does not belong: counting and telling (`logs.fitting`), and
what makes an outcome of a row (`reading`), which is asked and not repeated.
"""

from functools import partial

from connectors.logs.attempt import RowError
from connectors.logs.fitting import Fit, Trial, Tried, fit, require_filed, with_value
from connectors.logs.probing import Look, Seen
from connectors.logs.withheld import take_out_withheld
from connectors.outcomes.reading import ESSENTIAL, THERE, allowed, forms, staged_outcome
from connectors.outcomes.settings import NEEDED, SORTS, OutcomesFileSettings


def held(settings: OutcomesFileSettings, look: Look) -> Fit:
    """The mapping held against rows; see `connectors.logs.fitting.fit`."""
    redact, expected = allowed(settings).redact, forms(settings)

    def tried(seen: Seen) -> Tried:
        shown = partial(with_value, seen.row, settings.fields, settings.time_unit, is_instant)
        try:
            landed = redact(seen.row)
            lost = take_out_withheld(landed, ESSENTIAL, expected)
            row = staged_outcome(settings, landed)
            require_filed(settings, seen.path, row["occurred_at"], "occurred_at")
        except RowError as refusal:
            return Tried(shown(refusal))
        return Tried(None, [shown(problem) for problem in lost])

    def is_instant(name: str) -> bool:
        return SORTS.get(name) == "instant"

    trial = Trial(
        paths=settings.fields,
        needed=frozenset(path for name, path in settings.fields.items() if name in NEEDED),
        optional={f"fields.{name}": path for name, path in settings.fields.items() if name not in NEEDED},
        tried=tried,
        there=THERE,
    )
    return fit(trial, look, settings.location)
