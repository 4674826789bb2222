"""What a bill says beyond the contract: the model in its own words, and every other column as `x_extra`."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import polars as pl

from connectors.focus.rules import CostClassRule, ModelRule

_NULLS = ("", "NULL", "null")


def first_value(frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """The first of the columns that has a value, with the words for NULL turned into NULL."""
    if not names:
        return _nothing(frame.height)
    cleaned = [
        pl.when(~pl.col(n).is_in(_NULLS)).then(pl.col(n)) if frame[n].dtype == pl.String else pl.col(n) for n in names
    ]
    return frame.select(pl.coalesce(cleaned)).to_series()


def find_models(
    rules: Iterable[ModelRule], texts: Mapping[str, pl.Series], model: pl.Series, token_class: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Model and token class of each row; `texts` holds the column that each rule looks into, where the bill has it.

    A row that names either in a column of its own keeps what it names; of several rules the first that matches wins.
    """
    for rule in rules:
        if rule.column not in texts:
            continue
        found = texts[rule.column].str.extract_groups(rule.pattern)
        groups = {name: found.struct.field(name) for name in found.struct.fields}
        matched = next(iter(groups.values())).is_not_null()
        classes = groups.get("token_class", _nothing(len(found)))
        classes = classes if rule.token_class is None else classes.fill_null(rule.token_class)
        free = matched & model.is_null() & token_class.is_null()
        model = _where(free, groups.get("model", _nothing(len(found))), model)
        token_class = _where(free, classes, token_class)
    return model, token_class


def find_classes(rules: Iterable[CostClassRule], texts: Mapping[str, pl.Series], classes: pl.Series) -> pl.Series:
    """What each row's cost is for: what the row names itself, else the first rule that matches."""
    for rule in rules:
        if rule.column in texts:
            matched = texts[rule.column].str.contains(rule.pattern).fill_null(value=False)
            named = pl.repeat(rule.cost_class, len(classes), dtype=pl.String, eager=True)
            classes = _where(matched & classes.is_null(), named, classes)
    return classes


def extra_json(members: Mapping[str, pl.Series], height: int) -> pl.Series:
    """The columns as JSON objects of text, sorted by name, without the empty values; NULL where nothing is left."""
    texts = {name: members[name].cast(pl.String) for name in sorted(members)}
    parts = list[pl.Series]()
    for is_full, names in groupby(
        [name for name in texts if texts[name].null_count() < height], lambda name: texts[name].null_count() == 0
    ):
        if is_full:  # as one object: several times as fast as one by one
            parts.append(_inside([texts[name].alias(name) for name in names]))
        else:
            parts += [_member(name, texts[name]) for name in names]
    if not parts:
        return _nothing(height)
    named = pl.DataFrame([part.alias(str(n)) for n, part in enumerate(parts)])
    joined = named.select(pl.concat_str(pl.all(), separator=",", ignore_nulls=True)).to_series()
    return pl.select(pl.when(joined != "").then("{" + joined + "}")).to_series()


def _member(name: str, text: pl.Series) -> pl.Series:
    """`"name":"value"` where there is a value."""
    return _where(text.is_not_null(), _inside([text.alias(name)]), _nothing(len(text)))


def _inside(texts: Sequence[pl.Series]) -> pl.Series:
    """The texts as JSON objects, without their braces."""
    return pl.DataFrame(texts).to_struct().struct.json_encode().str.strip_prefix("{").str.strip_suffix("}")


def _where(mask: pl.Series, chosen: pl.Series, otherwise: pl.Series) -> pl.Series:
    return pl.select(pl.when(mask).then(chosen).otherwise(otherwise)).to_series()


def _nothing(height: int) -> pl.Series:
    return pl.repeat(None, height, dtype=pl.String, eager=True)
