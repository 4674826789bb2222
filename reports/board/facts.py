"""What the board tells in small tables: a month's standing, ledgers, invoices, commitments, what is unusual.

Here belongs: which columns of which mart the page gets, as text that loses no digit. Here does not belong: layout,
any amount that is not in a mart.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from models.savings_levers import REASONS
from reports.board.given import BoardMonth
from reports.could_save import LEVERS
from reports.coverage import coverage_table
from reports.currencies import without_rate
from reports.errata import NOT_APPLIED
from reports.given import Restatement
from reports.lacking import lacking_table
from reports.money import exact_sum
from reports.standing import banner_for, missing_days
from reports.tables import Table
from reports.why import FACTORS
from reports.wording import RESIDUAL_LABELS, cause_label, clean, instant_label, residual_label

_TEXT_LIMIT = 2000  # a query that was cut short would be no evidence
_SAVES = (pl.col("saving_p90").fill_null(0) != 0) | (pl.col("unproven_cost") != 0)
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "ledgers": (
        *("billing_period", "provider_id", "billed_cost", "estimated_cost", "difference", "has_bill"),
        *("billed_tokens", "counted_tokens", "logged_tokens"),
    ),
    "reconciliation_summary": (
        *("billing_period", "provider_id", "unexplained_difference", "unexplained_ratio", "unpriced_tokens"),
        *("left_out_tokens", "token_coverage_ratio"),
    ),
    "reconciliation_by_cause": ("billing_period", "provider_id", "account_id", "part", "cause", "usd", "tokens"),
    "invoice_tie_out": (
        *("billing_period", "provider_name", "invoice_id", "billing_currency", "line_count", "billed_cost"),
        *("stated_total", "difference", "tie_out"),
    ),
    "period_states": (
        *("billing_period", "provider_name", "period_state", "source_count", "open_source_count"),
        *("provisional_source_count", "refused_source_count", "differing_invoice_count", "unproven_invoice_count"),
    ),
    "commitments": (
        *("billing_period", "provider_name", "billing_currency", "commitment_discount_id", "commitment_discount_name"),
        *("commitment_discount_type", "scope", "region_id", "instance_type", "quantity", "quantity_unit"),
        *("term_start", "term_end", "payment_option", "hourly_cost", "upfront_cost", "state", "purchased_cost"),
        *("used_cost", "unused_cost", "unexplained_cost", "utilisation_ratio", "deployment_cost"),
    ),
    "commitment_coverage": (
        *("billing_period", "provider_name", "billing_account_id", "billing_currency", "covered_list_cost"),
        *("uncovered_list_cost", "uncovered_cost", "coverage_ratio", "utilisation_ratio", "effective_savings_rate"),
        "next_term_end",
    ),
    "anomalies": (
        *("anomaly_id", "story_id", "parent_id", "level", "account", "model_id", "outcome_kind", "metric", "direction"),
        *("onset_date", "last_alarm_date", "resolved_date", "state", "is_new_level", "observed_mean"),
        *("expected_mean", "excess_cost", "currency", "is_alert", "cause", "evidence", "runbook", "contributors"),
        *("volume_cost", "mix_cost", "price_cost", "settled_date"),
    ),
    "period_adjustments": (
        *("billing_period", "corrected_period", "account", "provider_name", "cause", "because"),
        *("billing_currency", "effective_cost", "reporting_effective_cost"),
    ),
    "gpu_coverage": (
        *("billing_period", "cluster", "billing_currency", "gpu_seconds", "observed_seconds"),
        *("effective_cost", "idle_cost_low", "idle_cost_high"),
    ),
    "budget_status": (
        *("billing_period", "budget_id", "account", "provider_name", "model_id", "feature", "outcome_kind"),
        *("business_unit", "unit", "budget_amount"),
        *("spent_amount", "remaining_amount", "unconverted_currencies", "month_end_p10", "month_end_p50"),
        *("month_end_p90", "breach_chance", "settled_amount", "settled_date", "is_current"),
    ),
    "forecasts": (
        *("billing_period", "level", "metric", "account", "provider_name", "model_id", "feature", "outcome_kind"),
        *("business_unit", "unit", "settled_amount", "settled_date", "month_end_p10", "month_end_p50", "month_end_p90"),
        *("no_interval_reason", "coverage_ratio"),
    ),
    "unit_costs": (
        *("period_kind", "period_start", "outcome_kind", "level", "team_id", "feature", "route", "model_id"),
        *("priced_cost_usd", "outcome_count", "success_ratio", "is_nowcast", "cost_per_success_usd"),
        *("cost_per_success_low_usd", "cost_per_success_high_usd", "reason"),
    ),
    "bill_errata": (
        *("billing_period", "posted_in", "erratum_id", "provider_name", "standing", "line_count", "found_cost"),
        *("correct_cost", "account", "effective_change", "billing_currency", "reason", "evidence", "reviewed_by"),
        "expires_on",
    ),
    "verified_savings": (
        *("switched_on_date", "change_id", "what", "team_id", "method", "before_day_count", "after_day_count"),
        *("claimed_saving_usd", "realised_saving_usd", "realised_low_usd", "realised_high_usd", "verdict", "reason"),
        "evidence",
    ),
    "break_even": (
        *("plan_id", "model_id", "weights", "quantisation", "throughput_basis", "replica_gpus", "against"),
        *("api_provider_id", "api_model_id", "api_monthly_cost", "purchase_option", "term_months", "provider_name"),
        *("region_id", "instance_type", "machine_gpus", "machine_hour_cost", "own_monthly_cost", "saving_p10"),
        *("saving_p50", "saving_p90", "probability", "utilisation_ratio", "needed_utilisation_ratio"),
        *("break_even_multiple", "break_even_monthly_tokens", "payback_months", "verdict", "reason"),
    ),
}
"""What the page gets of each table at once, where the snapshot has it."""
BY_MONTH: Mapping[str, tuple[str, ...]] = {
    "savings": (
        *("account", "billing_currency", "lever", "lever_order", "confidence", "saving", "saving_p10", "saving_p50"),
        *("saving_p90", "unproven_cost", "reason", "evidence_row_count", "evidence", "assumption"),
    ),
    "request_costs": (
        *("level", "team_id", "feature", "route", "request_count", "failure_count", "unpriced_count", "user_count"),
        *("unnamed_count", "priced_cost_usd", "cost_per_request_usd", "cost_per_user_usd"),
    ),
    "commitment_advice": (
        *("provider_name", "billing_account_id", "billing_currency", "region_id", "instance_type", "sku_id"),
        *("purchase_option", "term_months", "payment_option", "first_day", "last_day", "mean_machines"),
        *("peak_machines", "on_demand_price", "committed_price", "advised_machines", "first_step_machines"),
        *("monthly_saving", "upfront_cost", "payback_months", "utilisation_ratio", "regret_at_70_percent", "reason"),
    ),
    "provisioned_advice": (
        *("model_id", "region_id", "scope", "purchase_option", "term_months", "day_count", "unit_price"),
        *("current_units", "advised_units", "current_spill_ratio", "best_spill_ratio", "monthly_saving"),
        *("saving_p10", "confidence", "reason"),
    ),
}
"""Tables of many rows, which the page opens by month, when it first shows that month."""


def month_facts(month: BoardMonth) -> dict[str, Any]:
    """What is said of one month: how firm it is, what it comes to, what has arrived, what was restated."""
    period, shared = month.period, month.shared
    banner = banner_for(period)
    effective, billed = month.chargeback["reporting_effective_cost"], month.chargeback["reporting_billed_cost"]
    return {
        "month": f"{period.start:%Y-%m}",
        "label": period.label,
        "first": _told(period.start),
        "days": period.day_count,
        "elapsed": period.elapsed_days,
        "state": period.state,
        "headline": banner.headline,
        "text": banner.text,
        "as_of": instant_label(period.as_of),
        "missing": sorted(map(_told, missing_days(shared.freshness))),
        "total": _told(shared.bill_total),
        "billed": _told(exact_sum(billed.drop_nulls())),
        "unconverted": int(effective.null_count()),
        "allocated": _told(shared.allocated_total),
        "adjusted": _told(shared.adjusted_total),
        "residuals": [[residual_label(account), _told(amount)] for account, amount in shared.residuals if amount],
        "apart": [[currency, _told(amount)] for currency, amount in without_rate(month.chargeback)],
        "arrived": _printed(coverage_table(shared.freshness)),
        "lacking": _printed(lacking_table(shared.not_published)),
        "restated": [_restated(r) for r in shared.restatements],
    }


def tables(given: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """Every table that the page knows and the caller has, as columns and rows; one that is not there is not named."""
    return {name: _rows(given[name], columns) for name, columns in COLUMNS.items() if name in given}


def month_tables(month: BoardMonth, given: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """One month's rows of every table that is opened by month and that the caller has.

    Of `savings` those that save something, or name a cost of which nothing can be said.
    """
    found: dict[str, Any] = {}
    for name, columns in BY_MONTH.items():
        if name in given:
            rows = given[name].filter(pl.col("billing_period") == month.period.start)
            found[name] = _rows(rows.filter(_SAVES) if name == "savings" else rows, columns)
    return found


def by_month(given: Mapping[str, pl.DataFrame]) -> list[str]:
    """The tables that are opened by month and that the caller has."""
    return [name for name in BY_MONTH if name in given]


def words_for() -> dict[str, Any]:
    """What the page says for values that no bill names: levers, factors, residuals and the like."""
    told = {"lever": LEVERS, "unproven": REASONS, "factor": FACTORS, "standing": NOT_APPLIED}
    return {**told, "residual": RESIDUAL_LABELS}


def causes(given: Mapping[str, pl.DataFrame]) -> dict[str, tuple[str, str]]:
    """Every cause that a table names, in words, and what it means."""
    found = given.get("reconciliation_by_cause")
    return {} if found is None else {name: cause_label(name) for name in sorted(found["cause"].unique().to_list())}


def _rows(frame: pl.DataFrame, columns: Sequence[str]) -> dict[str, Any]:
    whole = frame.filter(pl.col("period_kind") == "month") if "period_kind" in columns else frame  # no days of outcomes
    lacking = [pl.lit(None).alias(name) for name in columns if name not in whole.columns]  # of an older snapshot
    chosen = whole.with_columns(lacking).select(columns).sort(columns, nulls_last=True)
    return {"columns": columns, "rows": [[_told(value) for value in row] for row in chosen.iter_rows()]}


def _told(value: Any) -> Any:
    """A value as JSON has it: decimals and dates as text, names made safe to show."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return clean(value, _TEXT_LIMIT) if isinstance(value, str) and not _is_json(value) else value


def _is_json(text: str) -> bool:
    return text.startswith(("[", "{"))


def _printed(table: Table | None) -> dict[str, Any] | None:
    if table is None:
        return None
    rows = [[row.label, *row.cells, row.note] for row in table.rows]
    return {"title": table.title, "lead": table.lead, "headings": table.headings, "rows": rows}


def _restated(told: Restatement) -> list[Any]:
    """Source, month, when it last changed, how often, billed and effective difference, currency."""
    when = (_told(told.month), _told(told.last_at.date()))
    return [clean(told.source), *when, told.times, _told(told.billed), _told(told.effective), told.currency]


def named(values: Iterable[str], labels: Mapping[str, str]) -> list[list[str]]:
    """Each value with the words that are shown for it."""
    return [[value, clean(labels.get(value, value))] for value in values]
