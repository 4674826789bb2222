"""What a mail address is, for whoever writes it down and for whoever sends to it.

Here belongs: one plain address without a name. Here does not belong: whether anybody reads there.
"""

import re
from email.errors import MessageError
from email.headerregistry import Address

_PLAIN = re.compile(r"[^@\s,;<>\"()\[\]\\:]{1,64}@[A-Za-z0-9.-]{1,190}")


def plain_address(text: str) -> Address:
    """The address, such as `ada@example.com`. Raises ValueError for anything that a mail's header cannot hold."""
    try:
        if _PLAIN.fullmatch(text):
            return Address(addr_spec=text)
    except (MessageError, ValueError, IndexError):
        pass  # the header library's own complaint says less
    raise ValueError(f"{text!r} is not one plain mail address; write it like ada@example.com, one an entry")
