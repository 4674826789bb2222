"""Committed use: which lines are fees, which usage a commitment covers, and of which fees the used share is known.

Google bills a commitment in one of three ways, and each says differently what was used:

- by consumption model: covered usage is billed at its lower price, and a credit takes what was used off the fee;
- legacy, by spend: usage is billed in full with a credit, beside a fee that is a share of what it covers;
- legacy, by resource (GPUs, cores, memory): likewise, and the fee's quantity is what was committed.
"""

from collections.abc import Mapping
from decimal import Decimal

from connectors.bills.names import Names, literal

OFFSET = "FEE_UTILIZATION_OFFSET"
SPEND_CREDIT = "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE"
LEGACY_CREDITS = ("COMMITTED_USAGE_DISCOUNT", SPEND_CREDIT)
_LEGACY = "'^commitment( - dollar based)? v1:'"
_FEE_WORDS = "'^commitment( fee| - dollar based)?( v[0-9]+)?: *'"


class Commitments:
    """SQL about one file's lines; the view `source` of `pieces` gives `_credits`."""

    def __init__(self, names: Names) -> None:
        description, model = names.text("sku.description"), names.text("consumption_model.description")
        self.cost = names.decimal("cost")
        has_offset = f"list_contains(list_transform(_credits, lambda credit: credit.type), '{OFFSET}')"
        regular = f"{names.text('cost_type')} = 'regular'"
        self.is_fee = f"coalesce({regular} and ({description} ilike 'commitment%' or {has_offset}), false)"
        self.is_legacy_fee = (
            f"({self.is_fee} and not {has_offset} and coalesce(regexp_matches(lower({description}), {_LEGACY}), false))"
        )
        self.is_model_fee = f"({self.is_fee} and not {self.is_legacy_fee})"
        self.is_covered = f"({regular} and not {self.is_fee} and coalesce({model} not ilike 'default', false))"
        self.is_resource_based = f"starts_with(lower({description}), 'commitment v1:')"
        self.id = (
            f"coalesce({names.text('subscription.instance_id')}, case when {self.is_covered} then {model} "
            f"when {self.is_legacy_fee} then concat_ws('/', {names.text('billing_account_id')}, "
            f"{names.text('sku.id')}, {names.text('project.id')}) "
            f"else regexp_replace({description}, {_FEE_WORDS}, '', 'i') end)"
        )
        self.name = (
            f"case when {self.is_covered} then {model} else regexp_replace({description}, {_FEE_WORDS}, '', 'i') end"
        )
        self.fee_key = (
            f"concat_ws('|', {names.text('service.id')}, {description}, coalesce({names.text('location.region')}, ''), "
            f"epoch_us({names.instant('usage_start_time')}), epoch_us({names.instant('usage_end_time')}))"
        )

    def is_split(self, shares: Mapping[str, Decimal]) -> str:
        """SQL: the fees whose used and unused parts are known."""
        return f"({self.is_model_fee} or {self.used_share(shares)} is not null)"

    def used_share(self, shares: Mapping[str, Decimal]) -> str:
        """SQL of a legacy fee's used share, NULL where it is not known."""
        if not shares:
            return "cast(null as decimal(13, 12))"
        known = ", ".join(
            f"{literal(key)}: cast({share:f} as decimal(13, 12))" for key, share in sorted(shares.items())
        )
        return f"case when {self.is_legacy_fee} then (map {{{known}}})[{self.fee_key}] end"

    def used_cost(self, shares: Mapping[str, Decimal]) -> str:
        """SQL of what was used of a legacy fee; NULL for other lines: usage lines themselves show the new fees' use."""
        cost = f"cast({self.cost} as decimal(25, 12))"
        return f"cast({cost} * {self.used_share(shares)} as decimal(38, 12))"

    def unused_cost(self, shares: Mapping[str, Decimal]) -> str:
        """SQL of what nobody used of a fee, NULL for other lines and where it is not known."""
        return (
            f"case when {self.is_model_fee} then {self.cost} + {self.offset_sum()} "
            f"else {self.cost} - {self.used_cost(shares)} end"
        )

    def offset_sum(self) -> str:
        """SQL of the part of a fee that was used: the sum, negative or zero, of its offsets."""
        amounts = (
            f"list_transform(list_filter(_credits, lambda credit: credit.type = '{OFFSET}'), "
            "lambda credit: try_cast(credit.amount as decimal(38, 12)))"
        )
        return f"coalesce(list_sum({amounts}), cast(0 as decimal(38, 12)))"
