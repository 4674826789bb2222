"""One row of the activity report as a row of `charges`."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from connectors.base import Window
from connectors.exact import ROUNDED, json_text
from connectors.fields import JsonRow, RowError, amount, count, staged_amount, text
from connectors.gathered import StagedRow, extra_json
from connectors.openrouter.activity import PROVIDER, day_of, identity, new_fields, required_object
from connectors.openrouter.settings import DAYS_SERVED, OpenRouterCostsSettings
from connectors.windows import midnight

_ROUNDED = f"costs {ROUNDED}"
_COUNTS = ("requests", "prompt_tokens", "completion_tokens", "reasoning_tokens")


@dataclass(frozen=True)
class CostReading:
    """What reading a month's costs needs to know, and what was paid elsewhere."""

    settings: OpenRouterCostsSettings
    window: Window
    _paid_elsewhere: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    def stage(self, found: Any) -> StagedRow:
        """The contract's columns of one row. Costs are in USD (one credit is one USD), at twelve decimal places.

        Raises RowError, with the cost where it is readable, for a row that cannot be staged.
        """
        row = required_object(found)
        credits_used = amount(row, "usage")
        if credits_used is None:
            raise RowError("missing_value", "usage is missing; it is what the row cost", "usage")
        billed, is_rounded = staged_amount(credits_used)
        try:
            return self._row(row, billed, is_rounded=is_rounded)
        except RowError as error:
            raise RowError(error.reason, str(error), error.column, billed) from None

    def notices(self) -> list[str]:
        """What was paid to others, and how to have the days that the API cannot tell."""
        told: list[str] = []
        if self._paid_elsewhere:
            paid = sum(self._paid_elsewhere.values())
            told.append(
                f"{paid} USD of {len(self._paid_elsewhere):,} rows were paid to the models' providers directly, with "
                "own keys: they are in no charge of OpenRouter (x_extra has them)"
            )
        if self.not_covered():
            told.append("to have the month whole, save the answers daily and read them with 'location'")
        return told

    def not_covered(self) -> list[str]:
        """The days of the month that its charges cannot have."""
        last = (self.window.end - timedelta(days=1)).date()
        if self.settings.location is not None or last.day <= DAYS_SERVED:
            return []
        served = f"OpenRouter tells of {DAYS_SERVED} days at once and this month has {last.day}"
        return [f"{last}: {served} (openrouter_usage has what the day cost)"]

    def _row(self, row: JsonRow, billed: Decimal, *, is_rounded: bool) -> StagedRow:
        day, new, model = day_of(row, self.window), new_fields(row), text(row, "model")
        own_keys = amount(row, "byok_usage_inference")
        tokens = [count(row, name) for name in ("prompt_tokens", "completion_tokens")]
        known = [part for part in tokens if part is not None]
        workspace = text(row, "workspace_id")
        permaslug = text(row, "model_permaslug")
        kept = {"endpoint_id": text(row, "endpoint_id"), "provider_name": text(row, "provider_name")}
        staged = {
            "billing_account_id": self.settings.account,
            "sub_account_id": workspace,
            "billing_currency": "USD",
            "billing_period_start": self.window.start,
            "billing_period_end": self.window.end,
            "charge_period_start": midnight(day),
            "charge_period_end": midnight(day + timedelta(days=1)),
            "charge_category": "Usage",
            "charge_description": model,
            "charge_frequency": "Usage-Based",
            "billed_cost": billed,
            "effective_cost": billed,
            "consumed_quantity": Decimal(sum(known)) if len(known) == len(tokens) else None,
            "consumed_unit": "Tokens" if len(known) == len(tokens) else None,
            "provider_name": PROVIDER,
            "invoice_issuer_name": PROVIDER,
            "service_category": "AI and Machine Learning",
            "service_name": "OpenRouter API",
            "sku_id": permaslug,
            "x_model_id": model,
        }
        staged["x_extra"] = extra_json(
            {**kept, "byok_usage_inference": own_keys, **{name: count(row, name) for name in _COUNTS}, **new}
        )
        if own_keys:
            self._paid_elsewhere[json_text(identity(row))] = own_keys
        return StagedRow(staged, identity(row), new, (_ROUNDED,) if is_rounded else ())
