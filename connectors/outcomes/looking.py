"""What a mapping of outcomes gives to doubt, by the beginnings of files: it is tried on their rows.

Here belongs: what of a row of outcomes is tried. Here does not belong: counting and telling (`logs.fitting`), and
what makes an outcome of a row (`reading`), which is asked and not repeated.
"""

from collections.abc import Mapping
from functools import partial

from connectors.logs.attempt import RowError
from connectors.logs.fitting import Fit, Trial, Tried, every_refusal, fit, require_filed, with_value
from connectors.logs.forms import example_instant
from connectors.logs.probing import Look, Row, Seen
from connectors.logs.withheld import take_out_withheld
from connectors.outcomes.reading import ESSENTIAL, THERE, allowed, forms, staged_outcome
from connectors.outcomes.settings import NEEDED, SORTS, OutcomesFileSettings


def held(settings: OutcomesFileSettings, look: Look) -> Fit:
    """The mapping held against rows; see `connectors.logs.fitting.fit`."""
    redact, expected = allowed(settings).redact, forms(settings)

    def read(row: Row, path: str, given: Mapping[str, object]) -> list[RowError]:
        landed = {**redact(row), **given}
        lost = take_out_withheld(landed, ESSENTIAL, expected)
        staged = staged_outcome(settings, landed)
        if "occurred_at" not in given:
            require_filed(settings, path, staged["occurred_at"], "occurred_at")
        return lost

    def tried(seen: Seen) -> Tried:
        shown = partial(with_value, seen.row, settings.fields, settings.time_unit, SORTS)
        refusals = every_refusal(partial(read, seen.row, seen.path), _neutral(settings))
        lost = [] if refusals else read(seen.row, seen.path, {})
        return Tried(list(map(shown, refusals)), list(map(shown, lost)))

    trial = Trial(
        paths=settings.fields,
        needed=frozenset(path for name, path in settings.fields.items() if name in NEEDED),
        optional={f"fields.{name}": path for name, path in settings.fields.items() if name not in NEEDED},
        tried=tried,
        there=THERE,
    )
    return fit(trial, look, settings.location)


def _neutral(settings: OutcomesFileSettings) -> Mapping[str, Mapping[str, object]]:
    """By field, values with which a row is read on, to find what else is wrong with it."""
    values: Mapping[str, object] = {
        "outcome_id": "id",
        "outcome_kind": "kind",
        "occurred_at": example_instant(settings.time_unit),
        "is_success": None,
        "quality_value": None,
    }
    return {name: {name: value} for name, value in values.items()}
