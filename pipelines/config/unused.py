"""The sections `unused`, `prompt_cache` and `token_log`: who carries what nobody used, many read, or nobody logged."""

from typing import Literal, Self

from pydantic import Field, model_validator

from models.unused import Unused, UnusedRule
from pipelines.config.strict import Dated, Slug, Strict, Words

_SCOPES = {"commitment": {Unused.COMMITMENT}, "resource": {Unused.THROUGHPUT}}


class UnusedCapacity(Dated):
    """Who carries capacity that was paid for, that nobody used and that no owner rule names. The first match wins.

    With neither `team` nor `pool` it stays central: in a residual of its own, on nobody's statement.
    """

    id: Slug = Field(description="Kept on every posting that the rule makes.")
    of: Unused = Field(
        description="What: a reservation, savings plan or committed use; provisioned throughput, by its measured use; "
        "GPUs that nobody held, by their state."
    )
    commitment: Words | None = Field(default=None, description="Only this one, by the id on its bill. Of `commitment`.")
    resource: Words | None = Field(default=None, description="Only of this resource on the bill. Of `throughput`.")
    cluster: Words | None = Field(default=None, description="Only of this cluster. Of GPUs.")
    team: str | None = Field(default=None, description="Team that carries it, such as the owner of the reservation.")
    pool: str | None = Field(
        default=None, description="Pool that carries it: by direct_cost, by gpu_seconds, or any other way of a pool."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.team is not None and self.pool is not None:
            raise ValueError("must name at most one of 'team' and 'pool'; with neither, it stays central")
        for name in ("commitment", "resource", "cluster"):
            kinds = _SCOPES.get(name, {Unused.IDLE_GPU, Unused.UNKNOWN_GPU, Unused.UNHEALTHY_GPU})
            if getattr(self, name) is not None and self.of not in kinds:
                raise ValueError(f"'{name}' is not for 'of: {self.of}'; it goes with {', '.join(sorted(kinds))}")
        return self

    def resolved(self) -> UnusedRule:
        """The rule as the ledger takes it."""
        account = f"team:{self.team}" if self.team else f"pool:{self.pool}" if self.pool else ""
        scope = self.commitment or self.resource or self.cluster or ""
        return UnusedRule(self.id, self.of, scope, account, self.valid_from, self.valid_to)


class TokenLog(Strict):
    """What the ledger makes of tokens that a provider billed and no log knows."""

    unlogged: Literal["spread", "apart"] = Field(
        default="spread",
        description="spread: their cost is carried by those who were logged. apart: it rests in "
        "residual:unattributed:<provider>, for whoever finds the calls that pass the gateway by.",
    )


class PromptCache(Strict):
    """Who carries the lines of a bill for writes into prompt caches."""

    writes: Literal["as_incurred", "by_reads"] = Field(
        default="as_incurred",
        description="as_incurred: who wrote. by_reads: who read the model's caches on the days of the charge, by their "
        "tokens; where nobody read, who wrote.",
    )
