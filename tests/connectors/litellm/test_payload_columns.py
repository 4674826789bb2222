"""Plain landed payloads are read many at once; the rows are those that come of reading each by itself."""

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import Bytes, IncompleteDeliveryError, LandedPage, Parsed
from connectors.litellm import SOURCE, LiteLlm
from connectors.litellm.allow_list import allowed, plain_payload
from connectors.litellm.settings import LiteLlmSettings
from connectors.logs.columns import plain_rows
from connectors.logs.values import count, flag, instant, money
from connectors.windows import day_window
from tests.connectors.litellm.conftest import DAY, KEY
from tests.connectors.stored_log import whole

Payload = Callable[..., dict[str, Any]]
GIVEN = {
    "name": "gateway",
    "kind": "litellm",
    "location": "/log",
    "hash_key": KEY,
    "outcome_keys": ["ticket-id", "it's"],
}
SETTINGS = LiteLlmSettings.model_validate(GIVEN)
WINDOW = day_window(DAY)
FORM = plain_payload(SETTINGS)
SECOND = 1795226400
VALUES: dict[Any, list[Any]] = {
    count: [None, 0, 1, 20, 600, 1000, 1050, 400, -1, 10**9, 10**9 + 1, 2**63, 0.5],
    flag: [None, True, False],
    instant: [None, SECOND, SECOND + 0.0000005, SECOND + 1.0000015, SECOND + 90_000, 0, "2026-11-21T02:00:00Z"],
    money: [None, 0.0, -0.0, 1e-7, "0.0000000000005", "0.0000000000015", "2.5e-12", 999999.5, 1e6, -3, "0.1", 1e-60],
}
TEXTS = [
    None,
    "",
    "success",
    "failure",
    "openai",
    "anthropic",
    "openai/gpt-5",
    "10.0.0.7:8000",
    "flex",
    "bob@corp.test",
    '"',
    "é",
    7,
]
TAGS = [None, [], ["feature:"], ["feature:chat", "feature:b", "a,b"], ["ticket-id:T-1", "it's:so"], ['"']]


STRANGE = [2**63, "2026-11-21T02:00:00Z", 1e6, 1e-60]  # a page that holds one of these is read line by line


class OneByOne(LiteLlm):
    """The same source, without its reader of columns."""

    def columns(self, settings: LiteLlmSettings) -> None:
        return None


def choices(fields: Any, before: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, rule in fields.items():
        place = (*before, name)
        if isinstance(rule, dict):
            found += [(place, None), *choices(rule, place)]
        else:
            given = TAGS if name == "request_tags" else VALUES.get(rule, TEXTS)
            found += [(place, value) for value in given]
    return found


CHOICES = choices(FORM.fields)


def put(row: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    holder: Any = row
    for step in path[:-1]:
        if not isinstance(holder.setdefault(step, {}), dict):
            holder[step] = {}
        holder = holder[step]
    holder[path[-1]] = copy.deepcopy(value)


def landed(rows: list[dict[str, Any]]) -> LandedPage:
    redact = allowed(SETTINGS).redact
    kept = [redact(orjson.loads(orjson.dumps(row))) for row in rows]
    content = b"".join(orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE) for row in kept)
    return page_of(content)


def page_of(content: bytes) -> LandedPage:
    return LandedPage("page", hashlib.sha256(content).hexdigest(), Bytes(content))


def parsed(source: LiteLlm, pages: list[LandedPage]) -> Parsed:
    return whole(source.parse(SETTINGS, WINDOW, pages))


def plain_count(page: LandedPage) -> int | None:
    columns = SOURCE.columns(SETTINGS)
    assert columns is not None
    found = plain_rows(page.body.open().__enter__().read(), columns, WINDOW)
    return None if found is None else found.height


def check(pages: list[LandedPage]) -> None:
    many, single = parsed(SOURCE, pages), parsed(OneByOne(), pages)
    assert many.rows.to_pylist() == single.rows.to_pylist()
    assert many.rows.schema == single.rows.schema
    assert (many.rejects, many.duplicate_count, many.notices) == (
        single.rejects,
        single.duplicate_count,
        single.notices,
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.lists(st.sampled_from(CHOICES), max_size=3), min_size=1, max_size=6))
def test_rows_are_the_same_whether_read_at_once_or_one_by_one(
    rows: list[list[tuple[tuple[str, ...], Any]]], payload: Payload
) -> None:
    given_rows = [payload(id=f"r{n // 2}") for n in range(len(rows))]  # ids come twice
    for row, changes in zip(given_rows, rows, strict=True):
        for path, value in changes:
            put(row, path, value)
    check([landed(given_rows)])


def test_rows_are_the_same_whatever_stands_in_one_place(payload: Payload) -> None:
    rows = [payload(id=f"r{n}", session_id="s") for n in range(len(CHOICES))]
    for row, (path, value) in zip(rows, CHOICES, strict=True):
        put(row, path, value)
    strange = [value in STRANGE for _, value in CHOICES]
    pages = [landed([row for row, is_strange in zip(rows, strange, strict=True) if not is_strange])]
    pages += [landed([row]) for row, is_strange in zip(rows, strange, strict=True) if is_strange][::5]
    check(pages)
    assert (plain_count(pages[0]) or 0) > len(rows) / 2


def test_a_common_page_is_read_at_once(payload: Payload) -> None:
    rows = [
        payload(id="a"),
        payload(id="b", stream=True),
        payload(id="c", status="failure"),
        payload(id="d", model='"'),
    ]
    page = landed(rows)
    assert plain_count(page) == 2
    assert [row["request_id"] for row in parsed(SOURCE, [page]).rows.to_pylist()] == ["a", "b", "c", "d"]


def test_a_page_that_ends_in_the_middle_of_a_row_is_an_incomplete_delivery(payload: Payload) -> None:
    content = landed([payload(id="a"), payload(id="b")]).body.open().__enter__().read()
    with pytest.raises(IncompleteDeliveryError, match="in the middle of row 2"):
        parsed(SOURCE, [page_of(content[:-20])])


def test_a_page_without_a_plain_record_is_read_line_by_line(payload: Payload) -> None:
    check([landed([payload(id="a", model='"')]), page_of(b"\n"), page_of(b"{}\n\n{}\n"), page_of(b"[]\nnull\n")])


def test_a_field_that_the_allow_list_does_not_name_is_kept_and_told(payload: Payload) -> None:
    line = orjson.dumps({**allowed(SETTINGS).redact(payload()), "novelty": 5}) + b"\n"
    check([page_of(line)])
    assert parsed(SOURCE, [page_of(line)]).notices == ("field novelty is not known; it is kept in x_extra",)
