"""What Compute Engine says of committed use, and what it leaves unknown."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

from connectors.base import AuthenticationError, Bytes, IncompleteDeliveryError, LandedPage, Parsed, SourceError, Window
from connectors.gcp.access import bearer_header
from connectors.gcp.terms import SOURCE, GcpCommitmentsSource
from connectors.gcp.terms_settings import GcpCommitmentsSettings
from connectors.http import Pace
from connectors.windows import day_window
from tests.connectors.conformance import ConnectorConformance, land
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer

DAY = day_window(date(2026, 9, 3))
NOTHING = {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "There are no results for scope on this page."}}
PATH = "/compute/v1/projects/{}/aggregated/commitments"


def commitment(number: int = 1, **over: Any) -> dict[str, Any]:
    place = "https://www.googleapis.com/compute/v1/projects/acme-search/regions/us-central1"
    found = {
        "kind": "compute#commitment",
        "id": f"71847184718471847{number}",
        "creationTimestamp": "2026-01-31T05:00:00.000-08:00",
        "name": f"l4-{number}",
        "region": place,
        "selfLink": f"{place}/commitments/l4-{number}",
        "status": "ACTIVE",
        "plan": "TWELVE_MONTH",
        "startTimestamp": "2026-02-01T00:00:00.000-08:00",
        "endTimestamp": "2027-02-01T00:00:00.000-08:00",
        "type": "GRAPHICS_OPTIMIZED",
        "category": "MACHINE",
        "resources": [
            {"type": "VCPU", "amount": "24"},
            {"type": "MEMORY", "amount": "98304"},
            {"type": "ACCELERATOR", "amount": "2", "acceleratorType": "nvidia-l4"},
        ],
        **over,
    }
    return {key: value for key, value in found.items() if value is not None}


def page(*found: dict[str, Any], token: str | None = None, **over: Any) -> bytes:
    held = {"commitments": list(found)} if found else NOTHING
    document = {
        "kind": "compute#commitmentAggregatedList",
        "items": {"regions/us-central1": held, "regions/us-east1": NOTHING},
        **({"nextPageToken": token} if token else {}),
        **over,
    }
    return json.dumps(document).encode()


def settings(**over: Any) -> GcpCommitmentsSettings:
    given = {"name": "gcp-terms", "credentials": "ambient", "projects": ["acme-search", "acme-lab"], **over}
    return GcpCommitmentsSettings.model_validate({key: value for key, value in given.items() if value is not None})


def parsed(*pages: bytes) -> Parsed:
    (chunk,) = SOURCE.parse(settings(), DAY, land(pages))
    return chunk


def row(**over: Any) -> dict[str, Any]:
    (found,) = parsed(page(commitment(**over))).rows.to_pylist()
    return found


class TestTerms(ConnectorConformance):
    source = GcpCommitmentsSource(Pace(sleep=Clock().sleep))
    inapplicable: ClassVar[Mapping[str, str]] = {}

    def settings(self, **over: Any) -> GcpCommitmentsSettings:
        return settings(**over)

    def window(self) -> Window:
        return DAY

    def pages(self) -> list[bytes]:
        return [page(commitment(1), commitment(2), token="more"), page(commitment(3)), page(commitment(4))]

    def count_source_rows(self, pages: list[bytes]) -> int:
        scopes = [scope for found in pages for scope in json.loads(found)["items"].values()]
        return sum(len(scope.get("commitments", ())) for scope in scopes)

    def add_unknown_column(self, page: bytes) -> bytes:
        document = json.loads(page)
        document["items"]["regions/us-central1"]["commitments"][0][self.unknown_name] = "tomorrow"
        return json.dumps(document).encode()

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"2026-02-01T00:00:00.000-08:00"', b'"sometime"', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [page()]

    def served(self, server: FaultyServer) -> GcpCommitmentsSettings:
        first, second, other = self.pages()

        def answer(request: Request) -> Answer:
            assert request.query["maxResults"] == ["500"]
            assert "Authorization" not in request.headers, "a plain address is asked without credentials"
            return json_answer(second if request.query.get("pageToken") == ["more"] else first)

        server.route(PATH.format("acme-search"), answer)
        server.route(PATH.format("acme-lab"), json_answer(other))
        return self.settings(endpoint=server.url, credentials=None)

    def served_loop(self, server: FaultyServer) -> GcpCommitmentsSettings:
        server.route(PATH.format("acme-search"), json_answer(self.pages()[0]))
        return self.settings(endpoint=server.url, credentials=None)


def test_a_commitment_of_gpus_is_told_by_its_gpus() -> None:
    found = row()
    assert {name: value for name, value in found.items() if value is not None and not name.startswith("x_")} == {
        "provider_name": "Google Cloud",
        "sub_account_id": "acme-search",
        "commitment_discount_id": "718471847184718471",
        "commitment_discount_name": "l4-1",
        "commitment_discount_type": "Committed Use Discount",
        "commitment_discount_category": "Usage",
        "scope": "region us-central1",
        "region_id": "us-central1",
        "instance_type": "nvidia-l4",
        "quantity": Decimal(2),
        "quantity_unit": "GPU",
        "term_start": datetime(2026, 2, 1, 8),
        "term_end": datetime(2027, 2, 1, 8),
        "payment_option": "no_upfront",
        "state": "ACTIVE",
    }
    kept = json.loads(found["x_extra"])
    assert (kept["plan"], [one["amount"] for one in kept["resources"]]) == ("TWELVE_MONTH", ["24", "98304", "2"])


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([{"type": "VCPU", "amount": "8"}, {"type": "MEMORY", "amount": "1024"}], (8, "vCPU", "GRAPHICS_OPTIMIZED")),
        ([{"type": "LOCAL_SSD", "amount": "375"}], (375, "GB", "GRAPHICS_OPTIMIZED")),
        ([{"type": "MEMORY", "amount": "9"}, {"type": "LOCAL_SSD", "amount": "3"}], (None, None, "GRAPHICS_OPTIMIZED")),
        ([], (None, None, "GRAPHICS_OPTIMIZED")),
        (
            [{"type": "ACCELERATOR", "amount": "2", "acceleratorType": name} for name in ("a", "b")],
            (4, "GPU", "GRAPHICS_OPTIMIZED"),
        ),
    ],
)
def test_the_quantity_is_that_of_one_kind_of_resource_or_unknown(resources: list[Any], expected: Any) -> None:
    found = row(resources=resources)
    assert (found["quantity"], found["quantity_unit"], found["instance_type"]) == expected


def test_what_a_commitment_costs_is_not_told() -> None:
    found = row()
    assert (found["hourly_cost"], found["upfront_cost"], found["currency"]) == (None, None, None)


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"id": None}, "missing_value"),
        ({"status": None}, "missing_value"),
        ({"endTimestamp": "2026-01-01T00:00:00Z"}, "term_not_forward"),
        ({"startTimestamp": "soon"}, "unreadable_time"),
        ({"resources": {"type": "VCPU"}}, "unreadable_resources"),
        ({"resources": [{"type": "VCPU", "amount": "many"}]}, "unreadable_number"),
    ],
)
def test_what_cannot_be_read_is_refused(over: dict[str, Any], reason: str) -> None:
    chunk = parsed(page(commitment(1, **over), commitment(2)))
    assert ([reject.reason for reject in chunk.rejects], chunk.rows.num_rows) == ([reason], 1)


@pytest.mark.parametrize(
    "given",
    [
        page(commitment(), unreachables=["regions/europe-west4"]),
        page(items={"regions/us-east1": {"warning": {"code": "UNREACHABLE"}}}),
        b'{"error": {"code": 500}}',
        b"[]",
    ],
)
def test_an_answer_that_does_not_tell_all_is_no_delivery(given: bytes) -> None:
    with pytest.raises(IncompleteDeliveryError):
        parsed(given)


def test_pages_that_never_end_are_left_in_time(server: FaultyServer) -> None:
    clock = Clock()

    def answer(_: Request) -> Answer:
        clock.sleep(100)
        return json_answer(page(commitment(), token=f"after-{len(clock.slept)}"))

    server.route(PATH.format("acme-search"), answer)
    source = GcpCommitmentsSource(Pace(sleep=clock.sleep, monotonic=clock.monotonic))
    with pytest.raises(SourceError, match="longer than 120 minutes"):
        list(source.fetch(settings(endpoint=server.url, credentials=None), DAY))


def test_saved_answers_are_read_like_asked_ones(tmp_path: Path) -> None:
    folder = tmp_path / "2026-09-03" / "commitments"
    folder.mkdir(parents=True)
    (folder / "page-1.json").write_bytes(page(commitment(1)))
    given = settings(credentials=None, projects=[], location=str(tmp_path))
    (found,) = SOURCE.fetch(given, DAY)
    with found.body.open() as stream:
        landed = LandedPage(found.name, "0" * 64, Bytes(stream.read()))
    (chunk,) = SOURCE.parse(given, DAY, [landed])
    assert chunk.rows["commitment_discount_name"].to_pylist() == ["l4-1"]
    assert "1 days" in SOURCE.probe(given)


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def keyed(server: FaultyServer, private_key: str) -> GcpCommitmentsSettings:
    key = {
        "type": "service_account",
        "client_email": "farthing@acme.example",
        "private_key": private_key,
        "token_uri": f"{server.url}/token",
    }
    return settings(credentials=None, service_account_json=json.dumps(key))


def test_a_service_accounts_key_is_changed_into_a_token(server: FaultyServer, private_key: str) -> None:
    token = json.dumps({"access_token": "canary-token-79", "expires_in": 3600, "token_type": "Bearer"}).encode()
    server.route("/token", json_answer(token))
    found = bearer_header(keyed(server, private_key), "here", "a role")
    assert found == {"Authorization": "Bearer canary-token-79"}
    assert b"assertion=" in server.requests[0].body


def test_a_key_that_google_refuses_is_told_without_it(server: FaultyServer, private_key: str) -> None:
    server.route("/token", json_answer(b'{"error": "invalid_grant", "error_description": "no such account"}', 400))
    with pytest.raises(AuthenticationError, match="Give the account a role") as failure:
        bearer_header(keyed(server, private_key), "here", "a role")
    assert "PRIVATE KEY" not in str(failure.value)


def test_a_plain_address_gets_no_token() -> None:
    assert bearer_header(settings(endpoint="http://127.0.0.1:1", credentials=None), "here", "a role") == {}


@pytest.mark.parametrize(
    "over",
    [
        {"projects": []},
        {"projects": ["Not A Project"]},
        {"projects": ["acme-search", "acme-search"]},
        {"credentials": None},
        {"location": "somewhere"},
    ],
)
def test_settings_that_ask_nobody_or_nothing_are_refused(over: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**over)
