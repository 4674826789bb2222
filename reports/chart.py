"""The daily chart: stacked bars by cost kind, in colours that the colour-blind can tell apart.

Here belongs: drawing days as SVG or PNG, without a browser. Here does not belong: figures; amounts pass as they are.
"""

from collections.abc import Sequence
from typing import Any

import vl_convert

from reports.daily import DayCost
from reports.money import ZERO
from reports.png import packed
from reports.wording import KIND_LABELS, UNUSED_LABELS

Spec = dict[str, Any]  # of Vega-Lite
# Okabe and Ito's palette (2008), told apart with any colour vision. Other is last because it is least.
COLOURS = {"api": "#0072b2", "gpu": "#e69f00", "other": "#009e73"}
_MORE_COLOURS = ("#cc79a7", "#d55e00", "#7f7f7f")  # of kinds beyond these, in their order: style.css has the same
_LABELS = KIND_LABELS | UNUSED_LABELS
_INK, _MUTED, _RULE, _GAP = "#1f2430", "#5b6472", "#e4e7ec", "#eceef2"
_FONT = "Inter, Roboto, Helvetica, Arial, sans-serif"
_HATCH = "url(#provisional)"
_STRIPES = (
    '<defs><pattern id="provisional" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect class="stripe" width="1.6" height="6" fill="#ffffff" fill-opacity="0.6"/>'
    "</pattern></defs>"
)
# The picture follows the reader's colour scheme by itself, wherever it is shown as SVG.
_DARK = (
    "<style>@media (prefers-color-scheme:dark){"
    f'text{{fill:#c3c9d4}}[stroke="{_RULE}"]{{stroke:#343b47}}[fill="{_GAP}"]{{fill:#2a303b}}'
    f'.stripe{{fill:#171a21}}[fill="{COLOURS["api"]}"]{{fill:#56b4e9}}}}</style>'
)


def daily_svg(days: Sequence[DayCost], currency: str, width: int = 600) -> str:
    """The chart as SVG on a transparent ground, `width` pixels wide, for light and dark pages alike.

    It has no legend: the page around it shows the kinds with their colours and amounts.
    """
    return _drawn(_spec(days, currency, width, "transparent", legend=None), _DARK)


def daily_png(days: Sequence[DayCost], currency: str, width: int = 520) -> bytes:
    """The chart as PNG on solid white at twice the width: mail clients that invert colours cannot hide its text."""
    drawn = _drawn(_spec(days, currency, width, "#ffffff", legend=_legend()))
    return packed(vl_convert.svg_to_png(drawn, scale=2))


def _drawn(spec: Spec, style: str = "") -> str:
    head, mark, rest = vl_convert.vegalite_to_svg(spec).partition(">")
    return head + mark + style + (_STRIPES if _HATCH in rest else "") + rest


def _spec(days: Sequence[DayCost], currency: str, width: int, background: str, legend: Spec | None) -> Spec:
    """The picture in Vega-Lite's own words (https://vega.github.io/vega-lite/docs/)."""
    kinds = [*COLOURS, *sorted({kind for day in days for kind in day.costs} - set(COLOURS))]
    shown = [kind for kind in kinds if any(day.costs.get(kind, ZERO) for day in days)] or ["api"]
    x: Spec = {
        "field": "day",
        "type": "ordinal",
        "axis": _day_axis(len(days)),
        "scale": {"paddingInner": 0.28, "paddingOuter": 0.14},
    }
    bars: Spec = {
        "data": _bar_values(days, shown),
        "mark": {"type": "bar"},
        "encoding": {
            "x": x,
            "y": {"field": "cost", "type": "quantitative", "axis": _cost_axis(currency), "stack": "zero"},
            "color": {"field": "kind", "type": "nominal", "scale": _colours(shown), "legend": legend},
            "order": {"field": "rank", "type": "quantitative"},
        },
    }
    gaps: Spec = {
        "data": {"values": [{"day": day.day.day} for day in days if day.is_missing]},
        "mark": {"type": "rect", "color": _GAP, "width": {"band": 1.38}},
        "encoding": {"x": x},
    }
    hatched = [day for day in days if day.is_provisional]
    stripes: Spec = {
        "data": _bar_values(hatched, shown),
        "mark": {"type": "bar", "fill": _HATCH},
        "encoding": {name: bars["encoding"][name] for name in ("x", "y", "order")} | {"detail": {"field": "kind"}},
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "layer": [gaps, bars, *([stripes] if hatched else [])],
        "width": width,
        "height": 190,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": {"background": background, "font": _FONT, "padding": 6, "view": {"stroke": None}},
    }


def _bar_values(days: Sequence[DayCost], kinds: Sequence[str]) -> Spec:
    """Amounts stay text: the drawing library reads the numbers itself, and no amount of ours becomes a float."""
    values = [
        {"day": d.day.day, "kind": _LABELS.get(kind, kind), "rank": rank, "cost": f"{d.costs.get(kind, ZERO):f}"}
        for d in days
        for rank, kind in enumerate(kinds)
    ]
    return {"values": values, "format": {"parse": {"cost": "number"}, "type": "json"}}


def _colours(kinds: Sequence[str]) -> Spec:
    more = [kind for kind in kinds if kind not in COLOURS]
    colours = COLOURS | dict(zip(more, [*_MORE_COLOURS, *[_MORE_COLOURS[-1]] * len(more)], strict=False))
    return {"domain": [_LABELS.get(kind, kind) for kind in kinds], "range": [colours[kind] for kind in kinds]}


def _day_axis(day_count: int) -> Spec:
    return {
        "title": None,
        "values": [day for day in (1, 5, 10, 15, 20, 25, 30) if day <= day_count],
        "labelAngle": 0,
        "labelColor": _MUTED,
        "labelFontSize": 12,
        "ticks": False,
        "domainColor": _RULE,
        "labelPadding": 6,
    }


def _cost_axis(currency: str) -> Spec:
    return {
        "title": None if currency == "USD" else currency,
        "format": "$,~f" if currency == "USD" else ",~f",
        "tickCount": 4,
        "labelColor": _MUTED,
        "labelFontSize": 12,
        "gridColor": _RULE,
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
    }


def _legend() -> Spec:
    return {
        "title": None,
        "orient": "top",
        "direction": "horizontal",
        "labelColor": _INK,
        "labelFontSize": 12,
        "symbolType": "square",
        "symbolSize": 90,
        "offset": 8,
    }
