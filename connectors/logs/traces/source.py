"""The four verbs of a store of traces, as far as they do not depend on where it is."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import ClassVar, TypeVar

from connectors.base import LandedPage, Parsed, Window
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.latest import records_of
from connectors.logs.source import RequestLog
from connectors.logs.staging import Reading, parse_log
from connectors.logs.traces.allowed import allowed
from connectors.logs.traces.attempts import ESSENTIAL, attempt, cost_of
from connectors.logs.traces.settings import TraceSettings
from connectors.logs.traces.tree import Tree
from contracts import contract

S = TypeVar("S", bound=TraceSettings)


class TraceLog(RequestLog[S]):
    """Calls told by spans. A connector adds where the spans are."""

    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def allow_list(self, settings: S) -> AllowList:
        """A span without what was said in it."""
        return allowed(settings)

    def read(self, settings: S, record: Record) -> Attempt:
        """A span alone, as if there were no others."""
        return attempt(settings, record, Tree(frozenset(settings.operations)))

    def cost(self, settings: S, record: Record) -> str | Decimal | None:  # noqa: ARG002
        """What an instrumentation computed."""
        return cost_of(record, Tree(frozenset()))

    def parse(self, settings: S, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of `gateway_requests`: every call once. The pages are read twice, first for how spans hang together."""
        landed = sorted(pages, key=lambda page: page.digest)
        tree = Tree(frozenset(settings.operations))
        for record in records_of(landed):
            tree.add(record)
        tree.settle()
        reading = Reading(
            read=lambda record: attempt(settings, record, tree),
            cost=lambda record: cost_of(record, tree),
            known=self.allow_list(settings).known,
            essential=self.essential,
            remedy=self.remedy,
        )
        count = 0
        for chunk in parse_log(settings, window, landed, reading):
            count += chunk.rows.num_rows
            yield chunk
        yield Parsed(contract(self.fact).arrow_schema().empty_table(), notices=tuple(_notices(settings, tree, count)))


def _notices(settings: TraceSettings, tree: Tree, count: int) -> Iterator[str]:
    if count and (settings.sampled_share < 1 or tree.sampled):
        share = f"a share of {settings.sampled_share}" if settings.sampled_share < 1 else "an unknown share"
        seen = f"; the state of {tree.sampled} spans says that their traces were sampled" if tree.sampled else ""
        yield (
            f"these {count} calls are {share} of all{seen}: a sample tells proportions and is no ledger; the sums of "
            "this source are too low, and are not to be held against a bill"
        )
    for operation, spans in sorted(tree.uncounted.items()):
        yield (
            f"{spans} spans of the operation {operation!r} are not counted; if each is one call of a model, add it to "
            "the setting operations"
        )
    if tree.unequal:
        yield (
            f"{len(tree.unequal)} calls state other output than the calls in them, such as {min(tree.unequal)}; what "
            "states more is counted, and is too little where the outer one is a call of its own"
        )
