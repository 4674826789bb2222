"""Which delivered column feeds which column of the contract, whatever the FOCUS version and the vendor's spelling.

Names are compared without case and underscores: `BilledCost`, `billedcost` and `billed_cost` are one column.
FOCUS renamed one column that the contract takes (ProviderName became ServiceProviderName in 1.3); vendors leave out
some and add `x_` columns of their own. What the contract does not take is kept in `x_extra`; what the standard does
not know either is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from connectors.base import IncompleteDeliveryError
from connectors.names import key_of
from contracts import contract
from contracts.contract import Column

# Columns of the standard that the contract does not take, by the version that brought them.
STANDARD_EXTRAS: Mapping[str, tuple[str, ...]] = {
    "1.0": ("PublisherName", "RegionName"),
    "1.1": ("ServiceSubcategory", "SkuPriceDetails"),
    "1.2": (
        "BillingAccountType",
        "PricingCurrency",
        "PricingCurrencyContractedUnitPrice",
        "PricingCurrencyEffectiveCost",
        "PricingCurrencyListUnitPrice",
        "SubAccountType",
    ),
    "1.3": (
        "AllocatedMethodDetails",
        "AllocatedMethodId",
        "AllocatedResourceId",
        "AllocatedResourceName",
        "AllocatedTags",
        "ContractApplied",
        "HostProviderName",
    ),
    "1.4": ("CommitmentProgramEligibilityDetails", "InvoiceDetailId"),
}
_RENAMED: Mapping[str, tuple[str, ...]] = {"provider_name": ("serviceprovidername", "providername")}
_FILLED_HERE = frozenset({"x_extra", "x_source", "x_slice_date", "x_page", "x_row"})


@dataclass(frozen=True)
class Columns:
    """`sources` maps a contract column to the delivered columns that feed it, first choice first.

    `extras` are all other delivered columns, sorted; `unknown` those of them that are told; `absent` are the columns
    that the settings name and no record of the file has.
    """

    sources: Mapping[str, tuple[str, ...]]
    extras: tuple[str, ...]
    unknown: tuple[str, ...]
    absent: tuple[str, ...] = ()

    def delivered(self, name: str) -> str | None:
        """The delivered column of that name, in whatever spelling."""
        names = (*self.extras, *(found for sources in self.sources.values() for found in sources))
        return next((found for found in names if key_of(found) == key_of(name)), None)


def resolve(names: Sequence[str], where: str, *, provider_is_given: bool) -> Columns:
    """Maps the delivered columns `names` of the file `where`.

    Raises IncompleteDeliveryError when a column is named twice, or one without which no line can be billed is missing:
    staging the other files alone would lose this one's cost.
    """
    delivered = dict[str, str]()
    for name in names:
        if key_of(name) in delivered:
            raise IncompleteDeliveryError(
                f"{where}: the columns {delivered[key_of(name)]!r} and {name!r} are the same one; "
                "export the bill without one of them"
            )
        delivered[key_of(name)] = name
    wanted = _wanted()
    sources = {column: tuple(delivered[key] for key in keys if key in delivered) for column, keys in wanted.items()}
    missing = [c for c in _required() if not sources[c] and not (c == "provider_name" and provider_is_given)]
    if missing:
        raise IncompleteDeliveryError(_missing_text(where, missing, names))
    used = {name for found in sources.values() for name in found}
    extras = tuple(sorted(name for name in names if name not in used))
    standard = {key_of(name) for added in STANDARD_EXTRAS.values() for name in added}
    return Columns(sources, extras, tuple(name for name in extras if key_of(name) not in standard))


@cache
def bill_columns() -> Mapping[str, Column]:
    """The columns of the contract that a bill can fill, by name."""
    return {column.name: column for column in contract("charges").columns if column.name not in _FILLED_HERE}


@cache
def _wanted() -> Mapping[str, tuple[str, ...]]:
    return {name: _RENAMED.get(name, (key_of(name),)) for name in bill_columns()}


@cache
def _required() -> tuple[str, ...]:
    return tuple(name for name, column in bill_columns().items() if not column.nullable)


def _missing_text(where: str, missing: Sequence[str], names: Sequence[str]) -> str:
    wanted = ", ".join(name.title().replace("_", "") for name in missing)
    found = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")
    remedy = "export the bill as FOCUS 1.0 to 1.4 with these columns"
    if "provider_name" in missing:
        remedy += ", or name the provider in the setting `provider`"
    return f"{where}: the columns {wanted} are missing; it has {found[:300]}; {remedy}"
