"""Cloudflare AI Gateway's log of requests, by its API.

Here belongs: asking one gateway for a day's rows, and what they mean. Here does not belong: the analytics of its
dashboard, which sum them up, and Logpush, whose bodies are encrypted.
"""

from connectors.cloudflare.source import CloudflareAiGateway

SOURCE = CloudflareAiGateway()

__all__ = ["SOURCE", "CloudflareAiGateway"]
