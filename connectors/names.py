"""Names that people write, compared as people mean them: without case, blanks and underscores.

Here belongs: the key that two spellings share, and the name that somebody probably meant. Here does not belong: which
names a source knows.
"""

from collections.abc import Iterable
from difflib import get_close_matches

_LEAST_LIKENESS = 0.6


def key_of(name: str) -> str:
    """What is compared of a name."""
    return name.strip().lower().replace("_", "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like `name`, whatever the case and the underscores; None if none does."""
    by_key = {key_of(candidate): candidate for candidate in known}
    found = get_close_matches(key_of(name), by_key, n=1, cutoff=_LEAST_LIKENESS)
    return by_key[found[0]] if found else None
