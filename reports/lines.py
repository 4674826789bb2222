"""The lines of a chargeback by what they bought and by feature, with names safe to print.

Here belongs: grouping chargeback rows under printed labels. Here does not belong: rounding, layout.
"""

from decimal import Decimal

import polars as pl

from reports.breakdown import Sum, grouped
from reports.money import EXACT, ZERO
from reports.wording import clean

NO_FEATURE = "No feature named"


def service_sums(rows: pl.DataFrame) -> list[Sum]:
    """Exact sums by provider, service and model; the model names the line where there is one."""
    return _merged(grouped(rows, ["provider_name", "service_name", "model_id"], _service_name))


def feature_sums(rows: pl.DataFrame) -> list[Sum]:
    """Exact sums by feature."""
    return _merged(grouped(rows, ["feature"], lambda feature: (clean(feature) or NO_FEATURE, "")))


def _service_name(provider: str, service: str, model: str) -> tuple[str, str]:
    provider, service, model = clean(provider), clean(service), clean(model)
    if model:
        return model, service if service == provider or provider in service else f"{provider}, {service}"
    return service or "Unnamed service", provider


def _merged(sums: list[Sum]) -> list[Sum]:
    """Names that print alike are one line: two lines that nobody can tell apart would explain nothing."""
    amounts: dict[tuple[str, str], Decimal] = {}
    for label, note, amount in sums:
        amounts[label, note] = EXACT.add(amounts.get((label, note), ZERO), amount)
    return [(label, note, amount) for (label, note), amount in amounts.items()]
