"""The truth of the pods that serve the company's own model: what their engines counted, what they held, what they lost.

Here belongs: sums of the story. Here does not belong: the files that tell of it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from sample.calls import COUNTED, Call, Served
from sample.company import SELF_HOSTED
from sample.pods import FAILED, REPLACED_ON, REPLACEMENT, standing

_TOLD = COUNTED[:4]


def true_serving(served: Served, days: Sequence[date]) -> Mapping[str, object]:
    """The keys of the truth that engines and pods have a part in, for these days."""
    calls = [call for of_pod in served.values() for call in of_pod]
    start, end = datetime.combine(days[0], time()), datetime.combine(days[-1], time()) + timedelta(days=1)
    return {
        "engine_tokens": {str(day): {SELF_HOSTED: counts} for day, counts in _counts(calls, days).items()},
        "unlogged_engine_tokens": {
            str(day): {SELF_HOSTED: counts}
            for day, counts in _counts([call for call in calls if not call.is_logged], days).items()
            if any(counts.values())
        },
        "gpu_seconds_held": {pod.name: pod.held_seconds(start, end) for pod in standing(days)},
        "pod_replacement": _replacement(served) if REPLACED_ON in days else None,
    }


def _counts(calls: Iterable[Call], days: Sequence[date]) -> Mapping[date, Mapping[str, int]]:
    """By day: an engine counts a request when it ends."""
    found = {day: Counter[str](dict.fromkeys(_TOLD, 0)) for day in days}
    for call in calls:
        if call.ended_at.date() in found:
            found[call.ended_at.date()].update(dict(zip(_TOLD, call.counts, strict=False)))
    return found


def _replacement(served: Served) -> Mapping[str, object]:
    """How long GPUs were held after the last request, and before the first."""
    last = max(call.ended_at for call in served[FAILED])
    first = min(call.started_at for call in served[REPLACEMENT])
    return {
        "released": FAILED.name,
        "last_request_ended_at": last.isoformat(timespec="milliseconds"),
        "released_at": FAILED.held_until.isoformat(),
        "started": REPLACEMENT.name,
        "held_from": REPLACEMENT.held_from.isoformat(),
        "first_request_at": first.isoformat(timespec="milliseconds"),
    }
