"""View-models into documents: HTML for browsers and mail, plain text with the same figures.

Here belongs: templates and their environment. Here does not belong: figures, or any string that skips escaping.
"""

import base64
from functools import cache
from pathlib import Path

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.chart import daily_svg
from reports.glossary import DEFINITIONS
from reports.month import Month
from reports.overview import Overview
from reports.statement import Statement

_TEMPLATES = Path(__file__).parent / "templates"
_WIDE, _NARROW = 612, 330


def render_html(statement: Statement) -> str:
    """One self-contained HTML document for browsers: nothing is loaded from anywhere."""
    return _html("statement.html.j2", statement, _pictures(statement.month), "")


def render_text(statement: Statement) -> str:
    """The same figures as plain text, one line a row."""
    return _environment(escaped=False).get_template("statement.txt.j2").render(it=statement, definitions=DEFINITIONS)


def render_overview(overview: Overview) -> str:
    """The index page: the company's month, with links to the statements beside it."""
    return _html("overview.html.j2", overview, _pictures(overview.month), "")


def render_mail_html(statement: Statement, chart_id: str, folder_url: str = "") -> str:
    """The document for mail: styles on every element, the chart by its content id instead of inside the page.

    What is on the elements is not said again, and what is left is short: mail programs cut off what is above 100 kB.

    Files beside the statement are links where `folder_url` says where their folder is served; else they are named.
    """
    base = f"{folder_url.rstrip('/')}/" if folder_url else None
    page = _html("statement.html.j2", statement, {"wide": f"cid:{chart_id}", "narrow": ""}, base)
    return css_inline.inline(page, keep_at_rules=True, minify_css=True, load_remote_stylesheets=False)


def _html(template: str, view: Statement | Overview, pictures: dict[str, str], base: str | None) -> str:
    style = (_TEMPLATES / "style.css").read_text("utf-8")
    page = _environment(escaped=True).get_template(template)
    return page.render(it=view, pictures=pictures, style=style, base=base, definitions=DEFINITIONS)


def _pictures(month: Month) -> dict[str, str]:
    widths = {"wide": _WIDE, "narrow": _NARROW}
    return {name: _picture(daily_svg(month.days, month.currency, width)) for name, width in widths.items()}


def _picture(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


@cache
def _environment(*, escaped: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=escaped,  # noqa: S701 - off for plain text only, where escapes would be printed
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
