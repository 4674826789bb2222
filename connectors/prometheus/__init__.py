"""Series of Prometheus exporters: from a server that answers query_range, or from scrapes kept as files.

A connector of an exporter subclasses `PrometheusSettings`, fetches with `pages.fetch_pages` and reads with
`pages.read_page`: labels by name, values by instant, refusals counted.

Here belongs: what all exporters share. Here does not belong: what any metric or label of one exporter means.
"""

from connectors.prometheus.pages import fetch_pages, probe, read_page, require_wanted
from connectors.prometheus.readings import Reader, Reading, UnreadableError, milliseconds
from connectors.prometheus.refusals import Refusals
from connectors.prometheus.server import averaging, matching
from connectors.prometheus.settings import PrometheusSettings

__all__ = [
    "PrometheusSettings",
    "Reader",
    "Reading",
    "Refusals",
    "UnreadableError",
    "averaging",
    "fetch_pages",
    "matching",
    "milliseconds",
    "probe",
    "read_page",
    "require_wanted",
]
