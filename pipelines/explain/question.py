"""What was asked: which rows of which table, in the words that people use, with the nearest name for each slip."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from contracts import contract
from pipelines.calendar import month_start
from pipelines.config.problems import nearest
from pipelines.explain.evidence import Evidence
from pipelines.explain.made_of import declared
from pipelines.explain.marts import Mart, explainable

_CALLED: Mapping[str, tuple[str, ...]] = {
    "month": ("billing_period", "period_start", "x_BillingPeriod"),
    "period": ("billing_period", "period_start", "x_BillingPeriod"),
    "day": ("charge_date", "usage_date", "slice_date"),
    "date": ("charge_date", "usage_date", "slice_date"),
    "team": ("team_id", "holder_team_id"),
    "provider": ("provider_name", "provider_id"),
    "service": ("service_name",),
    "model": ("model_id",),
    "kind": ("cost_kind", "outcome_kind"),
    "rule": ("rule_kind",),
    "state": ("gpu_state",),
    "layer": ("waste_layer",),
    "gpu": ("gpu_model_name",),
    "category": ("charge_category",),
    "currency": ("billing_currency",),
    "invoice": ("invoice_id",),
    "corrects": ("corrected_period",),
    "budget": ("budget_id",),
    "commitment": ("commitment_discount_id",),
    "source": ("x_source",),
}
"""Short names of columns, of which a table has one."""
_LINES = ("model_id", "service_name", "feature", "provider_name", "cost_kind", "rule_kind")
"""The columns by which a statement names its lines, in the order in which a name is looked for."""
STATEMENT = "chargeback"
_MONTH = "billing_period"
_MONTH_LENGTH = len("2026-10")


class QuestionError(Exception):
    """Nothing can be explained as it was asked: what is not there, and what is instead."""


@dataclass(frozen=True)
class Question:
    """Rows of a table: those of which every column in `where` has the value, as text; '' is NULL, too.

    `who` is a team or an account, `line` one line of its statement; both empty where the table was named.
    """

    mart: Mart
    where: Mapping[str, str] = field(default_factory=dict[str, str])
    who: str = ""
    line: str = ""


def question(what: str, rest: Sequence[str], where: Sequence[str]) -> Question:
    """The question in the words of the command line.

    Args:
        what: a month, 2026-10, or a table.
        rest: after a month a team or an account, and a line of its statement.
        where: texts such as `team=search,model=gpt-4o`.

    Raises:
        QuestionError: there is no such table or column.
    """
    is_month = len(what) == _MONTH_LENGTH and what[:4].isdigit()
    name = STATEMENT if is_month else what
    known = explainable()
    if name not in known:
        raise QuestionError(
            f"'{what}' is no month such as 2026-10, and no table that can be explained. {nearest(what, known)}"
        )
    if rest and not is_month:
        raise QuestionError(f"after a table there is only --where, such as --where team={rest[0]}")
    if len(rest) > 2:
        raise QuestionError(f"expected a month, a team and a line of its statement; found '{rest[2]}' after them")
    mart = known[name]
    given = dict(_given(mart, text) for part in where for text in _split(part))
    month = {_MONTH: what} if is_month else {}
    return Question(mart, month | given, *rest)


def _split(text: str) -> Iterator[str]:
    """At commas before another name; a comma within a value stays."""
    piece = ""
    for part in text.split(","):
        if piece and "=" in part:
            yield piece
            piece = part
        else:
            piece = f"{piece},{part}" if piece else part
    yield piece


def _given(mart: Mart, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    names = [column.name for column in contract(mart.table).columns]
    called = (column for column in _CALLED.get(name.strip(), ()) if column in names)
    column = name.strip() if name.strip() in names else next(called, name.strip())
    if not equals:
        raise QuestionError(f"--where needs a name and a value, such as team=search; found '{text}'")
    if column not in names:
        short = [short for short, long in _CALLED.items() if set(long) & set(names)]
        raise QuestionError(f"{mart.table} has no column '{name.strip()}'. {nearest(name.strip(), [*names, *short])}")
    return column, value.strip()


def figure(mart: Mart, name: str) -> str:
    """The figure that is asked about, or none. Raises QuestionError where nothing says what it is made of."""
    table = contract(mart.table)
    explained = {*declared(table).figures, *(mart.amounts if mart.parts else ())}
    names = [column.name for column in table.columns if column.name in explained]
    if name and name not in names:
        raise QuestionError(f"{mart.table} has no figure '{name}'. {nearest(name, names)}")
    return name


def cells(evidence: Evidence, asked: Question) -> pl.DataFrame:
    """The rows that a question means, in the order of their key, each with a number `line` from 1.

    Raises QuestionError where there are none, with the nearest name that there is.
    """
    rows = _of_month(evidence, asked)
    for column, value in asked.where.items():
        rows = _narrowed(rows, column, value)
    if asked.who:
        rows = _of(rows, asked.who)
    if asked.line:
        rows = _line(rows, asked.line)
    key = [name for name in contract(asked.mart.table).key if name in rows.columns]
    return rows.sort(key).with_row_index("line", offset=1).with_columns(pl.col("line").cast(pl.Int64))


def _of_month(evidence: Evidence, asked: Question) -> pl.DataFrame:
    """The table's rows; where one month is asked for its rows alone, as a table holds years of them."""
    table, month = asked.mart.table, asked.where.get(_MONTH)
    if month is None:
        return evidence.rows(f"select * from {table}")
    rows = evidence.rows(f"select * from {table} where {_MONTH} = ?", [_day(_MONTH, month)])
    if rows.is_empty():
        _narrowed(evidence.rows(f"select distinct {_MONTH} from {table}"), _MONTH, month)  # says what there is
    return rows


def _narrowed(rows: pl.DataFrame, column: str, value: str) -> pl.DataFrame:
    found = rows.filter(pl.col(column).cast(pl.String).fill_null("") == _as_stored(rows, column, value))
    if found.is_empty():
        there = [text or "''" for text in _values(rows, column)]
        if column in ("billing_period", "corrected_period"):
            there = [text[:_MONTH_LENGTH] for text in there]
        raise QuestionError(f"there is no {column} '{value}'{_among(rows)}. {nearest(value, there)}")
    return found


def _as_stored(rows: pl.DataFrame, column: str, value: str) -> str:
    return _day(column, value).isoformat() if rows.schema[column] == pl.Date() else value


def _day(column: str, value: str) -> date:
    try:
        return date.fromisoformat(f"{value}-01" if len(value) == _MONTH_LENGTH else value)
    except ValueError:
        raise QuestionError(f"{column} is a day such as 2026-10-31, or a month; found '{value}'") from None


def _of(rows: pl.DataFrame, who: str) -> pl.DataFrame:
    """A team by its id or name, an account by its name, or a residual by what it is called."""
    name = pl.lit(who.lower())
    columns = {
        "team_id": pl.col("team_id"),
        "team_name": pl.col("team_name"),
        "account": pl.col("account"),
        "residual": pl.col("account").str.strip_prefix("residual:"),
    }
    for expression in columns.values():
        found = rows.filter(expression.str.to_lowercase().eq(name).fill_null(value=False))
        if not found.is_empty():
            return found
    there = [*_values(rows, "team_id"), *(text for text in _values(rows, "account") if not text.startswith("team:"))]
    raise QuestionError(f"there is no team or account '{who}'{_among(rows)}. {nearest(who, filter(None, there))}")


def _line(rows: pl.DataFrame, line: str) -> pl.DataFrame:
    for column in _LINES:
        found = rows.filter(pl.col(column).str.to_lowercase() == line.lower())
        if not found.is_empty():
            return found
    there = {text for column in _LINES for text in _values(rows, column) if text}
    raise QuestionError(f"there is no line '{line}'{_among(rows)}. {nearest(line, there)}")


def _values(rows: pl.DataFrame, column: str) -> list[str]:
    return rows[column].cast(pl.String).fill_null("").unique().sort().to_list()


def _among(rows: pl.DataFrame) -> str:
    months = _months(rows)
    if rows.is_empty():
        return ": the table is empty"
    if not months:
        return ""
    return f" in {months[0]:%Y-%m}" if len(months) == 1 else f" in {months[0]:%Y-%m} to {months[-1]:%Y-%m}"


def _months(rows: pl.DataFrame) -> list[date]:
    days = rows["billing_period"].unique().sort().to_list() if "billing_period" in rows.columns else []
    return [month_start(day) for day in days]
