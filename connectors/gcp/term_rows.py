"""One commitment of Compute Engine's, as a row of `commitment_terms`.

A commitment holds several resources at once: cores, memory, GPUs, local disks. Its quantity is that of its GPUs, else
of its cores, else of its only resource; all of them are kept in `x_extra`. Source: Compute Engine's REST reference,
regionCommitments.

Here belongs: what an item says. Here does not belong: prices (the list has them) and use (the bill says it).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from connectors.base import IncompleteDeliveryError
from connectors.exact import read_time
from connectors.fields import JsonRow, RowError, amount, shown, text
from connectors.gathered import StagedRow, extra_json

PROVIDER = "Google Cloud"
_NOTHING_HERE = "NO_RESULTS_ON_PAGE"
_UNITS: Mapping[str, str] = {"ACCELERATOR": "GPU", "VCPU": "vCPU", "MEMORY": "MB", "LOCAL_SSD": "GB"}
_PLACE = re.compile(r"/projects/(?P<project>[^/]+)/regions/(?P<region>[^/]+)")
_TAKEN = frozenset({"id", "name", "region", "selfLink", "status", "startTimestamp", "endTimestamp", "kind", "type"})
_KEPT = frozenset(
    {"plan", "category", "resources", "reservations", "existingReservations", "licenseResource", "autoRenew"}
    | {"mergeSourceCommitments", "splitSourceCommitment", "customEndTimestamp", "description", "params"}
    | {"creationTimestamp", "resourceStatus", "statusMessage"}
)


def read_commitments(document: Any, name: str) -> list[JsonRow]:
    """The commitments of a page, region by region.

    Raises IncompleteDeliveryError for what is no such page, and where a region could not be asked.
    """
    regions = document.get("items", {}) if isinstance(document, Mapping) else None
    if not isinstance(regions, Mapping) or "error" in document or not ({"kind", "items"} & set(document)):
        raise IncompleteDeliveryError(f"{name}: this is no list of Compute Engine's commitments; fetch the day again")
    silent = [str(place) for place in document.get("unreachables") or ()]
    found = list[JsonRow]()
    for place, scoped in sorted(regions.items()):
        warning = scoped.get("warning") if isinstance(scoped, Mapping) else {"code": shown(scoped)}
        if isinstance(warning, Mapping) and warning.get("code") != _NOTHING_HERE:
            silent.append(f"{place} ({warning.get('code')})")
        else:
            found += scoped.get("commitments") or ()
    if silent:
        raise IncompleteDeliveryError(
            f"{name}: {', '.join(silent)} did not answer; what is committed there is unknown, which is not zero: "
            "run the day again"
        )
    return found


def stage_commitment(item: JsonRow) -> StagedRow:
    """The contract's columns. Raises RowError for what cannot be read."""
    name, state = text(item, "id"), text(item, "status")
    if name is None or state is None:
        raise RowError("missing_value", "it has no id, or no status; both were expected")
    place = _PLACE.search(text(item, "selfLink") or "") or _PLACE.search(text(item, "region") or "")
    start, end = _instant(item, "startTimestamp"), _instant(item, "endTimestamp")
    if start is not None and end is not None and end <= start:
        raise RowError("term_not_forward", f"the term begins {start} and ends {end}", "endTimestamp")
    held, new = _resources(item), {key: value for key, value in item.items() if key not in _TAKEN | _KEPT}
    kept = {key: item[key] for key in sorted(_KEPT) if item.get(key) not in (None, [], {}, "")}
    row = {
        "provider_name": PROVIDER,
        "sub_account_id": place and place["project"],
        "commitment_discount_id": name,
        "commitment_discount_name": text(item, "name"),
        "commitment_discount_type": "Committed Use Discount",
        "commitment_discount_category": "Usage",
        "scope": f"region {place['region']}" if place else None,
        "region_id": place and place["region"],
        "instance_type": held.machine or text(item, "type"),
        "quantity": held.quantity,
        "quantity_unit": held.unit,
        "term_start": start,
        "term_end": end,
        "payment_option": "no_upfront",
        "state": state,
        "x_extra": extra_json({**kept, **new}),
    }
    return StagedRow(row, name, new)


class _Held(NamedTuple):
    """What of a commitment's resources counts as its quantity."""

    quantity: Decimal | None
    unit: str | None
    machine: str | None


def _resources(item: JsonRow) -> _Held:
    listed = item.get("resources") or []
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise RowError("unreadable_resources", f"resources is {shown(listed)}; a list was expected", "resources")
    for kind in ("ACCELERATOR", "VCPU"):
        found = [one for one in listed if one.get("type") == kind]
        if found:
            break
    else:
        found = listed if len(listed) == 1 else []
    amounts = [amount(one, "amount") for one in found]
    known = [one for one in amounts if one is not None]
    kinds = {str(one.get("type")) for one in found}
    machines = {text(one, "acceleratorType") for one in found}
    machine = machines.pop() if len(machines) == 1 else None
    quantity = sum(known, Decimal(0)) if known and len(known) == len(amounts) else None
    unit = _UNITS.get(kinds.pop()) if len(kinds) == 1 else None
    return _Held(quantity, unit if quantity is not None else None, machine and machine.rpartition("/")[2])


def _instant(item: JsonRow, name: str) -> datetime | None:
    written = text(item, name)
    found = None if written is None else read_time(written)
    if written is not None and found is None:
        raise RowError("unreadable_time", f"{name} is {written}; an instant was expected", name)
    return found
