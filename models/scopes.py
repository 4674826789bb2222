"""What a figure is of: a metric, and of which account, provider, model and feature.

Here belongs: scopes and their names. Here does not belong: figures.
"""

from dataclasses import dataclass

COST, TOKENS = "cost", "tokens"
DIMENSIONS = ("account", "provider_name", "model_id", "feature")
_LEVELS = {"": "organisation", "account": "account", "provider_name": "provider"}


@dataclass(frozen=True, order=True)
class Scope:
    """Everything that has these values; an empty one lets all through."""

    metric: str = COST
    account: str = ""
    provider_name: str = ""
    model_id: str = ""
    feature: str = ""

    @property
    def fixed(self) -> tuple[str, ...]:
        """The dimensions that it names."""
        return tuple(name for name in DIMENSIONS if getattr(self, name))

    @property
    def level(self) -> str:
        """The name of the dimensions that it fixes."""
        return _LEVELS.get("+".join(self.fixed), "budget")

    @property
    def team_id(self) -> str | None:
        """The team of a team's account."""
        return self.account.removeprefix("team:") if self.account.startswith("team:") else None
