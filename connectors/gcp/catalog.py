"""Asks the Cloud Billing catalog, through Google's own client, one answer at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from connectors.base import Bytes, Page
from connectors.gcp.access import google_credentials, google_errors
from connectors.gcp.prices_settings import GcpPricesSettings
from connectors.paging import Turn, paginate

ROLE = "an API key, or any identity, of a project with the Cloud Billing API enabled"
MOST_PAGES = 200  # of one service; Compute Engine, the largest, has about ten
_WORTH_A_TRY = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """How often and how long one answer is asked for."""

    tries: int = 8
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    total_seconds: float = 600.0
    answer_seconds: float = 60.0


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
    from google.api_core.retry import Retry

    request = {
        "parent": f"services/{service}",
        "currency_code": settings.currency,
        "page_size": settings.page_size,
        "page_token": token,
    }
    retry = Retry(
        predicate=_at_most(patience.tries),
        initial=patience.first_wait_seconds,
        maximum=patience.longest_wait_seconds,
        timeout=patience.total_seconds,
    )
    with google_errors(f"{_where(settings)}/v1/services/{service}/skus", ROLE):
        pager = client.list_skus(request=request, retry=retry, timeout=patience.answer_seconds)
        return next(iter(pager.pages))


def _at_most(tries: int) -> Callable[[Exception], bool]:
    """Whether a failure is worth another try: one that passes, and not the last try."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import TransportError
    from requests.exceptions import ChunkedEncodingError, Timeout
    from requests.exceptions import ConnectionError as NoConnectionError

    failures = 0

    def is_worth(error: Exception) -> bool:
        nonlocal failures
        failures += 1
        # an AttributeError is the library's own, on an error whose body is a proxy's
        passes = isinstance(error, (AttributeError, TransportError, ChunkedEncodingError, NoConnectionError, Timeout))
        if isinstance(error, GoogleAPICallError):
            passes = int(error.code or 0) in _WORTH_A_TRY
        return passes and failures < tries

    return is_worth


def _where(settings: GcpPricesSettings) -> str:
    return settings.endpoint or "https://cloudbilling.googleapis.com"
