"""Cost per outcome: cohorts of requests over what came of them, with how mature, how sure and how complete that is.

Here belongs: periods, levels, ratios, and when a ratio is not told. Here does not belong: which requests an outcome
came out of (`sql/core/outcome_shares.sql`), the estimates (`models.maturity`, `models.ratio_interval`).

Method: the numerator is the money of all requests that serve the kind on the days of the period, those that led to
nothing included; the denominator what came of these days' requests until now. Both stay with the day of the requests.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from models.frames import conform, schema_of
from models.maturity import PUBLISHED_FROM, Age, maturity_by_age
from models.money import MONEY, SCALE
from models.outcome_kinds import HORIZON_DAYS, OutcomeKind
from models.ratio_interval import Interval, Sums, ratio_interval

TABLE = "unit_costs"
DAYS_TOLD = 100
"""How many days before the newest are told one by one, and how many show how late outcomes come."""
MONTHS_TOLD = 25
"""How many months are told: two years to compare with."""
MOST_UNPRICED = Decimal("0.05")
"""Part of the attempts whose cost may be unknown before a cost per outcome is not told."""

LEVELS: Mapping[str, tuple[str, ...]] = {
    "kind": (),
    "team": ("team_id",),
    "feature": ("feature",),
    "route": ("route",),
    "model": ("route", "model_id"),
    "all": ("team_id", "feature", "route", "model_id"),
}
_CASES: Mapping[str, str] = {"team": "team_trace_count", "feature": "feature_trace_count", "all": "trace_count"}
"""Which count of a cohort adds up to a level's cases: a case of two features is one of the kind and one of each."""
_BY_DAY = ("kind", "route")
_DIMENSIONS = ("team_id", "feature", "route", "model_id")
_COUNTS = ("trace_count", "request_count", "failure_count", "unpriced_count", "unmatched_count")
_AMOUNTS = (
    *("priced_cost_usd", "attributed_cost_usd", "unattributed_cost_usd"),
    *("outcome_count", "success_count", "reversed_count", "key_count", "rated_count", "quality_sum"),
    *("cost_squares", "success_squares", "cost_success_products"),
)
_PLACES = Decimal("1e-12")
_NOTHING = Decimal(0)

Row = Mapping[str, Any]


def unit_costs(cohorts: pl.DataFrame, delays: pl.DataFrame, kinds: Sequence[OutcomeKind], as_of: date) -> pl.DataFrame:
    """Rows of `unit_costs` out of `outcome_cohorts`, in no particular order.

    `delays` holds outcomes that met requests by `outcome_kind`, `cohort_date`, `age_days` and their summed `share`;
    `as_of` is the last day whose outcomes were told, and `DAYS_TOLD` before it the first whose outcomes `delays` holds.
    Cohorts of kinds that are declared no longer are left out. Money is exact: rows of one level add up to the kind's.
    Raises ValueError as `models.frames.require`.
    """
    rows: list[Row] = []
    for kind in kinds:
        own = cohorts.filter(pl.col("outcome_kind") == kind.name)
        ages = delays.filter(pl.col("outcome_kind") == kind.name)
        matured = _with_maturity(own, _maturity(ages, kind, as_of), as_of)
        rows += _months(matured, kind)
        rows += _days(matured.filter(pl.col("usage_date") > as_of - timedelta(days=DAYS_TOLD)), kind)
    if not rows:
        return pl.DataFrame(schema=schema_of(TABLE))
    exact = {name: MONEY if kind == pl.Float64 else kind for name, kind in schema_of(TABLE).items()}
    return conform(pl.DataFrame(rows, schema=exact, orient="row"), TABLE)


def _maturity(delays: pl.DataFrame, kind: OutcomeKind, as_of: date) -> list[Decimal | None]:
    if kind.origin == "gateway":
        return [Decimal(1)]  # the requests themselves are the outcome
    counts: dict[Age, Decimal] = defaultdict(Decimal)
    for cohort, age, share in delays.select("cohort_date", "age_days", "share").iter_rows():
        if cohort >= as_of - timedelta(days=DAYS_TOLD):  # of earlier ones only the late outcomes are held
            counts[Age(cohort, age)] += share
    return maturity_by_age(counts, as_of, min(kind.maturity_days, HORIZON_DAYS))


def _with_maturity(cohorts: pl.DataFrame, by_age: Sequence[Decimal | None], as_of: date) -> pl.DataFrame:
    """Cohorts with `units`, the day's maturity in whole pico-units; NULL where nobody can tell."""

    def of_day(day: date) -> int | None:
        found = by_age[min(max((as_of - day).days, 0), len(by_age) - 1)]
        return None if found is None else int(found.scaleb(SCALE))

    known = {day: of_day(day) for day in cohorts["usage_date"].unique().to_list()}
    days = pl.DataFrame(
        {"usage_date": list(known), "units": list(known.values())}, schema={"usage_date": pl.Date, "units": pl.Int64}
    )
    return cohorts.join(days, on="usage_date", how="left")


def _with_cases(cohorts: pl.DataFrame, level: str) -> pl.DataFrame:
    """`trace_count` as the level adds it up, and `seen`, cases times maturity in whole numbers: days add up exactly."""
    cases = pl.coalesce(
        _CASES.get(level, "kind_trace_count"), "trace_count"
    )  # NULL in days kept from before the column
    return cohorts.with_columns(
        trace_count=cases,
        seen=pl.col("units").cast(pl.Int128) * cases,
        unknown=pl.col("units").is_null() & (cases > 0),
    )


def _months(cohorts: pl.DataFrame, kind: OutcomeKind) -> Iterator[Row]:
    by_month = cohorts.with_columns(period_start=pl.col("usage_date").dt.month_start())
    for level in LEVELS:
        yield from _rows(by_month, kind, "month", level)


def _days(cohorts: pl.DataFrame, kind: OutcomeKind) -> Iterator[Row]:
    by_day = cohorts.with_columns(period_start=pl.col("usage_date"))
    for level in _BY_DAY:
        yield from _rows(by_day, kind, "day", level)


def _rows(cohorts: pl.DataFrame, kind: OutcomeKind, period_kind: str, level: str) -> Iterator[Row]:
    named = LEVELS[level]
    met = cohorts if level == "kind" else cohorts.filter(pl.col("trace_count") > 0)
    counted = _with_cases(met, level).group_by("period_start", *named)
    sums = counted.agg(pl.col(*_COUNTS, *_AMOUNTS, "seen").sum(), pl.col("unknown").any())
    for found in sums.sort("period_start", *named).iter_rows(named=True):
        names = {name: found[name] if name in named else "" for name in _DIMENSIONS}
        head = {"period_kind": period_kind, "period_start": found["period_start"], "outcome_kind": kind.name}
        yield {**head, "level": level, **names, **_figures(found, kind, is_kind=level == "kind")}


class _Told(NamedTuple):
    """Costs per outcome, success and quality over what is expected in the end; or why not."""

    reason: str | None
    outcome: Decimal | None = None
    success: Decimal | None = None
    quality: Decimal | None = None
    interval: Interval | None = None


def _figures(found: Row, kind: OutcomeKind, *, is_kind: bool) -> Row:
    came = found["outcome_count"] + found["reversed_count"]
    unmatched = found["unmatched_count"]
    has_cases = found["trace_count"] and not found["unknown"]
    maturity = Decimal(found["seen"]).scaleb(-SCALE) / found["trace_count"] if has_cases else None
    is_nowcast = maturity is not None and maturity < PUBLISHED_FROM
    told = _told(found, kind, maturity)
    seen = maturity if is_nowcast and maturity is not None else Decimal(1)
    low, high = (told.interval.low, told.interval.high) if told.interval else (None, None)
    each, case = (None if _is_unpriced(found) else found[name] for name in ("request_count", "trace_count"))
    return {
        **{name: found[name] for name in (*_COUNTS, *_AMOUNTS) if name in _TOLD},
        "unmatched_count": unmatched if is_kind else None,
        "success_ratio": _ratio(found["success_count"], came),
        "match_ratio": _ratio(came, came + unmatched) if is_kind else None,
        "key_ratio": _ratio(found["key_count"], came),
        "quality_mean": _ratio(found["quality_sum"], found["rated_count"]),
        "maturity_ratio": None if maturity is None else maturity.quantize(_PLACES),
        "is_nowcast": is_nowcast,
        "cost_per_request_usd": _per(found["priced_cost_usd"], each or 0),
        "cost_per_trace_usd": _per(found["priced_cost_usd"], case or 0),
        "cost_per_outcome_usd": told.outcome,
        "cost_per_success_usd": told.success,
        "cost_per_success_low_usd": None if low is None else (low * seen).quantize(_PLACES),
        "cost_per_success_high_usd": None if high is None else (high * seen).quantize(_PLACES),
        "interval_method": told.interval.method if told.interval else None,
        "cost_per_quality_usd": told.quality,
        **_people(found, kind, maturity, told),
        "reason": told.reason,
    }


_TOLD = frozenset(
    {
        *("trace_count", "request_count", "failure_count", "unpriced_count"),
        *("priced_cost_usd", "attributed_cost_usd", "unattributed_cost_usd"),
        *("outcome_count", "success_count", "reversed_count"),
    }
)


def _is_unpriced(found: Row) -> bool:
    """Whether the cost of so many attempts is unknown that none is told by the attempt, the case or the outcome."""
    return bool(found["unpriced_count"] > MOST_UNPRICED * found["request_count"])


def _told(found: Row, kind: OutcomeKind, maturity: Decimal | None) -> _Told:
    outcomes, successes = found["outcome_count"], found["success_count"]
    if not outcomes:
        return _Told("no_outcomes")
    if _is_unpriced(found):
        return _Told("unpriced")
    if maturity is None or not maturity:
        return _Told("immature")
    seen = maturity if maturity < PUBLISHED_FROM else Decimal(1)
    if outcomes < kind.least_successes:
        return _Told("few_outcomes")
    cost = found["priced_cost_usd"] * seen
    per_outcome, per_quality = _per(cost, outcomes), None
    if found["rated_count"] >= outcomes * Decimal("0.95"):
        per_quality = _per(cost, found["quality_sum"])
    if successes < kind.least_successes:
        return _Told("few_successes", per_outcome, None, per_quality)
    sums = Sums(found["trace_count"], *(found[name] for name in _SUMS))
    return _Told(None, per_outcome, _per(cost, successes), per_quality, ratio_interval(sums))


_SUMS = ("priced_cost_usd", "success_count", "cost_squares", "success_squares", "cost_success_products")


def _people(found: Row, kind: OutcomeKind, maturity: Decimal | None, told: _Told) -> Row:
    """What a case costs with the people who finish it, over the successes that are expected in the end."""
    if kind.human_cost_usd is None or told.success is None or not maturity:
        return {"cost_with_people_usd": None, "break_even_success_ratio": None}
    seen = maturity if maturity < PUBLISHED_FROM else Decimal(1)
    unfinished = found["trace_count"] - found["success_count"] / seen
    cost = found["priced_cost_usd"] + unfinished * kind.human_cost_usd
    per_trace = found["priced_cost_usd"] / found["trace_count"]
    return {
        "cost_with_people_usd": _per(cost, found["trace_count"]),
        "break_even_success_ratio": (per_trace / kind.human_cost_usd).quantize(_PLACES),
    }


def _per(cost: Decimal, count: Decimal | int) -> Decimal | None:
    """Money over a number, to a picodollar; None over nothing, never infinite."""
    return (cost / count).quantize(_PLACES) if count > 0 else None


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole).quantize(_PLACES) if whole > 0 else None
