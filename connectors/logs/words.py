"""A log's own words and what settings say that they mean: reading them, refusing them, and proposing what may be meant.

Here belongs: `words` of a mapping, for any field of status or truth. Here does not belong: which fields have words.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, cast

from pydantic import BeforeValidator

from connectors.logs.attempt import Record, RowError
from connectors.logs.values import flag
from connectors.names import nearest
from connectors.settings_rules import Wrong

ENDS = ("success", "failure")
TRUTHS = ("true", "false")
_MOST_WORDS = 8
_LONGEST_WORD = 40
_OF_YAML = {True: ("true", "yes", "on"), False: ("false", "no", "off")}  # what YAML 1.1 takes for truth values
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_RESERVED = {*_OF_YAML[True], *_OF_YAML[False], "null", "y", "n"}
_WELL = re.compile(
    r"(ok(ay)?|succe.*|done|complet.*|finish.*|pass(ed)?|good|fine|stop|length|end_turn|[123]\d\d\b.*)", re.IGNORECASE
)
_BAD = (
    r"((?<![a-z])err|error|fail|exce(pt|ed)|time.?d?.?out|cancel|abort|interrupt|refus|reject|den(y|ied)|invalid|"
    r"unavailable|throttl|limit|block|bad|broken|crash|kill|drop|lost|unauthori|forbidden|not.?found|un-?succe|not.?ok)"
)
_BADLY = re.compile(rf".*{_BAD}.*|[45]\d\d\b.*", re.IGNORECASE)
_CONTRARY = re.compile(rf"(.*[^a-z])?(no|non|un|without|zero)[-_ ]*{_BAD}.*|.*{_BAD}[a-z]*[-_ ]*free", re.IGNORECASE)
"""Words that say the contrary of what stands in them: NO_ERROR, error_free, unblocked."""
_YES = re.compile(r"(hit|yes|y|1|t|on|cached|warm)", re.IGNORECASE)
_NO = re.compile(r"(miss(ed)?|no|n|0|f|off|none|cold|bypass(ed)?)", re.IGNORECASE)


def _text_of(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float | Decimal | date) else value


def _as_written(words: object) -> object:
    """YAML makes truth values and numbers of words. One that it takes for a truth value stands for all such words."""
    if not isinstance(words, Mapping):
        return words
    given = cast("Mapping[object, object]", words)
    return {
        name: _texts(cast("Mapping[Any, object]", of)) if isinstance(of, Mapping) else of for name, of in given.items()
    }


def _texts(words: Mapping[Any, object]) -> dict[Any, object]:
    found: dict[Any, object] = {}
    for word, meaning in words.items():
        found |= dict.fromkeys(_forms(word), _text_of(meaning))
    return found


def _forms(word: object) -> list[object]:
    if not isinstance(word, bool):
        return [_text_of(word)]
    return [form for text in _OF_YAML[word] for form in (text, text.title(), text.upper())]


Words = Annotated[dict[str, dict[str, str]], BeforeValidator(_as_written)]
"""What the log's words mean, by field; whatever YAML made of them."""


def translated(words: Mapping[str, Mapping[str, str]], landed: Record) -> dict[str, Any]:
    """The landed record with its words in place of the log's."""
    record = dict(landed)
    for name, meanings in words.items():
        if name in record:
            record[name] = meanings.get(record[name], record[name])
    return record


def wrong_words(words: Mapping[str, Mapping[str, str]], meanings: Mapping[str, Sequence[str]]) -> list[Wrong]:
    """What settings say of words and cannot hold, each at the line of the word.

    `meanings` are the fields that may have words, and what these may mean: nothing where any text will do.
    """
    found: list[Wrong] = []
    for name, said in words.items():
        if name not in meanings:
            meant = nearest(name, meanings)
            advice = (
                f"did you mean {meant!r}?" if meant else f"words can be of {', '.join(meanings) or 'no field here'}"
            )
            found.append(Wrong(("words", name), f"{name!r} is no field of words that `fields` names; {advice}"))
            continue
        found += [
            Wrong(("words", name, word), _wrong_meaning(name, word, meaning, meanings[name]))
            for word, meaning in said.items()
            if meanings[name] and not _is_among(meaning, meanings[name])
        ]
    return found


def _is_among(meaning: str, allowed: Sequence[str]) -> bool:
    return isinstance(flag(meaning), bool) if tuple(allowed) == TRUTHS else meaning in allowed


def _wrong_meaning(name: str, word: str, meaning: str, allowed: Sequence[str]) -> str:
    said = f"{name} is {' or '.join(allowed)}, and cannot be {meaning!r}"
    if word in allowed:
        return f"{said}; the log's own word stands on the left: {{{yaml_word(meaning)}: {word}}}"
    meant = nearest(meaning, allowed) or guess(meaning, allowed)
    return f"{said}; did you mean {{{yaml_word(word)}: {meant}}}?" if meant else said


class UnknownWordError(RowError):
    """A word that settings do not explain. `known` are those of its field that they do."""

    def __init__(self, reason: str, name: str, word: str, allowed: Sequence[str], known: Mapping[str, str]) -> None:
        super().__init__(reason, unexplained(name, {word: 1}, allowed, known), name)
        self.word = word
        self.allowed = allowed
        self.known = known


def unexplained(name: str, counts: Mapping[str, int], allowed: Sequence[str], known: Mapping[str, str]) -> str:
    """What to do about words that nobody explained, `counts` of them: how often each came, the commonest first."""
    shown = sorted(counts, key=lambda word: -counts[word])[:_MOST_WORDS]
    numbers = [f"{_cut(word)!r}{f' ({counts[word]:,} x)' if len(counts) > 1 else ''}" for word in shown]
    more = f" and {len(counts) - len(shown)} words more" if len(counts) > len(shown) else ""
    guesses = {word: guess(word, allowed) for word in shown}
    entries = ", ".join(f"{yaml_word(word)}: {guesses[word] or '...'}" for word in shown)
    open_ones = "" if all(guesses.values()) else f", {' or '.join(allowed)} in place of the dots"
    it, each = ("it means", "it means") if len(shown) == 1 else ("they mean", "each means")
    tail = open_ones or f", if that is what {it}"
    near = next((of for word in shown for of in known if of.lower() == word.lower()), None)
    case = f"; words has {near!r}, and letters count as they stand" if near else ""
    return f"{name} is {', '.join(numbers)}{more}; say what {each} with words: {{{name}: {{{entries}}}}}{tail}{case}"


def guess(word: str, allowed: Sequence[str]) -> str | None:
    """What a word probably means by what people call things; None where its name does not tell."""
    good, bad = (_YES, _NO) if tuple(allowed) == TRUTHS else (_WELL, _BADLY)
    if bad is _BADLY and _CONTRARY.fullmatch(word.strip()):
        return None
    if bad.fullmatch(word.strip()):
        return allowed[1]
    return allowed[0] if good.fullmatch(word.strip()) else None


def yaml_word(word: str) -> str:
    """The word as it has to be written in YAML to stay that word."""
    is_plain = _PLAIN.fullmatch(word) and word.lower() not in _RESERVED
    return word if is_plain else json.dumps(_cut(word), ensure_ascii=False)


def _cut(word: str) -> str:
    return word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}..."
