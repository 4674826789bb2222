"""Whose service answered where a gateway says OpenAI: OpenAI's dialect is what self-hosted engines speak too.

Here belongs: what an endpoint's host says of its owner. Here does not belong: models (the price list knows which of
them OpenAI sells), configuration.
"""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

_DIALECT = frozenset({"openai", "custom_openai", "openai_like", "openai_compatible", "text-completion-openai"})
_OWN_ZONES = (".svc", ".cluster.local", ".internal", ".local", ".lan", ".home.arpa")


def provider_at(provider: str | None, api_base: str | None) -> str | None:
    """The provider as logged, or `own_address` where it is OpenAI's dialect at an address of the own network."""
    is_own = provider is not None and api_base and provider.lower() in _DIALECT and is_own_address(api_base)
    return own_address() if is_own else provider


def own_address() -> str:
    """The provider's name at such an address; see `contracts.words`."""
    from contracts.words import OWN_ADDRESS  # here, for processes that only read files start without the contracts

    return OWN_ADDRESS


@lru_cache(maxsize=4096)
def is_own_address(api_base: str) -> bool:
    """Whether the endpoint's host is private: an address or name that means nothing outside of the company's network.

    Loopback is not: what listens beside a gateway is as often a sidecar before a provider as an engine.
    """
    try:
        host = urlsplit(api_base if "//" in api_base else f"//{api_base}").hostname or ""
    except ValueError:
        return False
    try:
        address = ip_address(host)
    except ValueError:
        name = host.rstrip(".")
        return name.endswith(_OWN_ZONES) or (bool(name) and "." not in name and name != "localhost")
    return address.is_private and not address.is_loopback and not address.is_unspecified
