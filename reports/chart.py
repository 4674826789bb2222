"""The daily chart: stacked bars by cost kind, in colours that the colour-blind can tell apart.

Here belongs: drawing days as SVG or PNG, without a browser. Here does not belong: figures; amounts pass as they are.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert

from reports.daily import DayCost
from reports.money import ZERO
from reports.png import packed
from reports.wording import KIND_LABELS, UNUSED_LABELS

# Okabe and Ito's palette (2008), told apart with any colour vision. Other is last because it is least.
COLOURS = {"api": "#0072b2", "gpu": "#e69f00", "other": "#009e73"}
_MORE_COLOURS = ("#cc79a7", "#d55e00", "#7f7f7f")  # of kinds beyond these, in their order: style.css has the same
_LABELS = KIND_LABELS | UNUSED_LABELS
_INK, _MUTED, _RULE, _GAP = "#1f2430", "#5b6472", "#e4e7ec", "#eceef2"
_FONT = "Inter, Roboto, Helvetica, Arial, sans-serif"
# The picture follows the reader's colour scheme by itself, wherever it is shown as SVG.
_DARK = (
    "<style>@media (prefers-color-scheme:dark){"
    f'text{{fill:#c3c9d4}}[stroke="{_RULE}"]{{stroke:#343b47}}[fill="{_GAP}"]{{fill:#2a303b}}'
    f'[fill="{COLOURS["api"]}"]{{fill:#56b4e9}}}}</style>'
)


def daily_svg(days: Sequence[DayCost], currency: str, width: int = 600) -> str:
    """The chart as SVG on a transparent ground, `width` pixels wide, for light and dark pages alike.

    It has no legend: the page around it shows the kinds with their colours and amounts.
    """
    svg = vl_convert.vegalite_to_svg(_spec(days, currency, width, "transparent", legend=None))
    head, mark, rest = svg.partition(">")
    return head + mark + _DARK + rest


def daily_png(days: Sequence[DayCost], currency: str, width: int = 520) -> bytes:
    """The chart as PNG on solid white at twice the width: mail clients that invert colours cannot hide its text."""
    return packed(vl_convert.vegalite_to_png(_spec(days, currency, width, "#ffffff", legend=_legend()), scale=2))


def _spec(
    days: Sequence[DayCost], currency: str, width: int, background: str, legend: alt.Legend | None
) -> dict[str, Any]:
    kinds = [*COLOURS, *sorted({kind for day in days for kind in day.costs} - set(COLOURS))]
    shown = [kind for kind in kinds if any(day.costs.get(kind, ZERO) for day in days)] or ["api"]
    x = alt.X("day:O", axis=_day_axis(len(days)), scale=alt.Scale(paddingInner=0.28, paddingOuter=0.14))
    bars = (
        alt.Chart(_bar_values(days, shown))
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y("cost:Q", axis=_cost_axis(currency), stack="zero"),
            color=alt.Color("kind:N", scale=_colours(shown), legend=legend),
            order=alt.Order("rank:Q"),
        )
    )
    gaps = alt.Chart(alt.Data(values=[{"day": d.day.day} for d in days if d.is_missing])).mark_rect(
        color=_GAP, width=alt.RelativeBandSize(band=1.38)
    )
    layers = alt.layer(gaps.encode(x=x), bars).properties(width=width, height=190)
    chart = layers.configure(background=background, font=_FONT, padding=6).configure_view(stroke=None)
    fitted = chart.properties(autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    return fitted.to_dict()


def _bar_values(days: Sequence[DayCost], kinds: Sequence[str]) -> alt.Data:
    """Amounts stay text: the drawing library reads the numbers itself, and no amount of ours becomes a float."""
    values = [
        {"day": d.day.day, "kind": _LABELS.get(kind, kind), "rank": rank, "cost": f"{d.costs.get(kind, ZERO):f}"}
        for d in days
        for rank, kind in enumerate(kinds)
    ]
    return alt.Data(values=values, format=alt.DataFormat(parse={"cost": "number"}, type="json"))


def _colours(kinds: Sequence[str]) -> alt.Scale:
    more = [kind for kind in kinds if kind not in COLOURS]
    colours = COLOURS | dict(zip(more, [*_MORE_COLOURS, *[_MORE_COLOURS[-1]] * len(more)], strict=False))
    return alt.Scale(
        domain=[_LABELS.get(kind, kind) for kind in kinds],
        range=[colours[kind] for kind in kinds],
    )


def _day_axis(day_count: int) -> alt.Axis:
    return alt.Axis(
        title=None,
        values=[day for day in (1, 5, 10, 15, 20, 25, 30) if day <= day_count],
        labelAngle=0,
        labelColor=_MUTED,
        labelFontSize=12,
        ticks=False,
        domainColor=_RULE,
        labelPadding=6,
    )


def _cost_axis(currency: str) -> alt.Axis:
    return alt.Axis(
        title=None if currency == "USD" else currency,
        format="$,~f" if currency == "USD" else ",~f",
        tickCount=4,
        labelColor=_MUTED,
        labelFontSize=12,
        gridColor=_RULE,
        domain=False,
        ticks=False,
        labelPadding=6,
    )


def _legend() -> alt.Legend:
    return alt.Legend(
        title=None,
        orient="top",
        direction="horizontal",
        labelColor=_INK,
        labelFontSize=12,
        symbolType="square",
        symbolSize=90,
        offset=8,
    )
