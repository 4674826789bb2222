"""Known errors on bills: what a provider charged wrongly is taken off those who carry it, until it is credited.

The bill stays as it is, and everything that it says is posted as ever. A last step then moves, through pool:errata,
what a reviewed erratum says is wrong: from each account that carries money of the matched lines, in proportion to what
it carries, to residual:errata, where the amount waits for the provider's credit. The step sums to zero.

An erratum states what its lines come to on the bill. Where they come to something else, the bill has changed since it
was reviewed, and nothing is moved: `judge` says so. Nor is a line corrected twice: the first that applies has it.

Here belongs: which charges an erratum means, and the moves. Here does not belong: when an erratum expires, who is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

import polars as pl

from models.accounts import is_final
from models.adjustments import CORRECTION
from models.allocation_frame import part_of, split_groups
from models.money import SCALE, to_scaled
from models.moves import TOTALS, typed

ERRATA = "pool:errata"
"""What the step moves goes through here; nothing may rest in it."""
AWAITED = "residual:errata"
"""What was charged wrongly, until the provider credits it."""
ERRATA_RULES = "2"
"""Version of the rules below: another version may correct the same errata differently."""
TOLERANCE_UNITS = 10 ** (SCALE - 2)
"""Bills are reviewed in whole cents: by so much may an amount differ from what was written down."""
_STATE = ["cluster", "gpu_model_name", "gpu_state", "model_id", "cost_kind", "is_warm_standby"]


class Standing(StrEnum):
    """What became of an erratum."""

    APPLIED = "applied"
    UNMATCHED = "unmatched"
    """No line of the month's bill is what it names."""
    BILL_CHANGED = "bill_changed"
    """Its lines come to something else than it says."""
    OVERLAPS = "overlaps"
    """An erratum before it corrects some of its lines already."""
    EXPIRED = "expired"


@dataclass(frozen=True)
class Erratum:
    """A reviewed error on the bill of one month.

    `match` holds the values that columns of `charge_groups` must have on the lines that are wrong. `billed_cost` is
    what these lines come to on the bill, not zero; `change` is what it must change by to be right, negative where too
    much was charged. Their effective cost changes in the same proportion. Both are in `billing_currency`.
    """

    erratum_id: str
    billing_period: date
    provider_name: str
    billing_currency: str
    billed_cost: Decimal
    change: Decimal
    match: Mapping[str, str | date] = field(default_factory=dict[str, str | date])


@dataclass(frozen=True)
class Judgement:
    """What an erratum finds on the bill: its lines and their billed cost, and whether that is what it says.

    `overlapped_id` is the erratum that corrects some of these lines already, where one does.
    """

    erratum: Erratum
    standing: Standing
    line_count: int
    billed_cost: Decimal
    overlapped_id: str | None = None


def judge(charge_groups: pl.DataFrame, errata: Sequence[Erratum]) -> list[Judgement]:
    """Each erratum against the bill, in the order given; `charge_groups` in the shape of the table of that name.

    A line is corrected once, by the first erratum that applies: what a second one says of it was reviewed without
    the first, and together they could take off more than was charged.
    """
    corrected_by: dict[str, str] = {}
    found: list[Judgement] = []
    for erratum in errata:
        meant = charge_groups.filter(_is_meant(erratum))
        lines = meant["charge_group_id"].to_list()
        found.append(_judgement(meant, erratum, next((corrected_by[i] for i in lines if i in corrected_by), None)))
        if found[-1].standing is Standing.APPLIED:
            corrected_by |= dict.fromkeys(lines, erratum.erratum_id)
    return found


def correction_moves(
    moves: pl.DataFrame, charge_groups: pl.DataFrame, errata: Sequence[Erratum], step: int
) -> pl.DataFrame:
    """The moves of the errata that agree with the bill, in the shape of a move; none where there are none.

    Args:
        moves: every move before, in that shape: where the money rests decides who is corrected, and by what part.
        charge_groups: frame in the shape of `charge_groups`.
        errata: those that hold today. One that does not agree with the bill moves nothing.
        step: the number of the step.
    """
    agreed = [found.erratum for found in judge(charge_groups, errata) if found.standing is Standing.APPLIED]
    resting = moves.filter(is_final(pl.col("to_account"))) if agreed else moves.clear()
    done = [_moves(resting, charge_groups, erratum, step) for erratum in agreed]
    return pl.concat([moves.clear(), *done])


def _is_meant(erratum: Erratum) -> pl.Expr:
    named: dict[str, str | date] = {
        "billing_period": erratum.billing_period,
        "provider_name": erratum.provider_name,
        "billing_currency": erratum.billing_currency,
        **erratum.match,
    }
    return pl.all_horizontal(pl.col(name).eq(pl.lit(value)).fill_null(value=False) for name, value in named.items())


def _judgement(meant: pl.DataFrame, erratum: Erratum, overlapped_id: str | None) -> Judgement:
    if meant.is_empty():
        return Judgement(erratum, Standing.UNMATCHED, 0, Decimal(0))
    count, billed = meant.select(pl.col("line_count").sum(), pl.col("billed_cost").sum()).row(0)
    found = Judgement(erratum, Standing.APPLIED, count, billed)
    if not _agree(_units(billed), _units(erratum.billed_cost)):
        return replace(found, standing=Standing.BILL_CHANGED)
    return replace(found, standing=Standing.OVERLAPS, overlapped_id=overlapped_id) if overlapped_id else found


def _agree(billed_units: int, reviewed_units: int) -> bool:
    # a bill that nets to nothing, or to the opposite, has nobody who was charged: no cent of tolerance makes it agree
    return billed_units * reviewed_units > 0 and abs(billed_units - reviewed_units) <= TOLERANCE_UNITS


def _moves(resting: pl.DataFrame, charge_groups: pl.DataFrame, erratum: Erratum, step: int) -> pl.DataFrame:
    """Out of pool:errata: to each who carries the lines what their part changes by, and the opposite to wait."""
    meant = charge_groups.filter(_is_meant(erratum)).select("charge_group_id")
    carried = _summed(resting.join(meant, on="charge_group_id", how="semi"))
    weighed = carried.with_columns(weight=_weight(carried)).filter(pl.col("weight") > 0)
    billed, effective = (sum(carried[name].to_list()) for name in TOTALS)
    shares = weighed.with_columns(
        pl.lit(_units(erratum.change), pl.Int128).alias("billed_units"),
        pl.lit(_in_proportion(_units(erratum.change), effective, billed), pl.Int128).alias("effective_units"),
        _was=pl.col("effective_units"),
        _erratum=pl.lit(erratum.erratum_id),
        _tie=pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in _KEY], separator="\x00"),
    )
    split = split_groups(shares, TOTALS, group="_erratum", weight="weight", tie="_tie").with_columns(
        under_used_units=_under_used()
    )
    opposite = [pl.col(name) * -1 for name in (*TOTALS, "under_used_units")]
    waiting = split.group_by("charge_group_id", *_STATE).agg(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)
        for name in (*TOTALS, "under_used_units")
    )
    awaited = waiting.with_columns(*opposite, to_account=pl.lit(AWAITED))
    return pl.concat([typed(split), typed(awaited)]).with_columns(
        step=pl.lit(step, pl.Int32),
        rule_id=pl.lit(erratum.erratum_id),
        rule_kind=pl.lit(CORRECTION),
        from_account=pl.lit(ERRATA),
    )


_KEY = ["charge_group_id", "to_account", "team_id", "feature", *_STATE]


def _summed(resting: pl.DataFrame) -> pl.DataFrame:
    """What rests where, whatever steps brought it there; nothing of it carries GPU seconds a second time."""
    sums = resting.group_by(_KEY).agg(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)
        for name in (*TOTALS, "under_used_units")
    )
    return sums.sort(_KEY)


def _weight(carried: pl.DataFrame) -> pl.Expr:
    """What was charged, in its own direction: credits among costs carry nothing of an error."""
    # by effective cost; by billed cost where that is nothing, as of a purchase
    name = next(name for name in ("effective_units", "billed_units") if sum(carried[name].to_list()))
    is_charged = pl.col(name) > 0 if sum(carried[name].to_list()) > 0 else pl.col(name) < 0
    return pl.when(is_charged).then(pl.col(name).abs()).otherwise(0).cast(pl.Int128)


def _under_used() -> pl.Expr:
    """What of an under-used GPU's cost activity did not fill changes as its cost does."""
    changed = part_of("effective_units", "under_used_units", "_was")
    return (
        pl.when(pl.col("under_used_units").is_null() | (pl.col("_was") == 0))
        .then("under_used_units")
        .otherwise(changed)
    )


def _units(amount: Decimal) -> int:
    return to_scaled(amount, digits=38, scale=SCALE)


def _in_proportion(change: int, effective: int, billed: int) -> int:
    """`change * effective / billed`, rounded half away from zero."""
    product, whole = change * effective, abs(billed)
    size = (abs(product) * 2 + whole) // (whole * 2)
    return size if (product < 0) == (billed < 0) else -size
