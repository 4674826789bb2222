"""What an empty feature is worth: one that the token log told as empty, or none that anybody told.

A journal has NULL for both. Money that the log split by feature came from calls of which each has one, and empty is
one of them; what an owner rule or a pool by cost gave to a team is of whatever the team does.

Here belongs: telling the two apart by a journal's own moves. Here does not belong: what is made of it
(`models.customers`).
"""

import polars as pl

TOLD = "is_feature_told"
_WEIGHED, _POOL, _CORRECTION = "priced_tokens", "pool", "correction"
_SAME = ["billing_period", "charge_group_id", "to_account"]


def with_told_features(journal: pl.DataFrame) -> pl.DataFrame:
    """The journal with `is_feature_told`: whether a move's feature, empty or not, is what the token log says.

    A shared pool is split by feature where any move of the month out of it names one: where none does, all calls lack
    it, and the two are the same. A correction is of what it corrects.

    Args:
        journal: frame in the shape of `postings`, whole months of it.
    """
    has_feature = pl.col("feature").is_not_null()
    featured = journal.filter(rule_kind=_POOL).filter(has_feature).select("billing_period", "rule_id").unique()
    pools = journal.join(
        featured.with_columns(_by_feature=pl.lit(value=True)),
        on=["billing_period", "rule_id"],
        how="left",
        maintain_order="left",
    )
    by_log = pl.col("rule_kind") == _WEIGHED
    by_pool = (pl.col("rule_kind") == _POOL) & pl.col("_by_feature").fill_null(value=False)
    told = pools.with_columns((has_feature | by_log | by_pool).alias(TOLD)).drop("_by_feature")
    unnamed = told.filter("is_final_account", ~has_feature, pl.col("rule_kind") != _CORRECTION)
    corrected = unnamed.group_by(_SAME).agg(pl.col(TOLD).all().alias("_corrected"))
    known = told.join(corrected, on=_SAME, how="left", maintain_order="left")
    of_corrected = has_feature | pl.col("_corrected").fill_null(value=False)
    return known.with_columns(
        pl.when(pl.col("rule_kind") == _CORRECTION).then(of_corrected).otherwise(TOLD).alias(TOLD)
    ).drop("_corrected")
