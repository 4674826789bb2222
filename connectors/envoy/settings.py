"""What has to be said about an Envoy AI Gateway's access log before it can be read."""

from decimal import Decimal

from pydantic import Field, field_validator

from connectors.envoy.keys import KEYS
from connectors.logs.settings import PATH, StoredLogSettings
from connectors.names import nearest


class EnvoySettings(StoredLogSettings):
    """The access log of one gateway, as JSON lines."""

    keys: dict[str, str] = Field(
        default={},
        description="Keys of the log that differ from the recommended ones: what they say on the left (input_tokens, "
        "output_tokens, backend, response_model, user, ...), the key on the right.",
    )
    team_id_field: str = Field(default="team", pattern=PATH, description="Key of the log that names the team.")
    feature_key: str = Field(default="feature", min_length=1, description="Key of the log that names the feature.")
    environment_key: str = Field(default="environment", min_length=1, description="The same for the environment.")
    outcome_keys: tuple[str, ...] = Field(default=(), description="Keys of the log that hold outcome ids.")
    providers: dict[str, str] = Field(
        default={},
        description="Providers behind backends, by the backend's name or namespace/name: `{default/gpt-eu: azure}`. A "
        "backend that is not named here is taken for the provider of its own name.",
    )
    cost_unit: Decimal = Field(
        default=Decimal("0.000001"),
        gt=0,
        max_digits=24,
        decimal_places=12,
        description="What 1 in the log's `cost` is in USD. Costs that CEL expressions compute are whole numbers, so "
        "that most deployments count millionths.",
    )

    @field_validator("keys")
    @classmethod
    def _known_names(cls, keys: dict[str, str]) -> dict[str, str]:
        for name, key in keys.items():
            if name not in KEYS:
                found = nearest(name, KEYS)
                advice = f"did you mean {found!r}?" if found else f"known are {', '.join(sorted(KEYS))}"
                raise ValueError(f"{name!r} is nothing that a line says; {advice}")
            if not key.strip():
                raise ValueError(f"{name}: the key is empty; leave the line out")
        return keys

    @property
    def keys_by_name(self) -> dict[str, str]:
        """Where each thing stands: the recommended keys, and those that the settings name."""
        return {name: key for name, recommended in KEYS.items() if (key := self.keys.get(name, recommended))}
