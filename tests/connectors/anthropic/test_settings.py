"""What the settings refuse, in words that help, and without the key."""

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.anthropic.settings import CostsSettings, UsageSettings
from tests.connectors.anthropic.written import KEY


def usage_settings(**over: Any) -> UsageSettings:
    return UsageSettings(**{"name": "u", "kind": "anthropic_usage", **over})


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({}, "give either 'api_key'"),
        ({"api_key": KEY, "location": "/saved"}, "not both"),
        ({"api_key": KEY, "url": "https://user:secret@proxy.example"}, "without user"),
        ({"api_key": KEY, "bucket_width": "2h"}, "1m"),
        ({"api_key": KEY, "analytics_groups": ["rbac_group_id"]}, "agent_id"),
        ({"api_key": KEY, "analytics_groups": []}, "at least 1"),
        (
            {
                "api_key": KEY,
                "analytics_groups": ["model", "product", "speed", "agent_id", "api_key_id", "workspace_id"],
            },
            "at most 5",
        ),
    ],
)
def test_settings_that_cannot_work_say_why(over: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as failure:
        usage_settings(**over)
    assert KEY not in str(failure.value)


def test_the_key_stays_out_of_sight() -> None:
    assert KEY not in repr(usage_settings(api_key=KEY))


def test_an_address_loses_its_last_slash() -> None:
    assert usage_settings(api_key=KEY, url="http://127.0.0.1:8080/proxy/").url == "http://127.0.0.1:8080/proxy"


@pytest.mark.parametrize("tolerance", ["-0.1", "1.1", "NaN"])
def test_a_tolerance_is_small_and_not_negative(tolerance: str) -> None:
    with pytest.raises(ValidationError):
        CostsSettings.model_validate(
            {"name": "c", "kind": "anthropic_costs", "api_key": KEY, "total_tolerance_usd": tolerance}
        )
