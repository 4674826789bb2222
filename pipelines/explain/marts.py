"""The tables whose figures can be explained, and which moves of the journals each of their rows is the sum of."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts import all_contracts

_ANY = {"billing_period": "p.billing_period", "billing_currency": "p.billing_currency"}
_DAILY = {
    **_ANY,
    "charge_date": "p.charge_date",
    "account": "p.to_account",
    "model_id": "coalesce(p.model_id, '')",
}
_CHARGED = {
    **_DAILY,
    "provider_name": "p.provider_name",
    "service_name": "p.service_name",
    "feature": "coalesce(p.feature, '')",
    "cost_kind": "p.cost_kind",
}
_LAYER = """case
    when coalesce(p.gpu_state, 'unknown') = 'effective' then 'none'
    when coalesce(p.gpu_state, 'unknown') = 'unhealthy' then 'unallocated'
    when p.gpu_state = 'allocated_idle' and coalesce(p.is_warm_standby, false) then 'warm_standby'
    else coalesce(p.gpu_state, 'unknown')
end"""


@dataclass(frozen=True)
class Part:
    """Rows of a mart that sum moves of one journal.

    `keys` has, for the columns that tell the mart's rows apart, what they are of a move `p` and its charge group `g`.
    `cells` says which rows of the mart `m` are meant, `moves` which moves.
    """

    journal: str
    keys: Mapping[str, str]
    cells: str = "true"
    moves: str = "p.is_final_account"


@dataclass(frozen=True)
class Mart:
    """A table that can be explained: its amounts are those of its parts' moves, under the same names.

    One without parts is explained by what its contract says that it is made of.
    """

    table: str
    parts: tuple[Part, ...]
    amounts: tuple[str, ...] = ("effective_cost", "billed_cost")


_CORRECTED = {"corrected_period": "p.corrected_period", "cause": "p.cause"}

MARTS: Mapping[str, Mart] = {
    mart.table: mart
    for mart in (
        Mart(
            "chargeback",
            (
                Part("postings", {**_CHARGED, "rule_kind": "p.rule_kind"}, "m.corrected_period is null"),
                Part("adjustments", {**_CHARGED, **_CORRECTED}, "m.corrected_period is not null"),
            ),
        ),
        Mart(
            "period_adjustments",
            (
                Part(
                    "adjustments",
                    {
                        **_ANY,
                        "account": "p.to_account",
                        "provider_name": "p.provider_name",
                        **_CORRECTED,
                    },
                ),
            ),
        ),
        Mart(
            "costs_by_category",
            (
                Part(
                    "postings",
                    {
                        **_CHARGED,
                        "charge_category": "coalesce(g.charge_category, 'Unknown')",
                        "is_correction": "g.charge_class is not null",
                    },
                ),
            ),
        ),
        Mart(
            "gpu_waste",
            (
                Part(
                    "postings",
                    {
                        **_DAILY,
                        "cluster": "coalesce(p.cluster, '')",
                        "gpu_model_name": "coalesce(p.gpu_model_name, '')",
                        "purchase_option": "coalesce(g.purchase_option, '')",
                        "gpu_state": "coalesce(p.gpu_state, 'unknown')",
                        "waste_layer": _LAYER,
                    },
                    moves="p.is_final_account and p.cost_kind = 'gpu' and g.charge_group_id is not null",
                ),
            ),
            ("effective_cost",),
        ),
        Mart(
            "invoice_tie_out",
            (
                Part(
                    "postings",
                    {
                        **_ANY,
                        "provider_name": "p.provider_name",
                        "invoice_id": "coalesce(g.invoice_id, '')",
                    },
                    "m.billed_cost is not null",
                ),
            ),
            ("billed_cost",),
        ),
    )
}
"""Those that are sums of the ledger's moves."""


def explainable() -> Mapping[str, Mart]:
    """Every table whose rows can be explained: of the ledger, or by what its contract says that it is made of."""
    told = {name: Mart(name, (), ()) for name, table in all_contracts().items() if table.published and table.made_of}
    return {**told, **MARTS}
