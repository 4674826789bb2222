"""Names that people write, compared as people mean them: without case, blanks and underscores.

Here belongs: the key that two spellings share, and the name that somebody probably meant. Here does not belong: which
names a source knows.
"""

from collections.abc import Iterable
from difflib import get_close_matches

_LEAST_LIKENESS = 0.6
_LEAST_LETTERS = 3  # fewer begin too many names


def key_of(name: str) -> str:
    """What is compared of a name."""
    return name.strip().lower().replace("_", "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like `name`, whatever the case and the underscores; None if none does.

    Names that begin with `name` come first: who writes `start` means `started_at`, and not `status`.
    """
    key, by_key = key_of(name), {key_of(candidate): candidate for candidate in known}
    longer = [candidate for candidate in by_key if candidate.startswith(key)] if len(key) >= _LEAST_LETTERS else []
    found = get_close_matches(key, longer or by_key, n=1, cutoff=0 if longer else _LEAST_LIKENESS)
    return by_key[found[0]] if found else None
