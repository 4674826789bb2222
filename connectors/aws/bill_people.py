"""Who used what is not for a warehouse of costs: columns that name people are left out of all that is staged.

Here belongs: which columns these are, and refused lines without them. Here does not belong: the landed file, which is
what AWS delivered, and tags, which the account chose to have on its bill.
"""

import re
from dataclasses import replace

from connectors.base import Reject
from connectors.bills.names import column_key
from connectors.exact import exact_json, json_text

_WORDS = ("iamprincipal", "username", "useremail", "useridenti")  # line_item_user_identifier: a workforce user
_LABELS = ("resourcetags", "costcategory")  # resourceTags/user:Name is a machine's
_PRINCIPAL = re.compile(r'"arn:aws[a-z-]*:(?:iam|sts)::[^"]*"|arn:aws[a-z-]*:(?:iam|sts)::[^,"\r\n]*')
_LEFT_OUT = "(principal left out)"


def names_people(column: str) -> bool:
    """Whether the column says who made the requests."""
    key = column_key(column)
    return not key.startswith(_LABELS) and any(word in key for word in _WORDS)


def without_people(reject: Reject) -> Reject:
    """The refused line without what names people: those columns, or, in a record without columns, principals' ARNs."""
    if reject.reason == "malformed_record":
        return replace(reject, payload=_PRINCIPAL.sub(_LEFT_OUT, reject.payload))
    try:
        found = exact_json(reject.payload.encode())
    except ValueError:
        return replace(reject, payload=_PRINCIPAL.sub(_LEFT_OUT, reject.payload))
    if not isinstance(found, dict) or not any(names_people(str(name)) for name in found):
        return reject
    kept = {name: value for name, value in found.items() if not names_people(str(name))}
    return replace(reject, payload=json_text(kept))
