"""What has to be said about any store of traces before its calls can be counted."""

from decimal import Decimal

from pydantic import Field

from connectors.logs.settings import PATH, LogSettings
from connectors.logs.traces.names import CALLS


class TraceSettings(LogSettings):
    """Names that the spans' authors chose, and what the spans cannot tell."""

    team_id_field: str = Field(
        default="team",
        pattern=PATH,
        description="Key of a span's metadata, attribute of a span or of its resource that names the team, such as "
        "`service.namespace`.",
    )
    operations: tuple[str, ...] = Field(
        default=CALLS,
        min_length=1,
        description="Operations (`gen_ai.operation.name`) that are calls of a model. Agents and workflows repeat what "
        "the calls in them used, and are not to be named.",
    )
    cached_beside: tuple[str, ...] = Field(
        default=(),
        description="Instrumentations, by the name of their scope (`*` stands for anything), that count cached input "
        "beside the input instead of in it, as older ones for Anthropic do.",
    )
    cached_inside: tuple[str, ...] = Field(
        default=(),
        description="Instrumentations, by the name of their scope (`*` stands for anything), that are known to count "
        "cached input and reasoning in input and output, as the conventions ask. Of all others that is assumed where "
        "no total is stated, and told.",
    )
    sampled_share: Decimal = Field(
        default=Decimal(1),
        gt=0,
        le=1,
        description="Share of the calls whose spans are kept. Below 1 every night says that this is a sample and no "
        "ledger; nothing is multiplied.",
    )

    @property
    def wanted_keys(self) -> tuple[str, ...]:
        """The keys of metadata that are landed."""
        return (*self.asked_keys, self.team_id_field)
