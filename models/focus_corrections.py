"""What a locked month's FOCUS rows would be today otherwise than they were locked with, as rows of an open month.

The rows of a locked month stay. What they would be today, less what they are, less what was corrected before, charge by
charge, is the correction: ChargeClass Correction, the original charge period, the billing period of the open month. So
is usage that arrived after its month was locked.

Source: FOCUS 1.2 ChargeClass; the standard's examples of corrections to a closed billing period (delta style). Here
belongs: the difference. Here does not belong: which month is locked, or open.
"""

import hashlib
from datetime import date, datetime, time

import polars as pl

from contracts.focus import FOCUS
from models.frames import conform, require
from models.money import units_of

MEASURES = (
    *("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"),
    *("ConsumedQuantity", "PricingQuantity", "CommitmentDiscountQuantity", "PricingCurrencyEffectiveCost"),
)
KEY = (
    *("x_SourceName", "BillingAccountId", "SubAccountId", "InvoiceId", "BillingCurrency", "ProviderName"),
    *("ChargeCategory", "ChargePeriodStart", "ChargePeriodEnd", "ServiceName", "ResourceId", "RegionId"),
    *("AvailabilityZone", "SkuId", "SkuPriceId", "x_Meter", "ConsumedUnit", "PricingUnit", "PricingCurrency"),
    *("CommitmentDiscountId", "CommitmentDiscountStatus", "CommitmentDiscountUnit", "CapacityReservationId"),
    *("CapacityReservationStatus", "x_AccountId", "x_Feature", "x_GpuState"),
    *("x_ModelId", "x_TokenClass", "x_ServiceTier", "x_PurchaseOption", "x_ChargeType"),
)
"""What tells apart charges, and who carries them. A name that changed since corrects nothing."""


def corrections(
    *, posted_in: date, until: date, locked: pl.DataFrame, today: pl.DataFrame, before: pl.DataFrame
) -> pl.DataFrame:
    """The corrections of one locked month that an open one carries, in the shape of `focus_cost_and_usage`.

    Args:
        posted_in: first day of the open month.
        until: first day of the month after it.
        locked: the rows of the locked month's own bill, as they were locked.
        today: the same month's rows as they would be today.
        before: corrections of it that stand in months that are locked themselves.

    Raises:
        ValueError: a frame does not keep its contract.
    """
    parts = [_signed(today, 1), _signed(locked, -1), _signed(before, -1)]
    others = [pl.col(name).first() for name in today.columns if name not in (*MEASURES, *KEY)]
    sums = pl.concat(parts).group_by(KEY, maintain_order=True).agg(*(_summed(name) for name in MEASURES), *others)
    is_changed = pl.any_horizontal((units_of(name) != 0).fill_null(value=False) for name in MEASURES)
    changed = sums.filter(is_changed).sort(KEY)
    corrected = _month_of(locked, today)
    rows = changed.with_columns(
        BillingPeriodStart=pl.lit(datetime.combine(posted_in, time())),
        BillingPeriodEnd=pl.lit(datetime.combine(until, time())),
        x_BillingPeriod=pl.lit(posted_in),
        ChargeClass=pl.lit("Correction"),
        x_CorrectedPeriod=pl.lit(corrected, pl.Date),
        x_OriginChargeId=pl.lit(None, pl.String),
        AllocatedMethodDetails=pl.lit(None, pl.String),
    )
    return conform(rows.with_columns(_ids(rows)), FOCUS)


def _signed(rows: pl.DataFrame, sign: int) -> pl.DataFrame:
    return require(rows, FOCUS).with_columns(
        pl.when(pl.col(name).is_not_null()).then(units_of(name) * sign).reinterpret(dtype=rows.schema[name]).alias(name)
        for name in MEASURES
    )


def _summed(name: str) -> pl.Expr:
    """The sum of what is known; NULL where nothing is."""
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)


def _month_of(locked: pl.DataFrame, today: pl.DataFrame) -> date | None:
    months = pl.concat([locked["x_BillingPeriod"], today["x_BillingPeriod"]]).unique()
    if len(months) > 1:
        raise ValueError(f"rows of {len(months)} months were given as those of one locked month")
    return months[0] if len(months) else None


def _ids(rows: pl.DataFrame) -> pl.Series:
    names = ["x_BillingPeriod", "x_CorrectedPeriod", *KEY]
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in names], separator="\x1f")
    ids = [hashlib.md5(line.encode(), usedforsecurity=False).hexdigest() for line in rows.select(text).to_series()]
    return pl.Series("x_RowId", ids, dtype=pl.String)
