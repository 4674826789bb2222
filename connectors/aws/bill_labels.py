"""Tags and cost categories of a line: a map, JSON in a text, or a column for each key."""

from collections.abc import Mapping
from typing import cast

import orjson

from connectors.bills import Lookup, Names, json_object
from connectors.bills.names import Given
from connectors.focus.values import read_tag_set

_SEPARATOR = "\x1f"
_RESOURCE = "resourceTag/"


def tags_lookup(names: Names) -> tuple[Mapping[str, str], Lookup]:
    """The helper's SQL, and the look-up that fills `tags` from it.

    The column `resource_tags` counts before `tags`, which says the same under `resourceTag/` and adds tags of accounts,
    of users and of principals under prefixes of their own.
    """
    told = [_one_text(names, "resource_tags", "resourceTags/"), _one_text(names, "tags", "")]
    helper = f"nullif(concat_ws('{_SEPARATOR}', {', '.join(text for text in told if text)}), '')" if any(told) else ""
    return {"x_tag_texts": helper or "cast(null as varchar)"}, Lookup("x_tag_texts", ("tags",), _merged_tags)


def unreadable_tags(names: Names) -> Mapping[str, str]:
    """The texts of tags that are no JSON, by column: NULL where they are, and where the file has maps."""
    found = {column: names.find(column) for column in ("resource_tags", "tags")}
    return {
        column: names.once(f"case when {given.sql} <> '{{}}' and not json_valid({given.sql}) then {given.sql} end")
        for column, given in found.items()
        if given is not None and given.kind == "text"
    }


def cost_categories(names: Names) -> str:
    """The cost categories as a JSON object; NULL where there are none."""
    found = _one_text(names, "cost_category", "costCategory/")
    if not found:
        return "cast(null as json)"
    given = names.find("cost_category")
    if given is None or given.kind == "map":  # written here, and so without blanks
        return f"cast(nullif({found}, '{{}}') as json)"
    return f"case when {found} <> '{{}}' then coalesce(try(json({found})), to_json({found})) end"


def _one_text(names: Names, column: str, prefix: str) -> str:
    """SQL of a JSON text that holds one family of labels; empty where the file has none."""
    given = names.find(column)
    if given is not None:
        return f"cast(to_json({given.sql}) as varchar)" if given.kind in ("map", "list") else names.text(column)
    own = {_label(found, prefix): names.text(found.name) for found in names.starting(prefix)} if prefix else {}
    if not own and prefix:  # a legacy report in Parquet: resource_tags_user_team
        prefix = f"{column}_"
        own = {_label(found, prefix): names.text(found.name) for found in names.starting(prefix)}
    return json_object(own) if own else ""


def _label(given: Given, prefix: str) -> str:
    return given.name[len(prefix) :]


def _merged_tags(texts: str) -> tuple[str | None]:
    merged = dict[str, str]()
    for text in reversed(texts.split(_SEPARATOR)):
        found = read_tag_set(text)
        if found is None:
            return (None,)
        for key, value in cast("dict[str, str]", orjson.loads(found)).items():
            if value:
                merged[key.removeprefix(_RESOURCE)] = value
    return (orjson.dumps(merged, option=orjson.OPT_SORT_KEYS).decode() if merged else None,)
