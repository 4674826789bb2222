"""The gateway's own daily table held against the log that was landed: what each counted of one UTC day.

LiteLLM writes both from the same request, by two ways: what one of them lost, the other shows. The table is evidence
about the log, and no log itself: nothing of it becomes a row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from connectors.base import Bytes, IncompleteDeliveryError, LandedPage, Page
from connectors.litellm.spend_logs import DailyTotal, record_counts
from connectors.logs.allow_list import Rules

_MARK = b'{"daily_table":'
_CENT_OF_A_MICRO_DOLLAR = Decimal("0.00000001")  # the table adds doubles up one by one
_MOST_TOLD = 5
_MOST_LANDED = 1_000

Pair = tuple[str, str]  # the key's id and the model, as they are landed


class Counted(NamedTuple):
    """Requests, tokens and money of some attempts. The gateway's calls of its own are no requests."""

    requests: int = 0
    failures: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    spend_usd: Decimal = Decimal(0)

    def plus(self, other: "Counted") -> "Counted":
        """Both together."""
        return Counted(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))  # pyright: ignore[reportArgumentType]

    def is_alike(self, other: "Counted") -> bool:
        """Whether both count the same; of money, what two ways of adding doubles up may differ by does not matter."""
        return self[:4] == other[:4] and abs(self.spend_usd - other.spend_usd) <= _CENT_OF_A_MICRO_DOLLAR

    def __str__(self) -> str:
        return (
            f"{self.requests:,} requests ({self.failures:,} failed), {self.input_tokens:,} tokens in, "
            f"{self.output_tokens:,} out, {self.spend_usd.quantize(Decimal('0.000001'))} USD"
        )


@dataclass
class DayCount:
    """What was landed of a day so far, by key and model."""

    rules: Rules
    landed: dict[Pair, Counted] = field(default_factory=dict[Pair, Counted])

    def add(self, row: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
        """Takes one attempt in: `row` as the database gave it, `kept` as it is landed."""
        is_request = record_counts(row)
        pair = (str(kept.get("api_key", "")), str(kept.get("model", "")))
        self.landed[pair] = self.landed.get(pair, Counted()).plus(
            Counted(
                int(is_request),
                int(is_request and _is_failed(kept)),
                _whole(kept.get("prompt_tokens")),
                _whole(kept.get("completion_tokens")),
                _amount(kept.get("spend")),
            )
        )

    @property
    def total(self) -> Counted:
        """The whole day."""
        return _sum(self.landed.values())

    def against(self, totals: Iterable[DailyTotal], day: date) -> Page | None:
        """The comparison as a page to land; None where neither side has anything."""
        table: dict[Pair, Counted] = {}
        for found in totals:
            pair = (str(self.rules.key(found.api_key) or ""), str(self.rules.text(found.model) or ""))
            table[pair] = table.get(pair, Counted()).plus(Counted(*found[2:6], Decimal(str(found.spend))))
        if not table and not self.landed:
            return None
        pairs = {pair: (table.get(pair, Counted()), self.landed.get(pair, Counted())) for pair in table | self.landed}
        apart = sorted(
            (pair for pair, (theirs, ours) in pairs.items() if not theirs.is_alike(ours)),
            key=lambda pair: (-abs(pairs[pair][0].spend_usd - pairs[pair][1].spend_usd), pair),
        )
        said: dict[str, Any] = {
            "day": day.isoformat(),
            **_sides(_sum(table.values()), self.total),
            "apart_count": len(apart),
            "apart": [{"key_id": p[0], "model": p[1], **_sides(*pairs[p])} for p in apart[:_MOST_LANDED]],
        }
        return Page(f"{day}/daily.json", Bytes(orjson.dumps({"daily_table": said}, option=orjson.OPT_APPEND_NEWLINE)))


def total_requests(totals: Iterable[DailyTotal]) -> int:
    """How many requests the table counted."""
    return sum(found.requests for found in totals)


def is_comparison(page: LandedPage) -> bool:
    """Whether a landed page is the comparison and not the log."""
    with page.body.open() as stream:
        return stream.read(len(_MARK)) == _MARK


def notices_of(pages: Iterable[LandedPage]) -> tuple[str, ...]:
    """What people should know: where the log and the gateway's own daily table do not count the same.

    Raises IncompleteDeliveryError for a page that is cut off.
    """
    found: list[str] = []
    for page in pages:
        with page.body.open() as stream:
            content = stream.read()
        if not content.endswith(b"\n"):
            raise IncompleteDeliveryError(f"page {page.name} ends too early; fetch the day again")
        said = orjson.loads(content)["daily_table"]
        if not said["apart_count"]:
            continue
        found.append(
            f"{said['day']}: LiteLLM's own daily table counts {_read(said['table'])}; the log holds "
            f"{_read(said['log'])}. They differ for {said['apart_count']:,} pairs of key and model. The gateway writes "
            "both late: a night that reads the day again settles what was still being written"
        )
        found += [
            f"{said['day']}: {apart['model'] or 'no model'} under key {apart['key_id'][:12] or 'none'}: the daily "
            f"table counts {_read(apart['table'])}; the log {_read(apart['log'])}"
            for apart in said["apart"][:_MOST_TOLD]
        ]
    return tuple(found)


def _sides(table: Counted, log: Counted) -> dict[str, list[int | str]]:
    return {
        name: [side.requests, side.failures, side.input_tokens, side.output_tokens, str(side.spend_usd)]
        for name, side in (("table", table), ("log", log))
    }


def _read(values: list[Any]) -> Counted:
    requests, failures, input_tokens, output_tokens, spend_usd = values
    return Counted(requests, failures, input_tokens, output_tokens, Decimal(spend_usd))


def _sum(counts: Iterable[Counted]) -> Counted:
    total = Counted()
    for count in counts:
        total = total.plus(count)
    return total


def _is_failed(kept: Mapping[str, Any]) -> bool:
    """Older gateways said it in the metadata alone."""
    return (kept.get("status") or (kept.get("metadata") or {}).get("status")) == "failure"


def _whole(value: object) -> int:
    """A count that was withheld counts nothing here: its row is refused, and the comparison shows the gap."""
    return value if isinstance(value, int) else 0


def _amount(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        return Decimal(0)
    return amount if amount.is_finite() else Decimal(0)
