"""What a mapping can fill: the fields of an attempt that a log may hold, and what may be landed of each.

Here belongs: names and rules. Here does not belong: what values mean (`reading`), what settings allow (`settings`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import orjson

from connectors.logs import forms
from connectors.logs.allow_list import Rules
from connectors.logs.buckets import Counts
from connectors.logs.instants import Unit
from connectors.logs.usage_allowed import usage_rule
from connectors.logs.values import WITHHELD, Rule, count, flag, instant, money

Sort = Literal[
    "text", "person", "key", "content", "address", "instant", "duration", "flag", "count", "money", "status", "tags",
    "metadata", "usage",
]  # fmt: skip

_BY_SORT: Mapping[Sort, str] = {
    "text": "request_id response_id trace_id attempt_group_id gateway call_type provider requested_model "
    "billed_model deployment_id region_id key_alias gateway_team_id organization_id feature environment service_tier",
    "person": "user_hash customer_hash",
    "key": "key_id",
    "content": "prompt_hash prefix_hash",
    "address": "api_base",
    "instant": "started_at ended_at",
    "duration": "latency",
    "flag": "is_cache_hit is_stream has_begun",
    "count": " ".join(Counts._fields),
    "money": "cost margin discount avoided_cost",
    "status": "status",
    "tags": "tags",
    "metadata": "metadata",
    "usage": "usage",
}
SORTS: Mapping[str, Sort] = MappingProxyType({name: sort for sort, names in _BY_SORT.items() for name in names.split()})
"""Every field, and the sort of value that it holds."""


def landing_rule(sort: Sort, rules: Rules, metadata: Rule, *, is_translated: bool, is_number: bool) -> Rule:
    """What may be landed of a field of that sort.

    `is_translated`: the settings give words for it, so that any short text may stand there. `is_number`: instants are
    numbers in a unit of their own, kept as text that no reader makes a float of.
    """
    if is_translated or sort == "status":
        return worded_rule(rules.text)
    by_sort: Mapping[Sort, Rule] = {
        "text": rules.text,
        "person": rules.person,
        "key": rules.key,
        "content": content_rule(rules.person),
        "address": rules.address,
        "instant": money if is_number else instant,
        "duration": money,
        "flag": flag,
        "count": count,
        "money": money,
        "tags": rules.tags,
        "metadata": metadata,
        "usage": usage_rule(rules.text),
    }
    return by_sort[sort]


def expected_form(name: str, time_unit: Unit) -> str:
    """What should stand in a field of the mapping, `tag:` and `extra:` ones too, and the remedy where it does not."""
    by_sort: Mapping[Sort, str] = {
        "instant": forms.instant_form(time_unit),
        "duration": forms.DECIMAL,
        "flag": forms.truth_form(name),
        "count": forms.WHOLE_NUMBER,
        "money": forms.DECIMAL,
        "tags": forms.LIST,
        "metadata": forms.OBJECT,
        "usage": forms.OBJECT,
    }
    return by_sort.get(SORTS.get(name, "text"), forms.TEXT)


def worded_rule(text: Rule) -> Rule:
    """Short text; a truth value is its word."""

    def worded(value: object) -> object:
        return text(str(value).lower() if isinstance(value, bool) else value)

    return worded


def content_rule(person: Rule) -> Rule:
    """The keyed hash of a prompt, whatever form it has: nothing else of it is landed."""

    def content(value: object) -> object:
        if value is None or isinstance(value, str):
            return person(value)
        try:
            return person(orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode())
        except TypeError:
            return WITHHELD

    return content
