"""The LiteLLM gateway's request log: payloads of its object loggers, or rows of its SpendLogs table.

Here belongs: which files hold a day, the allow-list that runs before anything is landed, and how a logged attempt
becomes a row of `gateway_requests`. Here does not belong: prices, owners, and anything about other gateways.
"""

from connectors.litellm.source import LiteLlm

SOURCE = LiteLlm()

__all__ = ["SOURCE", "LiteLlm"]
