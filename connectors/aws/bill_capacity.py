"""What a line of a Cost and Usage Report says of capacity reservations and capacity blocks, as SQL.

A reservation's own lines have its ARN as their resource; usage that runs in it names it only in the columns of capacity
reservations, which a CUR 2.0 has when it is asked for them (AWS, "Capacity reservation columns").
"""

from collections.abc import Mapping

from connectors.aws.bill_costs import Line
from connectors.bills import Names

_ARN, _STATUS, _TYPE = (f"capacityReservation/CapacityReservation{word}" for word in ("Arn", "Status", "Type"))


def capacity_of(line: Line) -> Mapping[str, str]:
    """SQL of the columns of `charges` on capacity reservations.

    AWS's statuses Reserved and Cancelled are no use of the reservation, nor its lack: FOCUS has no word for them.
    """
    names = line.names
    resource, status = names.text("lineItem/ResourceId"), names.text(_STATUS)
    is_reservation = f"coalesce({resource} like '%:capacity-reservation/%', false)"
    held = f"coalesce({names.text(_ARN)}, case when {is_reservation} then {resource} end)"
    return {
        "capacity_reservation_id": held,
        "capacity_reservation_status": f"case when {held} is null then null "
        f"when {status} is not null then case when {status} in ('Used', 'Unused') then {status} end "
        f"when {is_reservation} and {line.usage_type} like '%Unused%' then 'Unused' end",
    }


def untold_status(names: Names) -> str:
    """AWS's status where FOCUS has no word for it, else NULL."""
    status = names.text(_STATUS)
    return f"case when {status} not in ('Used', 'Unused') then {status} end"


def is_capacity_block(line: Line) -> str:
    """Where a line is of a capacity block: by the type of its reservation, else by the usage type."""
    named = f"lower({line.names.text(_TYPE)}) like '%capacity block%'"
    return f"coalesce({named} or {line.usage_type} like '%CapacityBlock%', false)"
