"""Which spans of a delivery are calls, and which tell again what another span tells.

A call is often told twice: by a framework and by the client library in it, or by two instrumentations of one library.
Such spans stand in one another, or share the provider's id of the answer. A span that stands in a tool or an agent is a
call of its own, whatever is above.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connectors.logs.calls import has_output
from connectors.logs.instants import microseconds
from connectors.logs.traces.names import (
    COUNTS,
    ERROR,
    GEN_AI,
    NO_CALLS,
    OF_ANY_SPAN,
    OF_ONE_CALL,
    OPEN_INFERENCE,
    OTHER_KINDS,
    RESPONSE_ID,
    WRITTEN_1H,
    first,
    operation_of,
)
from connectors.logs.values import WITHHELD

Record = Mapping[str, Any]
NO_CONTEXT: Record = {}
_HIGHEST = 100  # steps up from a span: deeper trees are loops
_COUNTS = frozenset(COUNTS)
_OUTPUT = (*GEN_AI.output_tokens, *OPEN_INFERENCE.output_tokens)
_DETAILS = tuple(names._replace(total_tokens=(WRITTEN_1H,)) for names in (GEN_AI, OPEN_INFERENCE))
_OUTPUT_OR_TOTAL = (*_OUTPUT, *GEN_AI.total_tokens, *OPEN_INFERENCE.total_tokens)


class _Call(NamedTuple):
    start: int
    end: int
    output: int | None
    has_usage: bool
    is_failure: bool
    detail: int
    shared: Record


@dataclass
class Tree:
    """The spans of a delivery by identity. `add` all of them, then `settle`."""

    operations: frozenset[str]
    parents: dict[str, str] = field(default_factory=dict[str, str])
    calls: dict[str, _Call] = field(default_factory=dict[str, _Call])
    others: set[str] = field(default_factory=set[str])  # tools, agents, chains
    contexts: dict[str, Record] = field(default_factory=dict[str, Record])
    uncounted: Counter[str] = field(default_factory=Counter[str])  # spans by operations that nobody knows
    sampled: int = 0
    repeated: set[str] = field(default_factory=set[str])
    wraps: dict[str, str] = field(default_factory=dict[str, str])  # the outermost span that tells a call again
    unequal: list[str] = field(default_factory=list[str])

    def add(self, record: Record) -> None:
        """Takes one landed span in; one that was delivered before is left out."""
        identity = identity_of(record)
        if identity is None or identity in self.parents:
            return
        self.parents[identity] = f"{record.get('trace_id')}:{record.get('parent_id') or ''}"
        self.sampled += "sampling" in record
        attributes: Record = record.get("attributes") or NO_CONTEXT
        if context := _context(record, attributes):
            self.contexts[identity] = context
        operation = operation_of(attributes)
        if operation in self.operations:
            self.calls[identity] = _call(record, attributes)
        elif operation is not None:
            self.others.add(identity)
            if operation not in NO_CALLS and operation not in OTHER_KINDS:
                self.uncounted[operation] += 1

    def settle(self) -> None:
        """Decides which calls are told again by others."""
        above = {identity: self._call_above(identity) for identity in self.calls}
        below = defaultdict[str, list[str]](list)
        for identity, upper in above.items():
            if upper is not None:
                below[upper].append(identity)
        counted = dict[str, list[str]]()
        for identity in sorted(below, key=_depths(above).__getitem__, reverse=True):
            inner = [one for child in below[identity] for one in counted.pop(child, [child])]
            counted[identity] = self._told_once(identity, inner)
        for outermost, kept in counted.items():
            self.wraps.update(dict.fromkeys(kept, outermost))
        self._drop_shared_answers()

    def shared(self, identity: str) -> Record:
        """What any span of the call says of it: the id of the answer, who was asked, the cost."""
        call = self.calls.get(identity)
        return call.shared if call else NO_CONTEXT

    def above(self, identity: str) -> Iterable[Record]:
        """What the spans above say of their callers, the nearest first."""
        for _ in range(_HIGHEST):
            upper = self.parents.get(identity)
            if upper is None:
                return
            identity = upper
            if (context := self.contexts.get(identity)) is not None:
                yield context

    def _call_above(self, identity: str) -> str | None:
        """The call that the span stands in, with nothing but plain spans between."""
        for _ in range(_HIGHEST):
            identity = self.parents.get(identity, "")
            if identity in self.calls:
                return identity
            if not identity or identity in self.others:
                return None
        return None

    def _told_once(self, outer: str, inner: list[str]) -> list[str]:
        """The calls in a call, or the outer one where it knows more: tokens that an inner one lost, or more of them.

        An outer span of more output than its inner ones holds calls that nobody traced, or is a call of its own.
        """
        calls = [(identity, self.calls[identity]) for identity in inner]
        stated, told = self.calls[outer], sum(call.output or 0 for _, call in calls)
        is_whole = any(call.has_usage for _, call in calls) and all(
            call.has_usage or call.is_failure for _, call in calls
        )
        if is_whole and stated.output is not None and stated.output != told:
            self.unequal.append(outer)
        is_richer = len(calls) == 1 and stated.output == told and stated.detail > calls[0][1].detail
        if stated.has_usage and (not is_whole or is_richer or (stated.output or 0) > told):
            kept = [outer, *(identity for identity, call in calls if call.is_failure and not call.has_usage)]
        else:
            kept = inner
        if len(inner) == 1 == len(kept):
            self._join(kept[0], {outer, *inner} - set(kept))
        self.repeated |= {outer, *inner} - set(kept)
        return kept

    def _join(self, kept: str, others: Iterable[str]) -> None:
        """What other spans of the same call know besides, and the kept one does not say."""
        for other in sorted(others):
            call = self.calls[kept]
            self.calls[kept] = call._replace(shared={**self.calls[other].shared, **call.shared})

    def _drop_shared_answers(self) -> None:
        shared = defaultdict[str, list[str]](list)
        for identity, call in self.calls.items():
            if (answer := call.shared.get(RESPONSE_ID)) is not None and identity not in self.repeated:
                shared[answer].append(identity)
        for identities in shared.values():
            if len(identities) > 1:
                for cluster in self._at_once(identities):
                    kept = max(cluster, key=self._rank)
                    others = set(cluster) - {kept}
                    self._join(kept, others)
                    self.repeated |= others

    def _at_once(self, identities: list[str]) -> list[list[str]]:
        """Spans of one answer that overlap in time: a cache gives an answer again, later."""
        clusters: list[list[str]] = []
        until = 0
        for identity in sorted(identities, key=lambda one: (self.calls[one].start, one)):
            call = self.calls[identity]
            if clusters and call.start <= until:
                clusters[-1].append(identity)
            else:
                clusters.append([identity])
            until = max(until, call.end)
        return clusters

    def _rank(self, identity: str) -> tuple[bool, int, str]:
        call = self.calls[identity]
        return call.has_usage, call.detail, identity


def identity_of(record: Record) -> str | None:
    """Trace and span as one; None where either is missing."""
    trace, span = record.get("trace_id"), record.get("span_id")
    return f"{trace}:{span}" if trace and span else None


def has_usage(attributes: Record) -> bool:
    """Whether a span states its tokens, and not only half of them."""
    is_whole = not has_output(operation_of(attributes)) or any(name in attributes for name in _OUTPUT_OR_TOTAL)
    return is_whole and any(attributes[name] for name in _COUNTS & attributes.keys())


def _call(record: Record, attributes: Record) -> _Call:
    start = microseconds(record.get("start")) or 0
    output = first(attributes, _OUTPUT)
    return _Call(
        start=start,
        end=microseconds(record.get("end")) or start,
        output=output if isinstance(output, int) else None,
        has_usage=has_usage(attributes),
        is_failure=record.get("status") == "failure" or ERROR in attributes,
        detail=max(sum(bool(first(attributes, names)) for names in vocabulary) for vocabulary in _DETAILS),
        shared=_said(attributes, OF_ONE_CALL),
    )


def _context(record: Record, attributes: Record) -> Record:
    found, metadata = _said(attributes, OF_ANY_SPAN), record.get("metadata") or NO_CONTEXT
    return {**found, "metadata": _said(metadata, metadata.keys())} if metadata else found


def _said(held: Record, names: Set[str]) -> Record:
    """What other spans may take over: not what was withheld at landing."""
    return {name: held[name] for name in names & held.keys() if held[name] != WITHHELD}


def _depths(above: dict[str, str | None]) -> dict[str, int]:
    """How many calls each call stands in. A call that would stand in itself stands in nothing."""
    depths = dict[str, int]()
    for identity in above:
        chain: dict[str, None] = {}
        upper: str | None = identity
        while upper is not None and upper not in depths and upper not in chain:
            chain[upper] = None
            upper = above.get(upper)
        depth = depths.get(upper, -1) if upper is not None else -1
        for one in reversed(chain):
            depth += 1
            depths[one] = depth
    return depths
