"""Whether an empty feature is one that the log told: by a journal's own moves, and on through adjustments."""

from datetime import date
from decimal import Decimal

import polars as pl

from models.adjustments import adjust
from models.features import with_told_features
from tests.models.test_adjustments import DECEMBER, NOVEMBER, journal, none

SEARCH = "team:search"
LOG = {"rule_kind": "priced_tokens", "rule_id": "priced_tokens:model"}


def adjusted(
    locked: pl.DataFrame, restated: pl.DataFrame, posted: pl.DataFrame | None = None, posted_in: date = NOVEMBER
) -> pl.DataFrame:
    return adjust(posted_in=posted_in, locked=locked, restated=restated, posted=none() if posted is None else posted)


def carried(found: pl.DataFrame) -> list[tuple[object, ...]]:
    """What each row of step 2 comes to, and whether its feature is told."""
    rows = found.filter(step=2).sort("charge_date", "cause", "feature", nulls_last=False)
    return rows.select("feature", "effective_cost", "is_feature_told").rows()


def test_the_log_and_a_pool_by_feature_tell_it_and_a_correction_is_of_what_it_corrects() -> None:
    wrong = {"rule_kind": "correction", "rule_id": "wrong", "step": 5}
    told = with_told_features(
        journal(
            ("a", SEARCH, "10", LOG),
            ("a", SEARCH, "-1", wrong),
            ("b", SEARCH, "10"),
            ("b", SEARCH, "-1", wrong),
            ("c", SEARCH, "10", {"rule_kind": "pool", "rule_id": "pool:llama"}),
            ("c", "team:support", "10", {"rule_kind": "pool", "rule_id": "pool:llama", "feature": "chat"}),
            ("c", SEARCH, "-1", wrong),
            ("d", SEARCH, "10", {"rule_kind": "pool", "rule_id": "pool:storage"}),
            # the same pool was not split by feature in another month
            ("e", SEARCH, "10", {"rule_kind": "pool", "rule_id": "pool:llama", "billing_period": NOVEMBER}),
        )
    )
    assert told["is_feature_told"].to_list() == [True, True, False, False, True, True, True, False, False]


def test_an_adjustment_knows_whether_the_charge_that_differs_was_split_by_the_log() -> None:
    locked = journal(("log", SEARCH, "10", LOG), ("own", SEARCH, "5"))
    dearer = journal(("log", SEARCH, "12", LOG), ("own", SEARCH, "5"))
    assert carried(adjusted(locked, dearer)) == [(None, Decimal(2), True)]
    owned = journal(("log", SEARCH, "10", LOG), ("own", SEARCH, "9"))
    assert carried(adjusted(locked, owned)) == [(None, Decimal(4), False)]
    # both, on one day and of one model: then nothing is told of the sum
    both = journal(("log", SEARCH, "12", LOG), ("own", SEARCH, "9"))
    assert carried(adjusted(locked, both)) == [(None, Decimal(6), False)]


def test_what_is_taken_back_later_is_of_the_calls_that_it_was_posted_for() -> None:
    locked = journal(("log", SEARCH, "10", LOG))
    first = adjusted(locked, journal(("log", SEARCH, "12", LOG)))
    back = adjusted(locked, locked, posted=first, posted_in=DECEMBER)
    assert carried(back) == [(None, Decimal(-2), True)]
    # of an adjustment that is older than the column nobody knows
    old = first.with_columns(is_feature_told=pl.lit(None, pl.Boolean))
    assert carried(adjusted(locked, locked, posted=old, posted_in=DECEMBER)) == [(None, Decimal(-2), None)]
    more = adjusted(locked, journal(("log", SEARCH, "13", LOG)), posted=old, posted_in=DECEMBER)
    assert carried(more) == [(None, Decimal(1), True)]


def test_the_first_step_of_an_adjustment_tells_no_feature() -> None:
    late = {"charge_date": date(2026, 10, 31), **LOG}
    found = adjusted(journal(), journal(("late", SEARCH, "412", late)))
    assert found.sort("step")["is_feature_told"].to_list() == [None, True]
