"""One cell of a reconciliation: what bill, usage API, gateway log and price book say of a class of tokens on a day.

Here belongs: what follows from a cell alone. Here does not belong: causes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal

from models.reconciliation_sides import PRICE_DIGIT, ZERO, Billed, Key

_HALF, _CENT = Decimal("0.5"), Decimal("0.01")


def price_rounded(usd_per_token: Decimal) -> Decimal:
    """An average of prices, with six digits more than prices have."""
    return usd_per_token.quantize(PRICE_DIGIT)


@dataclass(slots=True)
class Charge:
    """What of a cell is billed and logged in one tier; `tier` is None where the bill does not tell tiers.

    `moved` and `moved_cost` are the log's, as those of a cell; `prices` all that held; `price` what a billed token
    costs. `lines` and `unit` are the bill's, as of a cell of it; its day is from `begins` to `ends`, in UTC: 23 or 25
    hours where clocks are changed.
    """

    key: Key
    tier: str | None
    tokens: Decimal
    cost: Decimal
    lines: Decimal
    unit: Decimal | None
    moved: int
    moved_cost: Decimal
    prices: frozenset[Decimal]
    price: Decimal
    begins: datetime
    ends: datetime

    @property
    def half(self) -> Decimal:
        """Half a unit of the last digit that the bill writes of it, in USD; of a cent where there is no line."""
        return _HALF * (_CENT if self.unit is None else self.unit)

    @property
    def listed(self) -> Decimal:
        """What the billed tokens cost at the price book."""
        return self.price * self.tokens

    @property
    def lacking(self) -> Decimal:
        """Billed less logged tokens of the tier."""
        return self.tokens - self.moved

    @property
    def lacking_price(self) -> Decimal:
        """What a token costs that the log lacks, or has too much: at several prices, what they leave for it."""
        is_one = len(self.prices) < 2 or not self.lacking
        return self.price if is_one else (self.listed - self.moved_cost) / self.lacking


@dataclass(slots=True)
class Cell:
    """The four sides of one cell; None where a side has nothing to say.

    `moved` is the log on the bill's own day without what was logged again, `moved_cost` what it costs at the price
    book, `duplicate_cost` what was logged again on the UTC day costs; `prices` are all that held on either day, and
    `price` is what a token of the bill costs: the one price, or their average. Costs are of the tokens that have a
    price: `unpriced` are those of `logged` that have none, `without_price` those of `moved`; `estimated` is None
    where none of them has one. The usage API's tokens stand for those that the bill does not tell, moved as the log's
    are where not `days_agree`, and `unseen` are those of them that the log lacks and the bill's cost shows to have
    moved; `dearest` is what any token of the class costs at most at the provider, where some have no price here;
    `has_log` says whether the log speaks of the account, `offset` when the bill's day begins, from UTC's
    midnight, `next_offset` when the day after it does. `charges` are bill and log by tier, once tokens and prices
    are known.
    """

    key: Key
    billed: Billed | None = None
    used: int | None = None
    days_agree: bool = True
    unseen: Decimal = ZERO
    has_log: bool = True
    offset: timedelta = timedelta(0)
    next_offset: timedelta = timedelta(0)
    direct: int = 0
    logged: int = 0
    duplicates: int = 0
    moved: int = 0
    estimated: Decimal | None = ZERO
    moved_cost: Decimal = ZERO
    duplicate_cost: Decimal = ZERO
    unpriced: int = 0
    without_price: int = 0
    prices: frozenset[Decimal] = frozenset()
    price: Decimal | None = None
    dearest: Decimal | None = None
    charges: list[Charge] = field(default_factory=list[Charge])

    @property
    def begins(self) -> datetime:
        """When the bill's day begins, in UTC."""
        return datetime.combine(self.key.day, time()) + self.offset

    @property
    def ends(self) -> datetime:
        """When it ends: not always a day later, as summer time begins or ends."""
        return datetime.combine(self.key.day, time()) + timedelta(days=1) + self.next_offset

    @property
    def as_charge(self) -> Charge:
        """The whole cell as one charge, as of a bill that does not tell tiers: of the tokens that have a price."""
        billed = self.billed or Billed(lines=Decimal(1))
        of_bill = self.priced_tokens or ZERO, billed.cost, billed.lines, billed.unit
        of_log = self.moved - self.without_price, self.moved_cost, self.prices, self.price or ZERO
        return Charge(self.key, None, *of_bill, *of_log, self.begins, self.ends)

    @property
    def billed_tokens(self) -> Decimal | None:
        """Tokens that the bill is for: none without a line, None where neither its lines nor the usage API say."""
        if self.billed is None or self.billed.tokens is not None:
            return ZERO if self.billed is None else self.billed.tokens
        if self.used is None:
            return None
        # the provider's tokens of the UTC day, moved to the bill's as the log's are
        moved = 0 if self.days_agree else self.moved - (self.logged - self.duplicates)
        return self.used + moved + self.unseen

    @property
    def is_moved_by_log(self) -> bool:
        """Whether billed tokens are the usage API's, moved by the log's hours: rows that it lacks move nothing."""
        return self.billed is not None and self.billed.tokens is None and self.used is not None and not self.days_agree

    @property
    def priced_tokens(self) -> Decimal | None:
        """Billed tokens without those for which the log has no price, as far as they are on the bill."""
        billed = self.billed_tokens
        return billed if billed is None else billed - self.billed_unpriced

    @property
    def billed_unpriced(self) -> Decimal:
        """Tokens of the bill for which the log has no price: as many as it has, as far as they are on the bill."""
        return min(max(ZERO, self.billed_tokens or ZERO), Decimal(self.without_price))

    @property
    def lacking_price(self) -> Decimal:
        """What a token costs that the log lacks, or has too much; of those too many some may have no price."""
        charge = self.as_charge
        lacking = (self.billed_tokens or ZERO) - self.moved
        return charge.lacking_price * charge.lacking / lacking if lacking else charge.lacking_price

    @property
    def refunded(self) -> Decimal:
        """Tokens that the bill takes back."""
        return self.billed.refunded if self.billed else ZERO

    @property
    def is_comparable(self) -> bool:
        """Whether price and tokens are known, or a log that the bill differs from."""
        return self.has_log or (self.price is not None and self.billed_tokens is not None)

    @property
    def difference(self) -> Decimal:
        """Billed less estimated, each counted as nothing where it is absent."""
        return (self.billed.total if self.billed else ZERO) - (self.estimated or ZERO)

    @property
    def not_for_tokens(self) -> Mapping[str, Decimal]:
        """What of the bill is no price of tokens: credits, adjustments and taxes, by cause."""
        return self.billed.not_for_tokens if self.billed else {}

    @property
    def unconverted(self) -> frozenset[str]:
        """Currencies of the bill's lines that have no rate to USD: their cost is not known here."""
        return self.billed.unconverted if self.billed else frozenset()
