"""Words and dates on paper: names made safe to show, labels for the vocabulary of the tables, days in words.

Here belongs: anything that turns a stored word into a printed one. Here does not belong: money, layout.
"""

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta

NAME_LIMIT = 120  # a name longer than two printed lines is no longer a name
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)  # not strftime: a process's locale must not change a statement

KIND_LABELS = {"api": "Model APIs", "gpu": "GPUs", "other": "Other"}
RULE_LABELS = {
    "direct": "Owned outright (key, project, namespace or tag)",
    "priced_tokens": "Split by priced tokens in the request log",
    "gpu_seconds": "Split by GPU time held",
    "pool": "Share of a pool, by weighted tokens",
    "residual": "Left over by another split",
}
GPU_STATE_LABELS = {
    "effective": "Effective",
    "under_used": "Under-used",
    "allocated_idle": "Allocated, idle",
    "warm_standby": "Idle on purpose (warm standby)",
    "unknown": "Unknown (no sample that tells)",
    "unallocated": "Held by no team",
    "unhealthy": "Unhealthy",
}
RESIDUAL_LABELS = {
    "idle": "Idle GPUs that no team held",
    "unknown_gpu": "GPU time of which nobody knows the holder",
    "unhealthy_gpu": "GPU time lost to faults",
    "unowned_gpu": "GPUs held by a namespace without an owner",
    "unowned_usage": "Usage without an owner",
    "unallocated": "Unallocated: no owner, or no use to split by",
}


def clean(text: str, limit: int = NAME_LIMIT) -> str:
    """`text` as it may be shown: one line, at most `limit` characters, no control or direction-override character.

    Zero-width joiners stay (emoji and several scripts need them); what looks alike stays distinct, nothing is folded.
    """
    kept: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if category in {"Cc", "Zl", "Zp"}:
            kept.append(" ")
        elif category == "Cs":
            kept.append("\N{REPLACEMENT CHARACTER}")
        elif category != "Cf" or character in "\u200c\u200d":
            kept.append(character)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def residual_label(account: str) -> str:
    """A residual account in words; one without words keeps its own name."""
    name = account.removeprefix("residual:")
    return RESIDUAL_LABELS.get(name, clean(name.replace("_", " ")) or "Unnamed residual")


def day_label(day: date) -> str:
    """A day such as "14 Jul"."""
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def instant_label(instant: datetime) -> str:
    """A UTC instant such as "3 Aug 2026, 02:10 UTC"."""
    return f"{day_label(instant.date())} {instant.year}, {instant:%H:%M} UTC"


def days_label(days: Sequence[date]) -> str:
    """Days as runs, such as "4 Jul, 7-9 Jul"."""
    runs: list[list[date]] = []
    for day in sorted(set(days)):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(_run_label(run[0], run[-1]) for run in runs)


def _run_label(first: date, last: date) -> str:
    if first == last:
        return day_label(first)
    start = str(first.day) if (first.year, first.month) == (last.year, last.month) else day_label(first)
    return f"{start}–{day_label(last)}"
