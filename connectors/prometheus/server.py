"""Series from a Prometheus server, or one that speaks its API: asking for a window, and reading the answers.

API: https://prometheus.io/docs/prometheus/latest/querying/api/ (query_range).

Here belongs: queries, and what an answer says of itself. Here does not belong: what labels and values mean.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from connectors.base import Bytes, IncompleteDeliveryError, LandedPage, Page, SourceError, Window
from connectors.http import HttpSession, Pace
from connectors.prometheus.readings import Reader, Reading, Subject, UnreadableError, milliseconds
from connectors.prometheus.refusals import Refusals
from connectors.prometheus.settings import PrometheusSettings

AVERAGED = "averaged_metric"
"""The label that says of which metric an average is: functions over time drop the name."""


def open_session(settings: PrometheusSettings, pace: Pace) -> HttpSession:
    """A session with the settings' credentials."""
    headers = {"Accept": "application/json"}
    if settings.bearer_token is not None:
        headers["Authorization"] = f"Bearer {settings.bearer_token.get_secret_value()}"
    if settings.tenant is not None:
        headers["X-Scope-OrgID"] = settings.tenant
    basic = None
    if settings.username is not None and settings.password is not None:
        basic = (settings.username, settings.password.get_secret_value())
    return HttpSession(headers=headers, basic_auth=basic, pace=pace)


def matching(settings: PrometheusSettings, metrics: Iterable[str], *matchers: str) -> str:
    """The query for every series of these metrics (names, or regular expressions) that the matchers let through.

    Such as `{__name__=~"kube_node_info|kube_node_labels",node="n1"}`; the settings' own `selector` is added.
    """
    more = [matcher for matcher in (*matchers, settings.selector) if matcher]
    return "{" + ",".join([f'__name__=~"{"|".join(metrics)}"', *more]) + "}"


def averaging(settings: PrometheusSettings, highest: Mapping[str, float], others: Iterable[str]) -> str:
    """The query for the average of metrics over each step, beside others as they stand at its end.

    A step with a value outside of 0 to the metric's `highest` (a sentinel for "no reading", an impossible one), or with
    none, has the value that stands at its end, as it came. A series that ended within the step has none: its average
    would stand beside that of what followed it.

    Args:
        settings: `selector` is added to each; `step_seconds` is averaged over. The range ends just short of the step:
            servers before 3.0 would count the reading of the step before, too.
        highest: the metrics to average, with the highest value that is a reading.
        others: names of metrics that are taken as they stand.
    """
    chosen = "{" + (settings.selector or "") + "}"
    window = f"[{settings.step_seconds * 1000 - 1}ms]"
    parts: list[str] = []
    for name, bound in highest.items():
        now, before = f"{name}{chosen}", f"{name}{chosen}{window}"
        readings = f"min_over_time({before})>=0 and max_over_time({before})<={bound:g}"
        average = f"avg_over_time({before})>=0 and {readings} and {now}"
        parts.append(f'label_replace({average} or {now},"{AVERAGED}","{name}","","")')
    return " or ".join([*parts, matching(settings, others)])


def fetch_answers(
    settings: PrometheusSettings, window: Window, queries: Mapping[str, str], session: HttpSession
) -> Iterator[Page]:
    """One answer for each query and stretch of `chunk_hours`, oldest first. `queries` are named, for the pages' names.

    Raises IncompleteDeliveryError when the server says that an answer is partial, SourceError as the session does.
    """
    chunk, step = timedelta(hours=settings.chunk_hours), timedelta(seconds=settings.step_seconds)
    start = window.start
    while start < window.end:
        end = min(start + chunk, window.end)
        for title, query in queries.items():
            asked = {
                "query": query,
                "start": _epoch(start),
                "end": _epoch(end - step),  # both ends are included: the next stretch begins with the next step
                "step": str(settings.step_seconds),
            }
            name = f"query_range/{title}/{start:%Y-%m-%dT%H:%M}Z"
            body = session.get(f"{settings.url}/api/v1/query_range", asked).body
            read_matrix(body, name)
            yield Page(name, Bytes(body))
        start = end


def metric_names(settings: PrometheusSettings, query: str, session: HttpSession) -> list[str]:
    """The names of the metrics that the server holds of a query of the form that `matching` gives, sorted."""
    path = f"{settings.url}/api/v1/label/__name__/values"
    found = _success(session.get(path, {"match[]": query}).body, path).get("data")
    return sorted(name for name in found if isinstance(name, str)) if isinstance(found, list) else []


def read_matrix(body: bytes, name: str) -> list[dict[str, Any]]:
    """The series of an answer.

    Raises IncompleteDeliveryError when the answer is cut off or its server calls it partial, SourceError when it is
    no answer to query_range.
    """
    answer = _success(body, name)
    if answer.get("warnings"):
        raise IncompleteDeliveryError(
            f"{name}: the server warns that the answer is partial: {str(answer['warnings'])[:300]}. "
            "Nothing was committed; run again when its stores are well."
        )
    found = answer.get("data")
    if not isinstance(found, dict) or found.get("resultType") != "matrix" or not isinstance(found.get("result"), list):
        raise SourceError(f"{name}: expected a matrix, as query_range answers. Is 'url' a Prometheus server?")
    return found["result"]


def read_answer(page: LandedPage, reader: Reader[Subject], refusals: Refusals) -> Iterator[Reading[Subject]]:
    """The readings of an answer. Rows count the values of the page, from 1; a series without any counts as one.

    Raises IncompleteDeliveryError and SourceError as `read_matrix`.
    """
    with page.body.open() as stream:
        matrix = read_matrix(stream.read(), page.name)
    row = 0
    for series in matrix:
        labels, values = series.get("metric"), series.get("values")
        if not isinstance(labels, dict) or not isinstance(values, list):
            row += 1
            refusals.refuse(row, "unreadable_series", "expected 'metric' and 'values'", _payload(series))
            continue
        yield from _read_series(labels, values, row, reader, refusals)
        row += len(values)


def _read_series(
    labels: Mapping[str, str], values: list[Any], row: int, reader: Reader[Subject], refusals: Refusals
) -> Iterator[Reading[Subject]]:
    name = labels.get(AVERAGED) or labels.get("__name__", "")
    if not reader.wants(name):
        return
    payload = _payload(labels)  # of the series: one of its values stands in the words of its reject
    try:
        subject = reader.learn({label: value for label, value in labels.items() if label != AVERAGED})
    except UnreadableError as error:
        refusals.refuse(row + 1, error.reason, str(error), payload)
        return
    for number, pair in enumerate(values, row + 1):
        try:
            instant, text = pair
            millisecond, value = round(instant * 1000), float(text)
        except (TypeError, ValueError, OverflowError):
            detail = 'expected [SECONDS, "VALUE"]. The sample is kept without it.'
            refusals.refuse(number, "unreadable_value", detail, _payload({"metric": labels, "value": pair}))
            continue
        yield Reading(number, name, subject, millisecond, value, text, payload)


def _success(body: bytes, name: str) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise IncompleteDeliveryError(
            f"{name}: the answer ends too early or is no JSON ({error}). Nothing was committed; run again."
        ) from None
    if not isinstance(answer, dict) or answer.get("status") != "success":
        said = str(answer.get("error"))[:300] if isinstance(answer, dict) else "no object"
        raise SourceError(f"{name}: the server could not answer: {said}")
    return answer


def _payload(found: object) -> str:
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()


def _epoch(naive: datetime) -> str:
    return str(milliseconds(naive) // 1000)
