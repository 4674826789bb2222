"""Nobody's name is kept: it is gone from the bytes before they are landed, and every other byte is as it came."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Bytes, IncompleteDeliveryError, Page
from connectors.openai.costs import OpenAiCosts
from connectors.openai.people import without_people
from connectors.openai.usage import OpenAiUsage
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.openai.written import (
    DAY,
    MONTH,
    WINDOW,
    Organisation,
    bucket,
    completion,
    cost,
    costs_settings,
    epoch,
    page,
    usage_settings,
)

WHO = {"user_id": "user-1", "user_email": "ada@acme.example", "user_name": "Ada Byron"}


def kept(content: bytes) -> bytes:
    (found,) = without_people([Page("p", Bytes(content))])
    return body(found)


def body(found: Page) -> bytes:
    with found.body.open() as stream:
        return stream.read()


def names_nobody(content: bytes) -> bool:
    return b"ada@" not in content and b"Byron" not in content


@pytest.mark.parametrize("by_user", [True, False])
def test_what_the_api_says_of_people_is_never_landed(server: FaultyServer, by_user: bool) -> None:
    told = {"usage/completions": {epoch(DAY): [completion(**WHO)]}, "costs": {epoch(DAY): [cost("0.1", **WHO)]}}
    Organisation(told).install(server)
    asked = usage_settings(url=f"{server.url}/v1", endpoints=("completions",), by_user=by_user)
    pages = [body(found) for found in OpenAiUsage(sleep=Clock().sleep).fetch(asked, WINDOW)]
    assert all(map(names_nobody, pages))
    assert any(b"user-1" in content for content in pages)
    costs = OpenAiCosts(sleep=Clock().sleep).fetch(costs_settings(url=f"{server.url}/v1"), MONTH)
    assert all(names_nobody(body(found)) for found in costs)


def test_what_a_saved_answer_says_of_people_is_never_landed(tmp_path: Path) -> None:
    for folder, content in (("2026-09-03/completions", completion(**WHO)), ("2026-09/costs", cost("0.1", **WHO))):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "page-1.json").write_bytes(page(bucket([content])))
    saved = usage_settings(location=str(tmp_path), endpoints=("completions",))
    found = [
        *OpenAiUsage().fetch(saved, WINDOW),
        *OpenAiCosts().fetch(costs_settings(location=str(tmp_path)), MONTH),
    ]
    assert [names_nobody(body(one)) for one in found] == [True, True]


def test_all_but_the_names_stays_to_the_byte() -> None:
    said = '{ "value" : 0.10000000000000000000000001e-0 , "n": 1E2, "user_email" :\t"ada@\\"acme\\"" ,"user_id":"u"}'
    left = '{ "value" : 0.10000000000000000000000001e-0 , "n": 1E2, "user_email" :\tnull ,"user_id":"u"}'
    assert kept(said.encode()) == left.encode()


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (r'{"user\u005femail":"ada@"}', r'{"user\u005femail":null}'),
        (r'{"user_name":{"first":["Ada","Byron"]},"a":1}', r'{"user_name":null,"a":1}'),
        (r'[{"user_name":"Ada"},{"user_name":"Byron"}]', r'[{"user_name":null},{"user_name":null}]'),
        (r'{"a":"user_name","b":"\"user_name\":\"x\""}', r'{"a":"user_name","b":"\"user_name\":\"x\""}'),
    ],
)
def test_a_member_is_found_however_it_is_written_and_no_other_text_is(said: str, left: str) -> None:
    assert kept(said.encode()) == left.encode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_every_encoding_of_json_is_spared_of_names(encoding: str) -> None:
    assert json.loads(kept('{"user_name":"Ada Byron","a":"ä"}'.encode(encoding))) == {"user_name": None, "a": "ä"}


@pytest.mark.parametrize("content", [b'{"a":1,"user_email":"ada@acm', b'{"user_name":{"a":', b"\xff\xfe\xfa"])
def test_a_page_that_ends_within_a_name_is_refused_and_not_landed(content: bytes) -> None:
    with pytest.raises(IncompleteDeliveryError, match="ends too early") as failure:
        kept(content)
    assert "ada@" not in str(failure.value)


names = st.sampled_from(["user_email", "user_name", "user_id", "a", 'quoted"', "ü"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
)


@given(values)
def test_whatever_an_answer_holds_all_of_it_is_left_but_the_names(found: Any) -> None:
    content = json.dumps(found, default=float).encode()
    assert json.loads(kept(content), parse_float=Decimal) == _by_hand(json.loads(content, parse_float=Decimal))


def _by_hand(found: Any) -> Any:
    if isinstance(found, dict):
        return {n: None if n in ("user_email", "user_name") else _by_hand(v) for n, v in found.items()}
    return [_by_hand(one) for one in found] if isinstance(found, list) else found
