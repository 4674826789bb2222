"""What may be configured: one way in, credentials that are said, and no secret in any message."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import AuthenticationError
from connectors.gcp.access import google_credentials
from connectors.gcp.bill import GcpBillSettings
from connectors.gcp.prices import GcpPricesSettings

TABLE = "acme.billing.gcp_billing_export_v1_01AAAA"
SECRET = "-----the-private-key-----"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "'location' .* or 'table'"),
        ({"location": "/bills", "table": TABLE, "credentials": "ambient"}, "not both"),
        ({"table": TABLE}, "'service_account_json' or 'credentials: ambient'"),
        ({"table": TABLE, "credentials": "ambient", "service_account_json": "{}"}, "'service_account_json' or"),
        ({"table": "acme.billing", "credentials": "ambient"}, "must be project.dataset.table"),
        ({"table": "a.b.c`; drop", "credentials": "ambient"}, "must be project.dataset.table"),
        ({"table": TABLE, "credentials": "ambient", "endpoint": "ftp://x"}, "must be an address"),
        ({"table": TABLE, "credentials": "ambient", "endpoint": "https://user:pass@x"}, "must be an address"),
        ({"location": "/bills", "layout": "weekly"}, "'month' or 'any'"),
    ],
)
def test_a_bill_has_one_way_in_and_says_how_to_ask(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        GcpBillSettings.model_validate({"name": "google", **given})


@pytest.mark.parametrize(
    "given", [{}, {"api_key": "k", "credentials": "ambient"}, {"api_key": "k", "service_account_json": "{}"}]
)
def test_prices_are_asked_for_with_one_credential(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="'credentials: ambient'"):
        GcpPricesSettings.model_validate({"name": "list", **given})


@pytest.mark.parametrize("key", [SECRET, json.dumps({"private_key": SECRET}), "[]", "7"])
def test_a_key_that_is_none_is_told_without_it(key: str) -> None:
    settings = GcpBillSettings.model_validate({"name": "google", "table": TABLE, "service_account_json": key})
    with pytest.raises(AuthenticationError, match="JSON key") as failure:
        google_credentials(settings)
    assert SECRET not in f"{failure.value!r} {settings!r}"
    assert failure.value.__cause__ is None


def test_credentials_never_go_to_a_plain_address() -> None:
    given = {"name": "google", "table": TABLE, "service_account_json": SECRET, "endpoint": "http://127.0.0.1:9050"}
    assert type(google_credentials(GcpBillSettings.model_validate(given))).__name__ == "AnonymousCredentials"
