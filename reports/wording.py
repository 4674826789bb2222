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
UNUSED_LABELS = {"unused_commitment": "Unused commitment", "unused_throughput": "Unused throughput"}
"""Kinds of cost that are shown where there is any."""
RULE_LABELS = {
    "direct": "Owned outright (key, project, namespace or tag)",
    "priced_tokens": "Split by priced tokens in the request log",
    "gpu_seconds": "Split by GPU time held",
    "unused": "Capacity that nobody used, by policy",
    "pool": "Share of a shared pool",
    "residual": "Left over by another split",
    "correction": "Known error on a bill, taken off",
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
    "unused_commitment": "Commitments that nobody used",
    "unused_throughput": "Provisioned throughput that nobody used",
    "unallocated": "Unallocated: no owner, or no use to split by",
    "errata": "Known errors on bills, until they are credited",
}
CAUSE_LABELS = {
    "bypass": ("Past the gateway", "Keys or accounts of which the log knows nothing"),
    "missing_log": ("Missing from the log", "Calls that the provider counted and the log lacks"),
    "aborted_stream": ("Streams that broke off", "Billed, and logged without their tokens"),
    "unknown_model": ("Logged under another name", "A name that nobody bills or prices"),
    "duplicate": ("Logged twice", "Calls that the log has more than once"),
    "day_boundary": ("Days that begin at another hour", "The bill's days are not the log's"),
    "cache_class": ("Cached tokens in another class", "Log and bill count them differently"),
    "refund": ("Refunds", "Tokens that the bill takes back"),
    "not_billed": ("In the log, not on the bill", "Not billed yet, or never"),
    "no_bill": ("No bill yet", "None has come for the month"),
    "left_out": ("A tier that the bill leaves out", "What it costs is on no report"),
    "other_period": ("Days of another month", "On this bill, compared in their own month"),
    "provisioned": ("Provisioned throughput", "Paid by the hour, not by the token"),
    "other_service": ("Other than tokens", "Searches, sessions and the like"),
    "credit": ("Credits", ""),
    "adjustment": ("Adjustments", "As the bill calls them"),
    "tax": ("Taxes", ""),
    "price_staleness": ("A price of another time", "The bill is at a price that holds no more, or not yet"),
    "tier": ("Another tier or context length", "What it costs more or less than the one logged"),
    "discount": ("Discount", "Billed below the known price"),
    "margin": ("Margin", "Billed above the known price"),
    "rounding": ("Rounding", "What the bill's lines can be rounded by"),
    "no_rate": ("No exchange rate", "Billed in a currency that the month has no rate for"),
    "unpriced": ("No known price", "Logged tokens that nobody prices"),
    "unexplained": ("Unexplained", "No cause found"),
}
"""Why bill and log differ: each cause of `reconciliation_causes`, and what it means."""


def cause_label(cause: str) -> tuple[str, str]:
    """A cause in words, and what it means; one without words keeps its own name."""
    return CAUSE_LABELS.get(cause, (clean(cause.replace("_", " ")), ""))


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
