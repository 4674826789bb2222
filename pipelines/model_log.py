"""A model's traffic of the last four weeks, as plans of serving it oneself need it: from the log's half hours.

Here belongs: reading it, and the week that it repeats. Here does not belong: plans, prices of GPUs.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from models.mean_month import MONTH_HOURS
from models.tokens import TOKEN_CLASSES

if TYPE_CHECKING:
    import duckdb

    from models.break_even import Plan, Traffic

WEEKS = 4
FEWEST_DAYS = 7
_COMPUTED = ("input_uncached", "cache_write_5m", "cache_write_1h", "input_audio")
_GENERATED = ("output_text", "output_reasoning", "output_audio")


@dataclass(frozen=True)
class Log:
    """A model's half hours of four weeks, or of as many whole days as the log has of them.

    `rows` holds start, tokens to compute, tokens generated, and cost at the price book's prices; `tokens` their sums by
    class, copies taken out.
    """

    rows: list[tuple[datetime, int, int, Decimal]]
    unpriced_tokens: int
    days: tuple[date, ...]
    tokens: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def monthly_cost(self) -> Decimal:
        """What the API asks for 730 mean hours."""
        return sum((row[3] for row in self.rows), Decimal(0)) * MONTH_HOURS / (len(self.days) * 24)

    @property
    def months(self) -> Fraction:
        """How many months of 730 hours its days are."""
        return Fraction(len(self.days) * 24, MONTH_HOURS)


def read_log(database: "duckdb.DuckDBPyConnection", model: str) -> Log:
    """The model's half hours of the four weeks that end with the log's last whole day, duplicates taken out."""

    def tokens(names: tuple[str, ...]) -> str:
        return " + ".join(f"{name}_tokens - duplicate_{name}_tokens" for name in names)

    def unpriced(name: str) -> str:
        return f"case when {name}_usd_per_token is null then {tokens((name,))} else 0 end"

    costs = " + ".join(
        f"cast({tokens((name,))} as decimal(20, 0)) * coalesce({name}_usd_per_token, 0)" for name in TOKEN_CLASSES
    )
    query = f"""
        with last_day as (select max(usage_date) as day, min(usage_date) as first_day from usage_hourly)
        select time_bucket(interval 30 minute, coalesce(price_from, usage_hour)) as half_hour,
            sum({tokens(_COMPUTED)})::bigint, sum({tokens(_GENERATED)})::bigint, sum({costs})::decimal(38, 12),
            sum({" + ".join(map(unpriced, TOKEN_CLASSES))})::bigint, max(last_day.day), min(last_day.first_day),
            {", ".join(f"sum({tokens((name,))})::bigint" for name in TOKEN_CLASSES)}
        from usage_hourly, last_day
        where model_id = $model and usage_date > last_day.day - {WEEKS * 7}
        group by half_hour order by half_hour
    """
    rows = database.execute(query, {"model": model}).fetchall()
    if not rows:
        return Log([], 0, ())
    last, first = rows[0][5], max(rows[0][6], rows[0][5] - timedelta(days=WEEKS * 7 - 1))
    days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
    sums = {name: sum(row[7 + at] for row in rows) for at, name in enumerate(TOKEN_CLASSES)}
    return Log([row[:4] for row in rows], sum(row[4] for row in rows), days, sums)


def traffic_of(log: Log, plan: "Plan") -> "Traffic":
    """The week that the log repeats: each hour's mean, and how much busier its busiest half hour was for the plan."""
    import numpy as np

    from models.break_even import WEEK_HOURS, Traffic

    computed, generated, busiest = (np.zeros(WEEK_HOURS) for _ in range(3))
    seen = Counter(day.weekday() for day in log.days)
    for start, input_tokens, output_tokens, _ in log.rows:
        hour = start.weekday() * 24 + start.hour
        computed[hour] += input_tokens / seen[start.weekday()]
        generated[hour] += output_tokens / seen[start.weekday()]
        work = 2 * (input_tokens / plan.prefill_rate + output_tokens / plan.decode_rate)
        busiest[hour] = max(busiest[hour], work)
    mean = computed / plan.prefill_rate + generated / plan.decode_rate
    peak = np.divide(busiest, mean, out=np.ones(WEEK_HOURS), where=mean > 0)
    return Traffic(computed, generated, np.maximum(peak, 1.0))
