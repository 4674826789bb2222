"""The section `self_hosting`: workloads that might be served on GPUs of one's own, and where their data may go."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipelines.config.strict import Slug, Strict, Words

Dollars = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]
Rate = Annotated[Decimal, Field(gt=0, le=10**9, decimal_places=3)]
Minutes = Annotated[Decimal, Field(ge=0, le=10**4, decimal_places=3)]
Share = Annotated[Decimal, Field(gt=0, lt=1, decimal_places=4)]


class Machine(Strict):
    """A machine type that may be rented for it."""

    instance_type: Words = Field(description="As price lists name it: p5.48xlarge, Standard_ND96isr_H100_v5.")
    gpus: int | None = Field(default=None, gt=0, le=1024, description="Its GPUs, where the list does not say.")
    hour_cost: Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=6)] | None = Field(
        default=None, description="What an hour of it costs on demand, in US dollars, by an offer that no list has."
    )
    provider: Words = Field(default="offer", description="Whose offer that is.")
    region: Words | None = Field(default=None, description="Where that machine would stand. Without, nobody says.")

    @model_validator(mode="after")
    def _whole_offer(self) -> Self:
        if self.hour_cost is not None and self.gpus is None:
            raise ValueError("'hour_cost' needs 'gpus': no list tells how many GPUs the machine has")
        if self.hour_cost is None and (self.region or self.provider != "offer"):
            raise ValueError("'provider' and 'region' are of an offer of one's own: give its 'hour_cost', or neither")
        return self


class Interrupted(Strict):
    """How often spot machines are taken away, as observed, and what that costs each time."""

    every_hours: Annotated[Decimal, Field(gt=0, le=10**6, decimal_places=3)] = Field(
        description="Mean hours between interruptions of a machine."
    )
    restart_minutes: Minutes = Field(default=Decimal(15), description="Minutes until another one has taken over.")
    checkpoint_minutes: Minutes = Field(
        default=Decimal(0),
        description="Minutes that saving work takes; 0 where an answer that was cut off is lost alone.",
    )


class SelfHosting(Strict):
    """A workload that might be served on GPUs of one's own.

    Every night it is held against today's API and against the cheapest one that serves the same weights, with machines
    on demand, committed and spot, by region.
    """

    id: Slug = Field(description="Its name in `break_even`.")
    model: Words = Field(description="The model whose traffic it is, in the price book's words.")
    weights: Words = Field(description="The open weights that would serve it: an id of pipelines/open_models.yml.")
    quantisation: Literal["fp16", "fp8", "int4"] = Field(default="fp8", description="Of the weights.")
    gpu: Words = Field(description="Type of the machines' GPUs, by any of its names: H100 SXM.")
    gpus: int | None = Field(
        default=None, gt=0, le=64, description="GPUs of a replica. Without, the fewest that have the memory."
    )
    tokens_in_flight: int = Field(
        default=100_000, gt=0, le=10**9, description="Tokens of all requests that a replica answers at once, at most."
    )
    machines: tuple[Machine, ...] = Field(min_length=1, description="Machine types that may be rented.")
    prefill_rate: Rate | None = Field(
        default=None, description="Input tokens that a replica computes a second, as measured at the promised latency."
    )
    decode_rate: Rate | None = Field(
        default=None, description="Output tokens that it generates a second. Without both, a published peak stands in."
    )
    regions: tuple[Words, ...] = Field(default=(), description="Regions that data may go to. Without, any.")
    api_providers: tuple[Words, ...] = Field(
        default=(), description="Providers that may serve the weights, in the price book's words. Without, any."
    )
    min_replicas: int = Field(default=1, ge=0, le=10_000, description="Replicas that run at any hour.")
    most_waiting: Share = Field(default=Decimal("0.05"), description="Share of requests that may wait for a replica.")
    overhead_ratio: Annotated[Decimal, Field(ge=0, le=10, decimal_places=4)] = Field(
        default=Decimal("0.05"), description="Storage, network and monitoring, of the GPUs' cost."
    )
    people_monthly_cost: Dollars = Field(description="People and platform a month, in US dollars.")
    setup_cost: Dollars = Field(default=Decimal(0), description="What beginning costs, once, in US dollars.")
    spot: Interrupted | None = Field(
        default=None, description="How often spot machines are taken away. Without, no saving on spot is told as one."
    )

    @model_validator(mode="after")
    def _both_rates(self) -> Self:
        if (self.prefill_rate is None) != (self.decode_rate is None):
            raise ValueError("'prefill_rate' and 'decode_rate' go together: give both as measured, or neither")
        return self

    @model_validator(mode="after")
    def _one_price_each(self) -> Self:
        own = [one for one in self.machines if one.hour_cost is not None]
        seen: set[tuple[str, str | None, str]] = set()
        for one in own:
            if (place := (one.provider, one.region, one.instance_type)) in seen:
                where = f"{one.provider} in {one.region}" if one.region else one.provider
                raise ValueError(
                    f"'machines' has two prices for {one.instance_type} of {where}: keep one 'hour_cost', or tell the "
                    "offers apart by 'provider' or 'region'"
                )
            seen.add(place)
        return self

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        from pipelines.gpu_types import gpu_types, name_key
        from pipelines.open_models import open_models

        if self.weights not in open_models():
            raise ValueError(f"'weights' is none of the list: {', '.join(open_models())}")
        if name_key(self.gpu) not in gpu_types():
            raise ValueError("'gpu' is no type of pipelines/gpu_types.yml: give a name such as H100 SXM")
        return self
