"""The company's own prices in `farthing.yml`."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.price_lines import ANY_INPUT_TO
from models.tokens import TokenClass
from pipelines.config.strict import Dated, Words

UsdPerMtok = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]
ServiceTier = Literal["default", "batch", "priority", "flex"]


class Price(Dated):
    """A price that the company negotiated: it wins over the list."""

    provider: str = Field(description="Provider in the price book, such as openai.")
    model: str = Field(description="Model in the price book.")
    tier: ServiceTier = "default"
    region: Words | None = Field(
        default=None,
        description="Region that it holds in, in the cloud's words; it then wins over a price without one. "
        "Without it, it replaces the lists' prices in every region. Usage whose region nobody tells has the price on "
        "which all regions with a price of their own agree, be it this one's alone.",
    )
    input_tokens_from: int = Field(
        default=0,
        ge=0,
        le=ANY_INPUT_TO,
        description="Smallest total input of a request for which it holds, such as 200001. A price without this and "
        "'input_tokens_to' replaces the lists' prices of every context length, the higher ones of long contexts too.",
    )
    input_tokens_to: int | None = Field(
        default=None, gt=0, le=ANY_INPUT_TO, description="First total input for which it no longer holds."
    )
    usd_per_mtok: dict[TokenClass, UsdPerMtok] = Field(
        description="USD per million tokens of each class, at most six decimal places."
    )

    @property
    def end_of_band(self) -> int:
        """First total input for which it no longer holds, whether that was given or not."""
        return ANY_INPUT_TO if self.input_tokens_to is None else self.input_tokens_to

    @model_validator(mode="after")
    def _band_holds_something(self) -> Self:
        if self.end_of_band <= self.input_tokens_from:
            raise ValueError(
                f"'input_tokens_to' ({self.end_of_band}) must be more than 'input_tokens_from' "
                f"({self.input_tokens_from})"
            )
        return self
