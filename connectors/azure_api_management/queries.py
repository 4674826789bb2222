"""The question to Log Analytics, in its query language: one row for each call.

A call whose messages are long is split over several rows, and only one of them holds its tokens and names: rows of a
call are put together by the greatest count and by any text that is not empty, never by sums. Messages and addresses
of callers are never named.
"""

from datetime import datetime, timedelta

_CALL_TEXTS = (
    *("RequestId", "OperationName", "Region", "ModelName", "DeploymentName", "ApiVersion"),
    *("_ResourceId", "_SubscriptionId"),
)
_CALL_NUMBERS = ("PromptTokens", "CompletionTokens", "TotalTokens")
_GATEWAY = (
    *("ApimSubscriptionId", "ProductId", "ApiId", "OperationId", "BackendId", "BackendUrl", "UserId"),
    *("IsRequestSuccess", "ResponseCode", "TotalTime", "Cache"),
)
_BESIDE = timedelta(hours=1)  # both logs give a call the time of its start; clocks of two writers may differ


def calls_query(first: datetime, last: datetime, *, gateway_log: bool) -> str:
    """Calls that started from `first` to before `last`, with what the gateway's log knows of them."""
    columns = [
        "TimeGenerated = min(TimeGenerated)",
        *(f"{name} = max({name})" for name in _CALL_NUMBERS),
        *(f"{name} = take_anyif({name}, isnotempty({name}))" for name in _CALL_TEXTS),
        "IsStreamCompletion = max(toint(IsStreamCompletion))",
    ]
    calls = (
        f"ApiManagementGatewayLlmLog | where {_between(first, last)} | summarize {', '.join(columns)} by CorrelationId"
    )
    if not gateway_log:
        return calls
    gateway = (
        f"ApiManagementGatewayLogs | where {_between(first - _BESIDE, last + _BESIDE)}"
        f" | summarize arg_max(TimeGenerated, {', '.join(_GATEWAY)}) by CorrelationId | project-away TimeGenerated"
    )
    return f"{calls} | join kind=leftouter ({gateway}) on CorrelationId | project-away CorrelationId1"


def _between(first: datetime, last: datetime) -> str:
    return (
        f"TimeGenerated >= datetime({first:%Y-%m-%dT%H:%M:%SZ}) and TimeGenerated < datetime({last:%Y-%m-%dT%H:%M:%SZ})"
    )
