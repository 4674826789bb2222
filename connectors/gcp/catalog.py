"""Asks the Cloud Billing catalog, through Google's own client, one answer at a time."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson

from connectors.base import Bytes, Page
from connectors.gcp.access import google_credentials
from connectors.gcp.answers import Patience, google_errors
from connectors.gcp.prices_settings import GcpPricesSettings
from connectors.paging import Turn, paginate

ROLE = "an API key, or any identity, of a project with the Cloud Billing API enabled"
MOST_PAGES = 200  # of one service; Compute Engine, the largest, has about ten


def catalog_pages(settings: GcpPricesSettings, patience: Patience) -> Iterator[Page]:
    """Every answer of every service, as the JSON of its message.

    Raises AuthenticationError, SourceError, and IncompleteDeliveryError when the answers turn in a circle.
    """
    from google.cloud.billing_v1.types import ListSkusResponse

    client = _client(settings)
    for service in settings.services:

        def ask(token: str, service: str = service) -> Turn[Any, str]:
            answer = _answer(client, settings, patience, service, token)
            return Turn(answer, answer.next_page_token or None)

        for number, answer in enumerate(paginate("", ask, MOST_PAGES), 1):
            found = ListSkusResponse.to_dict(
                answer,
                use_integers_for_enums=False,
                preserving_proto_field_name=False,
                always_print_fields_with_no_presence=False,  # what an answer does not say must not land as a zero
            )
            body = orjson.dumps(found, option=orjson.OPT_SORT_KEYS)
            yield Page(f"services/{service}/skus/page-{number}.json", Bytes(body))


def _client(settings: GcpPricesSettings) -> Any:
    from google.auth.api_key import Credentials
    from google.cloud.billing_v1 import CloudCatalogClient
    from google.cloud.billing_v1.services.cloud_catalog.transports import CloudCatalogRestTransport

    is_key_sent = settings.api_key is not None and not settings.is_plain
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    with google_errors(_where(settings), ROLE):
        credentials = Credentials(key) if is_key_sent else google_credentials(settings)  # type: ignore[no-untyped-call]
        address = urlsplit(settings.endpoint or "https://cloudbilling.googleapis.com")
        transport = CloudCatalogRestTransport(host=address.netloc, url_scheme=address.scheme, credentials=credentials)
        return CloudCatalogClient(transport=transport)


def _answer(client: Any, settings: GcpPricesSettings, patience: Patience, service: str, token: str) -> Any:
    """One answer. The library's own pager would follow a circle for ever."""
    request = {
        "parent": f"services/{service}",
        "currency_code": settings.currency,
        "page_size": settings.page_size,
        "page_token": token,
    }
    retry = patience.retry()
    with google_errors(f"{_where(settings)}/v1/services/{service}/skus", ROLE):
        pager = client.list_skus(request=request, retry=retry, timeout=patience.answer_seconds)
        return next(iter(pager.pages))


def _where(settings: GcpPricesSettings) -> str:
    return settings.endpoint or "https://cloudbilling.googleapis.com"
