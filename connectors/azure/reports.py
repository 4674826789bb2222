"""Reports of cost details that Azure makes on demand, one for a month and a metric, through its own client.

The client asks, waits as long as it is told to, and gets a list of blobs with links that open them for some hours.

Here belongs: asking and waiting. Here does not belong: downloading, what the files say. The query API is another one:
it groups and sums, and its quota ends long before a bill does.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from connectors.azure.bill_settings import VIEW_OF, AzureBillSettings, Metric, ReportSettings
from connectors.azure.signed_blob import SignedBlob
from connectors.azure_credentials import Credential, CredentialMaker
from connectors.base import AuthenticationError, Bytes, IncompleteDeliveryError, Page, SourceError, Window
from connectors.deadline import DeadlineError, begin_delivery
from connectors.exact import json_text
from connectors.http import Pace

_TRIES = 8
_LONGEST_REPORT_SECONDS = 3 * 3600.0  # large reports take an hour or two
LOOK_SECONDS = 120.0
"""Somebody waits for a check: for Azure's first answer, for the report, and for its first file as long each."""
_LOOK_BYTES = 256 * 1024 * 1024
_USUAL_WAIT_SECONDS = 30


def fetch_reports(settings: AzureBillSettings, window: Window, make: CredentialMaker, pace: Pace) -> Iterator[Page]:
    """The blobs of each metric's report, and a list of them. Links and their signatures stay out of names and pages.

    Raises AuthenticationError for refused credentials, SourceError when a report fails, does not end or holds nothing,
    IncompleteDeliveryError when a blob has another size than announced.
    """
    report = _required(settings)
    credential = make(settings)
    for metric in report.metrics:
        found = _report(settings, report, metric, window, credential, pace)
        blobs = [
            SignedBlob(f"{metric}-{number:04d}.csv", str(blob["blobLink"]), blob.get("byteCount"), pace)
            for number, blob in enumerate(found, 1)
        ]
        place = f"{VIEW_OF[metric]}:report/{report.scope}/{window.slice_date:%Y-%m}"
        listed = [{"blobName": blob.name, "byteCount": blob.byte_count} for blob in blobs]
        manifest = {"exportConfig": {"type": metric}, "blobCount": len(blobs), "blobs": listed}
        for blob in blobs:
            yield Page(f"{place}/{blob.name}", blob)
        yield Page(f"{place}/{metric}-manifest.json", Bytes(json_text(manifest).encode()))


def probe_reports(settings: AzureBillSettings, make: CredentialMaker, pace: Pace) -> tuple[str, Page | None]:
    """Whether the scope's reports can be had, and the first file of the running month's; None where none is at hand.

    Raises AuthenticationError where the right to read costs or the right to ask for reports is missing, SourceError
    when the report fails.
    """
    report = _required(settings)
    credential = make(settings)
    where = f"{settings.endpoint}/{report.scope}"
    try:
        with _client(settings, credential, pace, where, LOOK_SECONDS) as client:
            found = _asked(where, lambda: client.exports.list(report.scope, **_options(settings)))
    except DeadlineError:
        raise SourceError(
            f"{where}: Azure did not answer within {LOOK_SECONDS:.0f} seconds; check again later"
        ) from None
    count = len(getattr(found, "value", None) or ())
    told = f"{settings.endpoint}: reports of {report.scope} can be asked for ({count} exports are set up)"
    metric = report.metrics[0]
    try:
        blobs = _report(settings, report, metric, None, credential, pace)
    except DeadlineError:
        return (
            f"{told}; this month's was not ready within {LOOK_SECONDS:.0f} seconds: the first night waits for it",
            None,
        )
    except NoDataError:
        return f"{told}; Azure has no data of this month yet", None
    size = blobs[0].get("byteCount")
    if size is None or size > _LOOK_BYTES:
        return f"{told}; this month's is made, and too large for a look: the first night reads it", None
    deadline = begin_delivery(pace.monotonic, LOOK_SECONDS)
    blob = SignedBlob(f"{metric}-0001.csv", str(blobs[0]["blobLink"]), size, pace, deadline=deadline)
    return told, Page(f"{VIEW_OF[metric]}:report/{report.scope}/{blob.name}", blob)


class NoDataError(SourceError):
    """Azure says that it has no data of the month, and not why."""


def _report(
    settings: AzureBillSettings,
    report: ReportSettings,
    metric: Metric,
    window: Window | None,
    credential: Credential,
    pace: Pace,
) -> list[Mapping[str, Any]]:
    """The blobs of one report; without a window that of the running month, for a look: Azure's own clock says which."""
    asked: dict[str, Any] = {"metric": metric}
    where, seconds = f"{settings.endpoint}/{report.scope}, {metric} of this month", LOOK_SECONDS
    if window is not None:
        last = (window.end - timedelta(days=1)).date()
        asked["timePeriod"] = {"start": f"{window.slice_date}", "end": f"{last}"}
        where = f"{settings.endpoint}/{report.scope}, {metric} of {window.slice_date:%Y-%m}"
        seconds = _LONGEST_REPORT_SECONDS
    with _client(settings, credential, pace, where, seconds) as client:
        found = _asked(
            where,
            lambda: client.generate_cost_details_report.begin_create_operation(
                report.scope, asked, polling_interval=_USUAL_WAIT_SECONDS, **_options(settings)
            ).result(),
        )
    answer: Mapping[str, Any] = found.as_dict() if found is not None else {}
    status = answer.get("status")
    if status == "NoDataFound":
        raise NoDataError(
            f"{where}: Azure says that it found no data. Whether there were no charges or none were ready is not "
            "known, which is not zero: run again, or leave the source out until the scope has charges"
        )
    if status != "Completed":
        said = (answer.get("error") or {}).get("message") or "no reason given"
        raise SourceError(f"{where}: the report's state is {status!r} ({said}); run the day again")
    manifest = answer.get("manifest") or {}
    blobs: list[Mapping[str, Any]] = list(manifest.get("blobs") or ())
    if not blobs or manifest.get("blobCount", len(blobs)) != len(blobs):
        raise IncompleteDeliveryError(
            f"{where}: the report announces {manifest.get('blobCount')} blobs and names {len(blobs)}; run the day again"
        )
    return blobs


def _asked(where: str, ask: Any) -> Any:
    """What the client answers; its errors in our words, without headers and links."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        return ask()
    except ClientAuthenticationError:
        raise AuthenticationError(
            f"{where}: the credentials were refused; the application needs the role Cost Management Reader on the scope"
        ) from None
    except HttpResponseError as error:
        if error.status_code in (401, 403):
            raise AuthenticationError(
                f"{where}: not allowed (HTTP {error.status_code}); the application needs the role Cost Management "
                "Reader on the scope"
            ) from None
        code = getattr(error.error, "code", None)
        raise SourceError(f"{where}: HTTP {error.status_code} ({code or 'no code given'}); run again later") from None
    except ValueError:
        raise SourceError(f"{where}: the answer is no JSON; is a proxy or a sign-in page in the way?") from None
    except AzureError as error:
        raise SourceError(f"{where}: {type(error).__name__}; run again when Azure can be reached") from None


def _client(settings: AzureBillSettings, credential: Credential, pace: Pace, where: str, seconds: float) -> Any:
    from azure.core.pipeline.transport import RequestsTransport
    from azure.mgmt.costmanagement import CostManagementClient

    deadline = begin_delivery(pace.monotonic, seconds)

    class BoundedTransport(RequestsTransport):
        """Waits as the source is told to wait, and neither asks nor waits beyond the deadline."""

        def sleep(self, duration: float) -> None:
            deadline.require_left(duration, where)
            pace.sleep(duration)

        def send(self, request: Any, **kwargs: Any) -> Any:
            deadline.require(where)
            return super().send(request, **kwargs)

    return CostManagementClient(
        credential,
        settings.endpoint,
        credential_scopes=[f"{settings.endpoint}/.default"],
        transport=BoundedTransport(use_env_settings=False),
        retry_total=_TRIES - 1,
        retry_backoff_max=60,
        per_retry_policies=[_throttle_policy()],
        logging_enable=False,
    )


def _throttle_policy() -> Any:
    """Cost Management says how long to wait in headers of its own: the longest of them counts."""
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    from connectors.http_answers import retry_after_seconds

    class ThrottlePolicy(SansIOHTTPPolicy):
        """Puts the longest wait where the client looks for it."""

        def on_response(self, request: Any, response: Any) -> None:
            del request  # the answer alone says it
            wait = retry_after_seconds(response.http_response.headers)
            if wait is not None and response.http_response.status_code == 429:
                response.http_response.headers["Retry-After"] = f"{wait:g}"

    return ThrottlePolicy()


def _options(settings: AzureBillSettings) -> dict[str, Any]:
    """Tokens go over TLS alone; an address without it is one that somebody configured as such."""
    return {"enforce_https": False} if settings.endpoint.startswith("http://") else {}


def _required(settings: AzureBillSettings) -> ReportSettings:
    if settings.report is None:
        raise AssertionError("unreachable: the source asks for reports where the settings have them")
    return settings.report
