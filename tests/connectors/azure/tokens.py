"""A credential that gives out one token, and says for what it was asked."""

from typing import Any

from azure.core.credentials import AccessToken

TOKEN = "canary-token-77"


class _Credential:
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert all(scope.endswith("/.default") for scope in scopes)
        return AccessToken(TOKEN, 4102444800)


def token_credential(_: object) -> Any:
    """What a source makes of its settings' credentials, in tests."""
    return _Credential()
