"""What the allow-list lets through of one value, by the kind of value that its field holds.

Every rule takes what the log holds and returns what may be landed, or None for nothing. A value of the wrong kind
becomes `WITHHELD`: an unexpected text in a number's place could be anything, and must be refused, not repeated.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import urlsplit

import orjson

Rule = Callable[[object], object]

WITHHELD = "(withheld: not the kind of value that this field holds)"
LONGEST_TEXT = 256
FURTHEST_ON_A_SCALE = 1_000_000
"""Beyond it on either side no value of a quality or a score lies: no scale that can be declared reaches further."""
_MOST_TAGS = 100
_KNOWN_PEOPLE = 50_000  # whose hashes are kept in memory: the same ones call again and again
_KNOWN_ADDRESSES = 4096  # a log names few endpoints, millions of times
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,38}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII)
# The end of a domain is asked for: `claude-3-5-sonnet@20240620` is the name of a model.
_EMAIL = re.compile(r"[^\s@:<>\"',;]+@[^\s@:<>\"',;]+\.[^\W\d_]{2,}")
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FLAGS = {"true": True, "false": False, "none": None, "": None}


def keyed_hash(key: str) -> Callable[[str], str]:
    """A function from text to 32 hexadecimal digits that only holders of the key can repeat (keyed BLAKE2b).

    The same key and text give the same digits for ever, so people can be counted and joined without being known.
    """
    # BLAKE2b takes keys of at most 64 bytes; a longer one is condensed first.
    started = blake2b(key=blake2b(key.encode()).digest(), digest_size=16)

    @lru_cache(_KNOWN_PEOPLE)
    def digits(value: str) -> str:
        state = started.copy()
        state.update(value.encode("utf-8", "replace"))
        return state.hexdigest()

    return digits


def text_rule(hashed: Callable[[str], str]) -> Rule:
    """Short printable text; an e-mail address in it becomes its hash, and a long text its beginning and its hash."""

    def text(value: object) -> object:
        # almost every text is plain and short: it takes one look
        if (
            type(value) is str
            and len(value) <= LONGEST_TEXT
            and value.isascii()
            and value.isprintable()
            and "@" not in value
        ):
            return value or None
        if isinstance(value, bool) or not isinstance(value, str | int):
            return None if value is None else WITHHELD
        found = value if isinstance(value, str) else str(value)
        if not (found.isascii() and found.isprintable()):
            found = _printable(found)
        if "@" in found:
            found = _EMAIL.sub(lambda match: hashed(match[0]), found)
        if len(found) > LONGEST_TEXT:
            found = f"{found[: LONGEST_TEXT - 33]}~{hashed(found)}"
        return found or None

    return text


def person_rule(hashed: Callable[[str], str]) -> Rule:
    """The keyed hash of a user's or customer's id; an empty id is no id."""

    def person(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, str | int):
            return None if value is None else WITHHELD
        return hashed(str(value)) if value != "" else None

    return person


def key_rule(hashed: Callable[[str], str]) -> Rule:
    """A virtual key's id: LiteLLM's SHA-256 as it is; anything else may be the key itself and is hashed."""

    def key(value: object) -> object:
        if not isinstance(value, str):
            return None if value is None else WITHHELD
        return value if _SHA256.fullmatch(value) else hashed(value) if value else None

    return key


def address_rule(text: Rule) -> Rule:
    """An endpoint without user, password, query and fragment, and without a slash at its end."""

    def bare(value: str) -> object:
        try:
            parts = urlsplit(value)
        except ValueError:
            return WITHHELD
        host = parts.netloc.rpartition("@")[2]
        found = f"{parts.scheme}://{host}{parts.path}" if host else parts.path.rpartition("@")[2]
        return text(found.rstrip("/"))

    known = lru_cache(_KNOWN_ADDRESSES)(bare)

    def address(value: object) -> object:
        if not isinstance(value, str):
            return None if value is None else WITHHELD
        return known(value) if len(value) <= LONGEST_TEXT else bare(value)

    return address


def path_rule(text: Rule) -> Callable[[str], str]:
    """A file's path as text, folder by folder: gateways name folders after keys, which people name after people."""

    def path(value: str) -> str:
        return "/".join(str(text(part) or "") for part in value.replace("%40", "@").split("/"))

    return path


def tags_rule(text: Rule) -> Rule:
    """Request tags, without the `User-Agent:` ones that LiteLLM adds of its own."""

    def tags(value: object) -> object:
        found = json_value(value) if isinstance(value, str) else value
        if not isinstance(found, list):
            return None if found in (None, {}) else WITHHELD
        return [
            shown
            for tag in found[:_MOST_TAGS]
            if isinstance(tag, str) and not tag.startswith("User-Agent:") and (shown := text(tag)) is not None
        ] or None

    return tags


def count(value: object) -> object:
    """A whole number; text of digits (CSV) becomes one."""
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str):
        return None if value == "" else int(value) if _WHOLE.fullmatch(value) else WITHHELD
    return None if value is None else WITHHELD


def money(value: object) -> object:
    """An amount as decimal text, landed as text so that no reader makes a float of it.

    LiteLLM writes costs as the shortest text of a double (Python's float, PostgreSQL's float8); `str` gives back just
    that text, so the amount is the one that was written, digit for digit.
    """
    if type(value) is float or type(value) is int:
        return str(value)
    if isinstance(value, str):
        return None if value == "" else value if len(value) <= 64 and _NUMBER.fullmatch(value) else WITHHELD
    return None if value is None else WITHHELD


def flag(value: object) -> object:
    """True, False or nothing; SpendLogs write them as the texts of Python."""
    if value is None or isinstance(value, bool):
        return value
    return _FLAGS.get(value.lower(), WITHHELD) if isinstance(value, str) else WITHHELD


def truth(value: object) -> object:
    """True, False or nothing, which some logs also write as 1 and 0."""
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else flag(value)


def instant(value: object) -> object:
    """A point in time as the log writes it: seconds, or text of date and time."""
    if type(value) is float or type(value) is int:
        return value if abs(value) < 2**53 else WITHHELD
    if isinstance(value, str):
        return None if value == "" else value if _INSTANT.fullmatch(value) else WITHHELD
    return None if value is None else WITHHELD


def json_value(content: str | bytes) -> object:
    """What the JSON says; None for empty text and `WITHHELD` for what is no JSON."""
    if not content:
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass  # lone surrogates, NaN, integers beyond 64 bits: json reads what orjson refuses
    try:
        return json.loads(content, parse_constant=str)
    except (ValueError, RecursionError):
        return WITHHELD


def _printable(found: str) -> str:
    """One normal form, without control and direction characters: look-alike keys would split a team's figures."""
    normal = unicodedata.normalize("NFC", found.encode("utf-8", "replace").decode())
    return "".join(sign for sign in normal if unicodedata.category(sign) not in {"Cc", "Cf", "Cs"})
