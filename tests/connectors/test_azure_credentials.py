"""Who asks Azure: what the settings say, and nobody else."""

from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from pydantic import ValidationError

from connectors.azure_credentials import AzureCredentials, bearer_header, make_credential
from connectors.base import AuthenticationError, SourceError
from tests.connectors.azure.tokens import TOKEN, token_credential

SECRET = "canary-secret-79"
APPLICATION = {"tenant_id": "99999999-0000-4000-8000-000000000001", "client_id": "c", "client_secret": SECRET}


def credentials(**over: Any) -> AzureCredentials:
    return AzureCredentials.model_validate({"name": "azure", "kind": "azure_bill", **over})


def test_an_application_asks_with_its_secret_and_a_machine_as_itself() -> None:
    assert isinstance(make_credential(credentials(**APPLICATION)), ClientSecretCredential)
    assert isinstance(make_credential(credentials(credentials="ambient")), DefaultAzureCredential)


def test_a_token_is_asked_for_the_address_that_is_asked() -> None:
    asked = list[str]()

    class Noting:
        def get_token(self, scope: str) -> Any:
            asked.append(scope)
            return token_credential(None).get_token(scope)

    given = credentials(credentials="ambient", endpoint="https://management.chinacloudapi.cn/")
    assert bearer_header(given, lambda _: Noting()) == {"Authorization": f"Bearer {TOKEN}"}
    assert asked == ["https://management.chinacloudapi.cn/.default"]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(ClientAuthenticationError(SECRET), AuthenticationError), (ServiceRequestError(SECRET), SourceError)],
)
def test_a_token_that_is_not_given_out_is_told_without_what_the_library_says(
    failure: Exception, expected: type[Exception]
) -> None:
    class Refusing:
        def get_token(self, _: str) -> Any:
            raise failure

    with pytest.raises(expected) as told:
        bearer_header(credentials(**APPLICATION), lambda _: Refusing())
    assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    "over", [{"tenant_id": "t"}, {**APPLICATION, "credentials": "ambient"}, {"credentials": "mine"}]
)
def test_credentials_that_contradict_each_other_are_refused(over: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        credentials(**over)


def test_a_secret_is_not_shown() -> None:
    assert SECRET not in repr(credentials(**APPLICATION))
