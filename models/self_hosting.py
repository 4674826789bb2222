"""What a million tokens of an own model cost at the load that it really had: GPU money over tokens, parted by method.

A model's money is that of the pods that served it, idle time included, and what the ledger sends to the shared pool
where it runs. It is parted, exactly, by what was measured: the engines' seconds of prefill and decode, in which cached
tokens take none; else by the pool's weights of a token; else every token that was computed weighs the same. Source:
OpenCost's cost of inference (GPU cost by phase over the tokens that were not cached), methods' vector G3.

Here belongs: that division. Here does not belong: what a GPU-hour cost (`models.gpu_costs`), the price of a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Literal

from models.allocation import largest_remainder
from models.money import SCALE

SELF_HOSTING_RULES = "4"
"""Changes when the same money and tokens would give other figures."""

Method = Literal["measured_seconds", "token_weights", "equal_tokens", "no_tokens"]

_MICRO = 1_000_000
_EXACT = Context(prec=76, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Tokens:
    """Tokens of a model: those of prompts include the cached ones, of which None says that nobody counts them."""

    prompt_tokens: int
    cached_tokens: int | None
    generated_tokens: int

    @property
    def computed_tokens(self) -> int:
        """Prompt tokens that were not found in the cache, as far as anybody knows."""
        return self.prompt_tokens - (self.cached_tokens or 0)


@dataclass(frozen=True)
class Parted:
    """Money by phase, in pico-units that sum to what was parted; `method` says by what."""

    method: Method
    prefill_units: int
    cached_units: int
    decode_units: int


def part(units: int, tokens: Tokens, seconds: tuple[float, float] | None, weights: Mapping[str, int] | None) -> Parted:
    """Parts the money of a model between prefill, cached tokens and decode.

    Args:
        units: pico-units of either sign.
        tokens: what was counted.
        seconds: of prefill and of decode, as the engines measured them; None when one of them does not tell.
        weights: by token class, of the pool where the model runs, whole and not negative; None without a pool.

    Returns:
        The parts. Without seconds, and without tokens to weigh, all of it is decode: a model that holds a GPU and does
        nothing waits to generate, and `no_tokens` says so.
    """
    measured = [round(phase * _MICRO) for phase in seconds or ()]
    if any(measured):
        prefill, decode = largest_remainder(units, measured)
        return Parted("measured_seconds", prefill, 0, decode)
    if not tokens.prompt_tokens and not tokens.generated_tokens:
        return Parted("no_tokens", 0, 0, units)
    method: Method = "token_weights" if weights else "equal_tokens"
    chosen = weights or {"input_uncached": 1, "cache_read": 0, "output_text": 1}
    counted = [
        tokens.computed_tokens * chosen.get("input_uncached", 0),
        (tokens.cached_tokens or 0) * chosen.get("cache_read", 0),
        tokens.generated_tokens * chosen.get("output_text", 0),
    ]
    if not any(counted):
        return Parted(method, 0, 0, units)
    return Parted(method, *largest_remainder(units, counted))


def per_mtok(units: int, tokens: int) -> Decimal | None:
    """Money for a million tokens, rounded half up at twelve places; None without tokens.

    `units` are pico-units, the result is in whole units of the currency.
    """
    if not tokens:
        return None
    scaled = _EXACT.divide(Decimal(units * 10**6), Decimal(tokens))
    return _EXACT.scaleb(_EXACT.quantize(scaled, Decimal(1)), -SCALE)


def prompt_rates(parted: Parted, tokens: Tokens, log: Tokens) -> tuple[Decimal | None, Decimal | None]:
    """What a million prompt tokens cost a request, computed and cached ones, in the currency of `parted`.

    Gateways may not tell which tokens were cached. Where the log's prompts would come to more than their GPUs cost, as
    it has computed tokens that the engines found in their caches, both kinds cost what a prompt's token cost on
    average. NULL without tokens; cached tokens that take no time cost nothing.

    Args:
        parted: the model's money.
        tokens: what it was parted by.
        log: what the requests say that they used.
    """
    units, cached = parted.prefill_units + parted.cached_units, tokens.cached_tokens
    if abs(_asked_by_kind(parted, tokens, log)) > abs(units):
        both = per_mtok(units, tokens.prompt_tokens)
        return both, both
    cached_rate = per_mtok(parted.cached_units, cached or 0) if parted.cached_units else Decimal(0)
    return per_mtok(parted.prefill_units, tokens.computed_tokens), cached_rate


def unlogged_units(parted: Parted, tokens: Tokens, log: Tokens) -> int:
    """What the tokens cost that engines counted and no log has, in pico-units, rounded half to even.

    Traffic past the gateway. Each token costs what a request's does (`prompt_rates`); a phase without any token costs
    nobody's requests anything, and is not in it.

    Args:
        parted: the model's money.
        tokens: what the engines counted, no fewer than the log has.
        log: what the requests say that they used.
    """
    units = Fraction(parted.prefill_units + parted.cached_units)
    asked = _asked_by_kind(parted, tokens, log)
    if abs(asked) > abs(units):
        asked = units * Fraction(log.prompt_tokens, tokens.prompt_tokens)
    paid_for = Fraction(parted.prefill_units if tokens.computed_tokens else 0)
    paid_for += parted.cached_units if tokens.cached_tokens else 0
    unlogged = paid_for - asked
    if tokens.generated_tokens:
        unlogged += parted.decode_units * (1 - Fraction(log.generated_tokens, tokens.generated_tokens))
    return round(unlogged)


def _asked_by_kind(parted: Parted, tokens: Tokens, log: Tokens) -> Fraction:
    """What the log's prompts come to, in pico-units, were computed and cached tokens each at their own rate."""
    asked = Fraction(0)
    if tokens.computed_tokens:
        asked += Fraction(parted.prefill_units * log.computed_tokens, tokens.computed_tokens)
    if tokens.cached_tokens:
        asked += Fraction(parted.cached_units * (log.cached_tokens or 0), tokens.cached_tokens)
    return asked


def in_dollars(per_mtok: Decimal | None, usd_rate: Decimal | None) -> Decimal | None:
    """Money for a million tokens as dollars for one, rounded half up at twelve places; None where one is unknown."""
    if per_mtok is None or usd_rate is None:
        return None
    return _EXACT.quantize(_EXACT.scaleb(_EXACT.multiply(per_mtok, usd_rate), -6), _EXACT.scaleb(Decimal(1), -SCALE))
