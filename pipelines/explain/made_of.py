"""One step down, as a table's contract declares it: the rows that its rows are made of, and whether they come out.

Every figure is held against what is declared of it: a sum against the rows listed, a formula or a ratio against the
sums, all to the last decimal; numbers with a floating point to twelve digits, and ratios of exact numbers to the last
place that they are told to.

Here belongs: the comparison. Here does not belong: what is made of what (the contracts say so), going
further down (`pipelines.explain.tree`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext

import polars as pl

from contracts import Contract, MadeOf, MadeOfRows, Ratio
from pipelines.explain.evidence import Evidence
from pipelines.explain.made_of_rows import TO, Listed

_NAMED = re.compile(r"\b[mp]\.([A-Za-z_][A-Za-z0-9_]*)")
_SUMS_NAMED = re.compile(r"\bp\.([A-Za-z_][A-Za-z0-9_]*)")
ROWS = "rows_of_"
_SHOWN = 5
_PRECISION = 80
_RELATIVE = "1e-12"


def declared(table: Contract) -> MadeOf:
    """What a table says that it is made of; nothing where it does not."""
    return table.made_of or MadeOf()


def parts_of_figure(made: MadeOf, figure: str) -> list[MadeOfRows]:
    """The rows that one figure is made of, by way of formulas; all of them where a model makes it, or none is named."""
    if not figure or any(figure in model.figures for model in made.modelled):
        return list(made.rows)
    wanted: set[str] = set()
    waiting = [figure]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += _NAMED.findall(_text(made, name))
    return [part for part in made.rows if wanted & {*part.sums, *part.taken}]


def _text(made: MadeOf, figure: str) -> str:
    ratio = made.ratios.get(figure)
    return " ".join([made.formulas.get(figure, ""), ratio.of if ratio else "", ratio.by if ratio else ""])


def differences(
    evidence: Evidence, table: Contract, cells: pl.DataFrame, found: Sequence[Listed], figure: str = ""
) -> Iterator[str]:
    """Figures of rows that are not what is declared of them; only `figure` where it is named."""
    made = declared(table)
    asked = _comparable(table, made, found)
    names = [name for name in asked if name in cells.columns and figure in ("", name)]
    if not names or cells.is_empty():
        return
    exact = {name: asked[name] for name in names}
    told = evidence.rows(_comparison(table, cells, found, exact), (), cells=cells, **_frames(found))
    for name in names:
        wrong = told.filter(~_agrees(table, name, exact[name]))
        for row in wrong.head(_SHOWN).iter_rows(named=True):
            is_wrong = f"line {row['line']} of {table.table}: {name} is {row[f'has_{name}']}"
            yield f"{is_wrong}, {_what(exact[name], row, name)}"
        if wrong.height > _SHOWN:
            yield f"{wrong.height - _SHOWN} more lines of {table.table} whose {name} does not come out"


def _comparable(table: Contract, made: MadeOf, found: Sequence[Listed]) -> Mapping[str, str | Ratio]:
    """Every figure that the rows which were listed decide, with what it should be."""
    summed = _summed(found)
    wanted: dict[str, str | Ratio] = {name: f"p.{name}" for name in summed}
    wanted |= {name: text for name, text in made.formulas.items() if _known(text, summed)}
    wanted |= {name: ratio for name, ratio in made.ratios.items() if _known(f"{ratio.of} {ratio.by}", summed)}
    columns = {column.name for column in table.columns}
    return {name: what for name, what in wanted.items() if name in columns}


def _known(text: str, summed: Mapping[str, Sequence[str]]) -> bool:
    return all(name in summed for name in re.findall(r"\bp\.([A-Za-z_][A-Za-z0-9_]*)", text))


def _summed(found: Sequence[Listed]) -> dict[str, list[str]]:
    """By figure the sums that it has, one of each table that adds to it."""
    by_name: dict[str, list[str]] = {}
    for number, one in enumerate(found):
        for name in (*one.part.sums, *one.part.taken):
            by_name.setdefault(name, []).append(f"s{number}.{name}")
    return by_name


def _frames(found: Sequence[Listed]) -> dict[str, pl.DataFrame]:
    return {f"listed_{number}": one.rows for number, one in enumerate(found)}


def _comparison(table: Contract, cells: pl.DataFrame, found: Sequence[Listed], exact: Mapping[str, str | Ratio]) -> str:
    """Every figure as it stands beside what the rows make of it, as texts; whether they are equal is told, too."""
    sums = [
        f"s{number} as (select of_line, {_sums(one)} from listed_{number} u group by of_line)"
        for number, one in enumerate(found)
    ]
    joins = " ".join(f"left join s{number} on c.line = s{number}.of_line" for number in range(len(found)))
    together = [f"{_together(names)} as {name}" for name, names in _summed(found).items()]
    together += [f"{_count(names)} as {ROWS}{name}" for name, names in _summed(found).items()]
    sums.append(f"p as (select {', '.join(['c.line', *together])} from cells c {joins})")
    is_never_null = {column.name for column in table.columns if not column.nullable}
    columns = [
        t for name, what in exact.items() for t in _compared(name, what, cells, is_never_null=name in is_never_null)
    ]
    joined = "from cells m join p on m.line = p.line order by m.line"
    return f"with {', '.join(sums)} select m.line, {', '.join(columns)} {joined}"


def _sums(one: Listed) -> str:
    sums = [f"sum(u.{TO}{name}) as {name}" for name in one.part.sums]
    return ", ".join(
        [*sums, *(f"{expression} as {name}" for name, expression in one.part.taken.items()), f"count(*) as {ROWS}"]
    )


def _together(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    added = " + ".join(f"coalesce({name}, 0)" for name in names)
    return f"case when coalesce({', '.join(names)}) is not null then {added} end"


def _count(names: Sequence[str]) -> str:
    """How many rows there are that can add to a figure."""
    return " + ".join(f"coalesce({name.partition('.')[0]}.{ROWS}, 0)" for name in names)


def _compared(name: str, what: str | Ratio, cells: pl.DataFrame, *, is_never_null: bool) -> Iterator[str]:
    yield f"cast(m.{name} as varchar) as has_{name}"
    if isinstance(what, Ratio):
        yield f"cast(({what.of}) as varchar) as of_{name}"
        yield f"cast(({what.by}) as varchar) as by_{name}"
        return
    yield f"cast(({what}) as varchar) as is_{name}"
    # of rows none of which adds anything a figure that may be unknown is NULL, and no 0
    of = [] if is_never_null else [f"p.{ROWS}{found}" for found in _SUMS_NAMED.findall(what)]
    has_none = f"({what}) is null and m.{name} = {_nothing(cells, name)} and {' + '.join(of) or '0'} = 0"
    equal = f"m.{name} is not distinct from ({what}) or ({has_none})"
    if cells.schema[name].is_float():
        equal += f" or abs(m.{name} - ({what})) <= {_RELATIVE} * greatest(abs(m.{name}), abs({what}))"
    yield f"coalesce({equal}, false) as ok_{name}"


def _nothing(cells: pl.DataFrame, name: str) -> str:
    """What a figure is of which there is nothing to sum; of what is no number, nothing is equal to it."""
    return "0" if cells.schema[name].is_numeric() else "null"


def _agrees(table: Contract, name: str, what: str | Ratio) -> pl.Expr:
    if not isinstance(what, Ratio):
        return pl.col(f"ok_{name}")
    (kind,) = (column.type for column in table.columns if column.name == name)
    columns = [f"has_{name}", f"of_{name}", f"by_{name}"]
    return pl.struct(columns).map_elements(lambda row: _is_ratio(list(row.values()), kind), return_dtype=pl.Boolean)


def _is_ratio(texts: Sequence[str | None], kind: str) -> bool:
    """Whether the first is the second over the third, to the last place or to twelve digits."""
    has, of, by = (None if text is None else Decimal(text) for text in texts)
    if of is None or not by:
        return has is None
    if has is None:
        return False
    with localcontext() as context:
        context.prec = _PRECISION
        exact = of / by
        places = re.fullmatch(r"decimal\(\d+,(\d+)\)", kind)
        allowed = Decimal(1).scaleb(-int(places[1])) if places else abs(exact) * Decimal(_RELATIVE)
        return abs(has - exact) <= allowed


def _what(what: str | Ratio, row: Mapping[str, object], name: str) -> str:
    if isinstance(what, Ratio):
        return f"its parts are {row[f'of_{name}']} over {row[f'by_{name}']}"
    return f"its rows come to {row[f'is_{name}']}"
