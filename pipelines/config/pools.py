"""The section `pools`: costs that several teams share, and by what they are split."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import lcm
from typing import Annotated, Self

from pydantic import Field, model_validator

from models import pools
from models.pools import Split
from models.tokens import TokenClass
from pipelines.config.strict import Slug, Strict

POOL = "pool:"
"""Before a name in `shares`: another pool, not a team."""

Share = Annotated[Decimal, Field(ge=0, le=10**12, decimal_places=9)]
Weight = Annotated[Decimal, Field(ge=0, decimal_places=9)]

_NEEDS = {Split.WEIGHTED_TOKENS: ("model", "token_weights"), Split.FIXED: ("shares",), Split.METRIC: ("metric",)}
"""The settings that a way of splitting cannot do without, and that no other one reads."""


class Pool(Strict):
    """A cost that several teams share, and by what it is split.

    `even`: every team alike. `fixed`: by `shares`. `direct_cost`: by what the period's other charges cost each team.
    `priced_tokens`: by what each team's requests cost at the price book. `gpu_seconds`: by the GPU seconds that each
    team's other charges paid for. `weighted_tokens`: by the tokens of a self-hosted model. `metric`: by one of
    `metrics`, a measure of the company's own; a month that has none of it stays with a residual of the pool's own.
    """

    id: Slug
    split: Split = Field(default=Split.WEIGHTED_TOKENS, description="What a team's part is proportional to.")
    model: str | None = Field(
        default=None, description="weighted_tokens: self-hosted model whose tokens weigh (an id from 'models')."
    )
    token_weights: dict[TokenClass, Weight] = Field(
        default_factory=dict[TokenClass, Decimal], description="weighted_tokens: weight of one token of each class."
    )
    shares: dict[str, Share] = Field(
        default_factory=dict[str, Decimal],
        description="fixed: part of each team, or of another pool as 'pool:<id>'; any measure, such as per cent.",
    )
    metric: str | None = Field(default=None, description="metric: which of 'metrics' it is split by.")
    teams: tuple[str, ...] = Field(default=(), description="Only these teams carry it; without, all do. Not for fixed.")

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        for split, settings in _NEEDS.items():
            for name in settings:
                if self.split is split and not getattr(self, name):
                    raise ValueError(f"'split: {split}' needs '{name}'")
                if self.split is not split and getattr(self, name):
                    raise ValueError(f"'{name}' is for 'split: {split}', not for '{self.split}'")
        if self.split is Split.FIXED and self.teams:
            raise ValueError("'teams' is not for 'split: fixed': its 'shares' name who carries it")
        for name, parts in (("token_weights", self.token_weights), ("shares", self.shares)):
            if parts and not any(parts.values()):
                raise ValueError(f"one of '{name}' must be more than zero")
        return self

    def resolved(self, team_ids: Sequence[str]) -> pools.Pool:
        """The pool as the ledger takes it, where the company has these teams."""
        shares = whole_shares(self.shares)
        if self.split is Split.EVEN:
            shares = {f"team:{team}": 1 for team in self.teams or team_ids}
        weights = {str(name): weight for name, weight in self.token_weights.items()}
        return pools.Pool(self.id, self.model or "", weights, self.split, shares, self.teams, self.metric or "")


def whole_shares(shares: Mapping[str, Decimal]) -> dict[str, int]:
    """Stated shares as whole weights by account, in the same proportions."""
    ratios = {name: share.as_integer_ratio() for name, share in shares.items()}
    scale = lcm(*(bottom for _, bottom in ratios.values()))
    accounts = {name: name if name.startswith(POOL) else f"team:{name}" for name in shares}
    return {accounts[name]: top * (scale // bottom) for name, (top, bottom) in ratios.items()}
