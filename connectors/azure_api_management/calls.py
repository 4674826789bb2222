"""One call that Azure API Management logged: what of it may be landed, and which attempt it tells of."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.azure_api_management.settings import GatewayNames
from connectors.logs.allow_list import AllowList, Fields, UnlandableError, at, compiled, each_of, rules_of
from connectors.logs.attempt import NOTHING, Attempt, NoAttemptError, Record
from connectors.logs.buckets import Counts, exclusive, of_call
from connectors.logs.calls import later, number, status_of
from connectors.logs.conventions import CONVENTIONS
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.own_address import is_own_address, own_address
from connectors.logs.regions import region_of
from connectors.logs.values import Rule, count, instant, truth

TABLE = "ApiManagementGatewayLlmLog"
ESSENTIAL = frozenset({"CorrelationId", "TimeGenerated", "SequenceNumber", "IsRequestSuccess", "ResponseCode"})

_TEXTS = (
    "CorrelationId RequestId OperationName Region ModelName DeploymentName ApiVersion _ResourceId _SubscriptionId "
    "ProductId ApiId OperationId BackendId Cache"
)
_COUNTED = "PromptTokens CompletionTokens TotalTokens SequenceNumber ResponseCode"
_TOKENS = ("PromptTokens", "CompletionTokens", "TotalTokens")
_EXTRA = ("ApiVersion", "ApiId", "OperationId", "ProductId", "BackendId", "ResponseCode", "_ResourceId")
_HOSTS = {
    "azure": re.compile(r".*\.(azure\.com|api\.cognitive\.microsoft\.com)"),
    "bedrock": re.compile(r"(.*\.)?bedrock-runtime(-fips)?\..*"),
    "vertex_ai": re.compile(r".*aiplatform\.googleapis\.com"),
    "google": re.compile(r"generativelanguage\.googleapis\.com"),
    "openai": re.compile(r"(.*\.)?api\.openai\.com"),
    "anthropic": re.compile(r"api\.anthropic\.com"),
    "mistral": re.compile(r"api\.mistral\.ai"),
}


def allowed(settings: GatewayNames) -> AllowList:
    """The columns of a call, without its messages; another table's row is unlandable."""
    rules = rules_of(settings.hash_key)
    fields: Fields = {
        "TimeGenerated": instant,
        "IsStreamCompletion": truth,
        "IsRequestSuccess": truth,
        "ApimSubscriptionId": _subscription(rules.key, rules.text),
        "TotalTime": number,
        "UserId": rules.person,
        "BackendUrl": rules.address,
        **each_of(_TEXTS, rules.text),
        **each_of(_COUNTED, count),
    }
    redact = compiled(fields)

    def call(row: Mapping[str, Any]) -> dict[str, Any]:
        if row.get("Type", TABLE) != TABLE or "CorrelationId" not in row:
            raise UnlandableError("unknown_format")
        return redact(row)

    return AllowList(call, frozenset(fields))


def attempt(settings: GatewayNames, record: Record) -> Attempt:
    """The attempt that a landed record tells of.

    Raises NoAttemptError for a row that holds no more than a part of a call's messages, and UsageError for usage that
    contradicts itself.
    """
    if record.get("SequenceNumber") and not _is_counted(record):
        raise NoAttemptError(is_repeated=True)
    subscription: Record = record.get("ApimSubscriptionId") or NOTHING
    columns = {**record, "ApimSubscriptionId": subscription.get("name")}
    said = asked(settings, (columns,))
    start = microseconds(record.get("TimeGenerated"))
    address: str | None = record.get("BackendUrl")
    provider = _provider(settings, address)
    counts = Counts(*(record.get(name) for name in _TOKENS))
    return Attempt(
        request_id=record.get("RequestId") or record.get("CorrelationId"),
        dedup_key=record.get("CorrelationId"),  # one for each call
        started_at=start,
        ended_at=later(start, record.get("TotalTime")),
        status=_status(record),
        usage=exclusive(
            of_call(counts, record.get("OperationName"), record.get("ModelName")), CONVENTIONS["azure_apim"]
        ),
        call_type=record.get("OperationName"),
        provider=provider,
        requested_model=record.get("DeploymentName") or record.get("ModelName"),
        billed_model=record.get("ModelName"),
        deployment_id=record.get("DeploymentName"),
        api_base=address,
        region_id=_region(record, provider, address),
        key_id=subscription.get("key"),
        key_alias=subscription.get("name"),
        gateway_team_id=at(columns, settings.team_id_field),
        organization_id=record.get("_SubscriptionId"),
        user_hash=record.get("UserId"),
        feature=said.feature,
        environment=said.environment,
        outcome_ids=said.outcome_ids,
        is_cache_hit=str(record.get("Cache", "")).lower() == "hit",
        is_stream=record.get("IsStreamCompletion"),
        extra={name: record[name] for name in _EXTRA if record.get(name) not in (None, "")},
    )


def _subscription(key: Rule, text: Rule) -> Rule:
    """A subscription of the gateway (not of Azure): its hash, and its name, which is not its secret."""

    def subscription(value: object) -> object:
        shown = {"key": key(value), "name": text(value)}
        return shown if value not in (None, "") else None

    return subscription


def _is_counted(record: Record) -> bool:
    return any(record.get(name) for name in _TOKENS)


def _status(record: Record) -> str | None:
    """The gateway's word, or else that tokens were counted, or a stream begun; None where nobody says."""
    is_success = record.get("IsRequestSuccess")
    if is_success is not None:
        return "success" if is_success else "failure"
    is_under_way = _is_counted(record) or record.get("IsStreamCompletion")
    return status_of(record.get("ResponseCode")) or ("success" if is_under_way else None)


def _provider(settings: GatewayNames, address: str | None) -> str:
    if address and is_own_address(address):
        return own_address()
    host = urlsplit(address or "").hostname or ""
    return next((name for name, pattern in _HOSTS.items() if pattern.fullmatch(host)), settings.provider)


def _region(record: Record, provider: str, address: str | None) -> str | None:
    """The backend's where its address tells it; else, of Azure's models, the gateway's own."""
    gateways = "".join(str(record.get("Region") or "").split()).lower() if provider == "azure" else ""
    return region_of(address) or gateways or None
