"""FOCUS exports of AWS: read by the FOCUS reader, with what is AWS' own said for it."""

from collections.abc import Iterator, Sequence

from connectors.aws.bill_settings import AwsBillSettings
from connectors.base import LandedPage, Parsed, Window
from connectors.bills.files import open_lines
from connectors.focus import SOURCE, FocusSettings


def is_focus(page: LandedPage) -> bool:
    """Whether the file has the columns of FOCUS."""
    with open_lines(page) as lines:
        return lines.names.has("ChargeCategory") and lines.names.has("BilledCost")


def parse_focus(settings: AwsBillSettings, window: Window, pages: Sequence[LandedPage]) -> Iterator[Parsed]:
    """Chunks of rows and rejects."""
    focus = FocusSettings(
        name=settings.name,
        account=settings.account,
        location=settings.location,
        currency=settings.currency,
        provider="AWS",
        excess_precision="round",  # costs are binary floating point, also in CSV
    )
    yield from SOURCE.parse(focus, window, pages)
