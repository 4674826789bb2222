"""Samples from a Prometheus server, or one that speaks its API: asking for a window, and reading the answers.

API: https://prometheus.io/docs/prometheus/latest/querying/api/ (query_range). One request asks for every metric of a
stretch of hours, so that one page holds whole samples.

Here belongs: queries, and what an answer says of itself. Here does not belong: what labels and values mean.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from connectors.base import Bytes, IncompleteDeliveryError, LandedPage, Page, SourceError, Window
from connectors.dcgm.metrics import METRICS, is_dcgm, is_silent
from connectors.dcgm.samples import PageSamples, Subjects
from connectors.dcgm.settings import DcgmSettings
from connectors.http import HttpSession, Pace


def open_session(settings: DcgmSettings, pace: Pace) -> HttpSession:
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


def fetch_answers(settings: DcgmSettings, window: Window, session: HttpSession) -> Iterator[Page]:
    """One answer for each stretch of `chunk_hours`, oldest first.

    Raises IncompleteDeliveryError when the server says that an answer is partial, SourceError as the session does.
    """
    chunk, step = timedelta(hours=settings.chunk_hours), timedelta(seconds=settings.step_seconds)
    start = window.start
    while start < window.end:
        end = min(start + chunk, window.end)
        asked = {
            "query": selector(settings),
            "start": _epoch(start),
            "end": _epoch(end - step),  # both ends are included: the next stretch begins with the next step
            "step": str(settings.step_seconds),
        }
        name = f"query_range/{start:%Y-%m-%dT%H:%M}Z"
        body = session.get(f"{settings.url}/api/v1/query_range", asked).body
        read_matrix(body, name)
        yield Page(name, Bytes(body))
        start = end


def selector(settings: DcgmSettings) -> str:
    """The query: every metric that has a column, and the settings' own matchers."""
    more = f",{settings.selector}" if settings.selector else ""
    return f'{{__name__=~"{"|".join(METRICS)}"{more}}}'


def probe_server(settings: DcgmSettings, session: HttpSession) -> str:
    """Which of the metrics the server knows, in one line."""
    path = f"{settings.url}/api/v1/label/__name__/values"
    found = _success(session.get(path, {"match[]": selector(settings)}).body, path).get("data")
    names = sorted(name for name in found if isinstance(name, str)) if isinstance(found, list) else []
    if not names:
        raise SourceError(
            f"{settings.url} holds no metric of dcgm-exporter. Is it scraped by this server, and does 'selector' fit?"
        )
    return f"{settings.url} holds {len(names)} GPU metrics: {', '.join(names)}"


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


def read_answer(page: LandedPage, into: PageSamples, subjects: Subjects) -> None:
    """Reads an answer's values into samples. Rows count the values of the page, from 1; a series without any is one.

    Raises IncompleteDeliveryError and SourceError as `read_matrix`.
    """
    with page.body.open() as stream:
        matrix = read_matrix(stream.read(), page.name)
    row = 0
    for series in matrix:
        labels, values = series.get("metric"), series.get("values")
        if not isinstance(labels, dict) or not isinstance(values, list):
            row += 1
            into.refuse(row, "unreadable_series", "expected 'metric' and 'values'", _payload(series))
            continue
        _read_series(labels, values, row, into, subjects)
        row += len(values)


def _read_series(labels: Mapping[str, str], values: list[Any], row: int, into: PageSamples, subjects: Subjects) -> None:
    name = labels.get("__name__", "")
    metric = METRICS.get(name)
    if metric is None and (not is_dcgm(name) or is_silent(name)):
        return
    payload = _payload(labels)  # of the series: one of its values stands in the words of its reject
    try:
        known = subjects.learn(labels)
    except ValueError as error:
        into.refuse(row + 1, "no_gpu_uuid", str(error), payload)
        return
    for number, pair in enumerate(values, row + 1):
        try:
            instant, text = pair
            millisecond, value = round(instant * 1000), float(text)
        except (TypeError, ValueError, OverflowError):
            detail = 'expected [SECONDS, "VALUE"]. The sample is kept without it.'
            into.refuse(number, "unreadable_value", detail, _payload({"metric": labels, "value": pair}))
            continue
        if metric is None:
            into.put_unknown(known, millisecond, name, text, number, payload)
        else:
            into.put(known, millisecond, metric, value, number, payload)


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
    return str(int(naive.replace(tzinfo=UTC).timestamp()))
