"""The two ways in, side by side: a window's pages, the readings of a page, and what is there.

Here belongs: choosing the way that the settings name. Here does not belong: how either way works.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.base import LandedPage, Page, SourceError, Window
from connectors.http import Pace
from connectors.prometheus.exposition import read_scrape
from connectors.prometheus.readings import Reader, Reading, Subject
from connectors.prometheus.refusals import Refusals
from connectors.prometheus.scrapes import fetch_scrapes, probe_files
from connectors.prometheus.server import fetch_answers, matching, metric_names, open_session, read_answer
from connectors.prometheus.settings import PrometheusSettings

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def fetch_pages(settings: PrometheusSettings, window: Window, queries: Mapping[str, str], pace: Pace) -> Iterator[Page]:
    """The day's files, or the server's answers to each of the named queries.

    Raises SourceError (or a subclass) when what the window holds cannot be known.
    """
    if settings.scrapes is not None:
        yield from fetch_scrapes(settings, settings.scrapes, window)
        return
    with open_session(settings, pace) as session:
        yield from fetch_answers(settings, window, queries, session)


def read_page(
    settings: PrometheusSettings, page: LandedPage, reader: Reader[Subject], refusals: Refusals
) -> Iterator[Reading[Subject]]:
    """The readings of a landed page; what cannot be read goes to `refusals`.

    Raises IncompleteDeliveryError when the page is no whole one, SourceError when it is something else.
    """
    if settings.scrapes is not None:
        return read_scrape(page, reader, refusals)
    return read_answer(page, reader, refusals)


def require_wanted(settings: PrometheusSettings, readers: Iterable[Reader[Any]], exporter: str) -> None:
    """Raises SourceError where scrapes were read that hold metrics, but none of the exporter."""
    seen = {name: is_wanted for reader in readers for name, is_wanted in reader.wanted.items() if _NAME.fullmatch(name)}
    if settings.scrapes is not None and seen and not any(seen.values()):
        raise SourceError(
            f"{settings.scrapes}: the day's files hold no metric of {exporter}, but {', '.join(sorted(seen)[:3])}. "
            "Nothing is known of the day, which is not zero. Are these the scrapes of that exporter?"
        )


def probe(settings: PrometheusSettings, metrics: Iterable[str], exporter: str, pace: Pace) -> str:
    """What of the metrics (names, or regular expressions) the server or the location holds, in one line.

    Raises SourceError when it holds nothing of the exporter.
    """
    if settings.scrapes is not None:
        return probe_files(settings, settings.scrapes, metrics, exporter)
    with open_session(settings, pace) as session:
        names = metric_names(settings, matching(settings, metrics), session)
    if not names:
        raise SourceError(
            f"{settings.url} holds no metric of {exporter}. Is it scraped by this server, and does 'selector' fit?"
        )
    return f"{settings.url} holds {len(names)} metrics of {exporter}: {', '.join(names)}"
