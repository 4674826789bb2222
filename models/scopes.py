"""What a figure is of: a metric, and of which account, provider, model, feature, kind of outcome and business unit.

Here belongs: scopes and their names. Here does not belong: figures.
"""

from dataclasses import dataclass

COST, TOKENS, OUTCOME_COST = "cost", "tokens", "outcome_cost"
DIMENSIONS = ("account", "provider_name", "model_id", "feature", "outcome_kind", "business_unit")
_LEVELS = {"": "organisation", "account": "account", "provider_name": "provider"}


@dataclass(frozen=True, order=True)
class Scope:
    """Everything that has these values; an empty one lets all through."""

    metric: str = COST
    account: str = ""
    provider_name: str = ""
    model_id: str = ""
    feature: str = ""
    outcome_kind: str = ""
    business_unit: str = ""

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
