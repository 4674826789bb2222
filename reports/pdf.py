"""The statement as PDF: the same strings as in HTML, set on paper.

Here belongs: handing a view-model to the typesetter. Here does not belong: figures, or any string that is markup.
"""

import json
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

import typst

from reports.chart import daily_svg
from reports.given import StatementError
from reports.glossary import DEFINITIONS
from reports.statement import Statement
from reports.tables import Row, Table
from reports.wording import clean

_TEMPLATE = Path(__file__).parent / "templates" / "statement.typ"
_CHART_WIDTH = 612


def render_pdf(statement: Statement) -> bytes:
    """A4 pages; the same statement gives the same bytes, with the instant of the figures as the file's date.

    Only fonts that the typesetter brings along are used, so that two machines agree. Raises StatementError where the
    typesetter cannot set it.
    """
    told = json.dumps(_told(statement), ensure_ascii=False)
    try:
        made: Any = typst.compile(
            _template(),
            font_paths=_fonts(),
            format="pdf",
            sys_inputs={"statement": told},
            timestamp=int(statement.month.period.as_of.replace(tzinfo=UTC).timestamp()),
        )
    except RuntimeError as error:  # TypstError is one, and what its workers raise
        raise StatementError(
            f"the PDF of {clean(statement.team_name)} cannot be typeset ({type(error).__name__}: "
            f"{clean(str(error), 300)}); leave 'pdf' out of `reports` in the configuration until that is mended"
        ) from error
    return bytes(made)


def _told(statement: Statement) -> dict[str, Any]:
    month = statement.month
    return {
        "title": f"{statement.team_name}: AI costs, {month.period.label}",
        "company": month.company,
        "team": statement.team_name,
        "number": statement.number,
        "unit": statement.unit_line,
        "period": month.period.label,
        "headline": month.banner.headline,
        "banner": month.banner.text,
        "total": month.total_text,
        "apart": month.apart_text,
        "change": month.change_text,
        "kinds": month.kinds,
        "chart": daily_svg(month.days, month.currency, _CHART_WIDTH),
        "chart_text": month.chart_text,
        "chart_note": month.chart_note,
        "glance": [_table(table) for table in statement.glance],
        "own": [_table(table) for table in statement.team_tables],
        "company_tables": [_table(table) for table in statement.company_tables],
        "words": list(DEFINITIONS.items()),
        "notes": month.footnotes,
        "foot": f"{statement.team_name}, {month.period.label}, {month.banner.headline.lower()}, {statement.number}",
    }


def _table(table: Table) -> dict[str, Any]:
    total = None if table.total is None else _row(table.total)
    rows = [_row(row) for row in table.rows]
    told = {
        "title": table.title,
        "headings": table.headings,
        "lead": table.lead,
        "remark": table.remark,
    }
    return {**told, "rows": rows, "total": total}


def _row(row: Row) -> dict[str, Any]:
    return {"label": row.label, "cells": row.cells, "note": row.note, "ask": row.ask}


@cache
def _fonts() -> Any:
    return typst.Fonts(include_system_fonts=False)


@cache
def _template() -> bytes:
    return _TEMPLATE.read_bytes()
