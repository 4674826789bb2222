"""Azure API Management's log of calls to language models, from Log Analytics (this kind) or exported (`export`).

Here belongs: what the gateway's tables mean. Here does not belong: bills and metrics of Azure (`connectors.azure`).
"""

from connectors.azure_api_management.source import SOURCE

__all__ = ["SOURCE"]
