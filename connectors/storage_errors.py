"""What an object store's failures mean, in words fit for people, with every option's value kept out of them.

Here belongs: telling refusals, absences and everything else apart. Here does not belong: listing and reading.
"""

import re
from collections.abc import Mapping

from obstore.exceptions import PermissionDeniedError, PreconditionError, UnauthenticatedError

from connectors.base import AuthenticationError, SourceError


def explained(error: Exception, location: str, options: Mapping[str, str], path: str | None = None) -> SourceError:
    """The error to raise instead: which location or object, what happened, the remedy, and no option's value."""
    if isinstance(error, SourceError):
        return error
    where = location if path is None else f"{location}: {path}"
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError, PermissionError)) or is_refusal(error):
        return AuthenticationError(f"{where}: access was refused; check the key and its right to list and read")
    if isinstance(error, FileNotFoundError):
        return SourceError(f"{where}: not found; check the bucket or container, the prefix, and the region or endpoint")
    if isinstance(error, PreconditionError):
        return SourceError(f"{where}: was replaced while it was being read; run the day again")
    return SourceError(f"{where}: {_scrubbed(error, options)}; check the address, the network and the options")


def is_refusal(error: Exception) -> bool:
    """The store's client has exceptions for 401 and 403 where it reads an object, and none where it lists."""
    return bool(re.search(r"status code: 40[13]\b", str(error)))


def _scrubbed(error: Exception, options: Mapping[str, str]) -> str:
    """The first line of the store's own message, without query strings and without any option's value."""
    text = str(error).partition("\n")[0]
    text = re.sub(r"\?\S+", "?...", text)
    for value in sorted(options.values(), key=len, reverse=True):
        if len(value) > 3:
            text = text.replace(value, "***")
    return text[:300]
