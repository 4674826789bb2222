"""One delivery from a source into the lake: land, parse, hold against its control totals, replace the slice, record.

The order is the guarantee. Bytes land first. Refused rows are stored before the slice, the slice before the journal's
entry; only a journalled slice counts as delivered, so a run that dies in between does the rest again and ends in the
same tables. Whatever is wrong with the delivery, the slice that was there stays.
"""

from dataclasses import replace
from datetime import datetime

from connectors.base import IncompleteDeliveryError, SourceError
from contracts import ContractBrokenError
from pipelines.lake.blame import blamed
from pipelines.lake.deliveries import Delivery, Journal, delivery_id
from pipelines.lake.judge import refusal, restated_by
from pipelines.lake.landing import land
from pipelines.lake.likeness import SameCalls, in_place, lines_differ, same_calls
from pipelines.lake.recount import Count, recounted
from pipelines.lake.rejects import REJECTS
from pipelines.lake.root import Root
from pipelines.lake.stage import Order, Staged, stage
from pipelines.lake.tables import Tables
from pipelines.lake.totals import has_effective_cost, token_columns
from pipelines.lake.weight import Weights, weighed

CALLS = "gateway_requests"  # a row is one attempt: once it is over, its tokens are what they are


def ingest(root: Root, tables: Tables, journal: Journal, order: Order, delivery: Delivery) -> Delivery:
    """Carries out an order and records its outcome. A source's fault is an outcome, never an exception.

    Raises only what is wrong with the lake itself, a full disk say.
    """
    outcome = _outcome(root, tables, journal, order, delivery)
    journal.append(outcome)
    return outcome


def _outcome(root: Root, tables: Tables, journal: Journal, order: Order, delivery: Delivery) -> Delivery:
    settings, window = order.settings, order.window
    try:
        landed = land(
            root, settings, window, blamed(settings, "fetching", lambda: order.source.fetch(settings, window))
        )
    except SourceError as error:
        return replace(delivery, status=_status(error), message=str(error))
    came = replace(
        delivery,
        delivery_id=delivery_id(settings, order.fact, [*landed.pages, *(again.landed for again in landed.repeated)]),
        page_count=len(landed.pages),
        byte_count=landed.byte_count,
    )
    served = journal.served(order.name, order.slice_date)
    if served is not None and _stands(tables, order, came, served):
        return _unchanged(came, served)
    with root.spool() as folder:
        try:
            staged = stage(folder, order, landed)
        except (SourceError, ContractBrokenError) as error:
            return replace(came, status=_status(error), message=str(error))
        return _settle(tables, journal, order, came, staged)


def _stands(tables: Tables, order: Order, came: Delivery, served: Delivery) -> bool:
    """Whether the slice in place was made from this very delivery, and recorded, and is as final as it can be.

    What was taken in before the window's end is read once more after it: only then may the source's word count. So is
    a bill that is not final after the last night that pulls it.
    """
    current = tables.slice(order.fact, order.slice_date, order.name)
    is_same = current is not None and current.fingerprint == came.delivery_id == served.delivery_id
    is_ready = _is_over(served) or not _is_over(came)
    may_be_final = has_effective_cost(order.fact) and not served.is_final and _is_settled(order, came)
    return is_same and is_ready and (not may_be_final or _is_settled(order, served))


def _is_over(delivery: Delivery) -> bool:
    """Whether the window had ended when it was asked for: before that nothing is final, whatever a source says."""
    return delivery.attempted_at >= delivery.window_end


def _is_settled(order: Order, delivery: Delivery) -> bool:
    """Whether it was asked for when the source's own nights pull its window no more: the provider's lag is over."""
    return order.window not in order.source.windows(order.settings, delivery.attempted_at.date())


def _unchanged(came: Delivery, served: Delivery) -> Delivery:
    return replace(
        came,
        status="unchanged",
        row_count=served.row_count,
        reject_count=served.reject_count,
        duplicate_count=served.duplicate_count,
        total_cost=served.total_cost,
        total_tokens=served.total_tokens,
        total_effective_cost=served.total_effective_cost,
        rejected_cost=served.rejected_cost,
        stated_cost=served.stated_cost,
        currency=served.currency,
        is_final=served.is_final,
        message=served.message,
        not_covered=served.not_covered,
        repeated=served.repeated,
    )


def _settle(tables: Tables, journal: Journal, order: Order, came: Delivery, staged: Staged) -> Delivery:
    """Decides what becomes of a parsed delivery, and takes it in if it is sound."""
    totals = staged.totals
    served = journal.served(order.name, order.slice_date)
    delivered_at = journal.delivered_at(order.name, order.slice_date)
    weights = _weights(tables, order, staged, delivered_at)
    counted = replace(
        came,
        reject_count=totals.reject_count,
        duplicate_count=totals.duplicate_count,
        rejected_cost=totals.refused_cost,
        stated_cost=totals.stated_cost,
    )
    was_whole = served is not None and delivered_at is not None and delivered_at >= order.window.end
    same = _same_calls(tables, order, staged) if was_whole else None
    if refused := refusal(tables, order, totals, weights, same, is_over=_is_over(came)):
        status, words = refused
        return replace(counted, status=status, message="; ".join([words, *totals.notices, *staged.repeated]))
    before = in_place(tables, order) if served is not None and token_columns(order.fact) else None
    is_changed = _is_changed(tables, order, staged, served)
    _take_in(tables, order, came, staged)
    refusals = [totals.first_refusal] if totals.first_refusal else []
    notices = [
        *_restated(before if was_whole else None, staged, weights, is_changed=bool(is_changed)),
        *refusals,
        *totals.notices,
        *staged.repeated,
    ]
    return replace(
        counted,
        status="committed" if totals.row_count or totals.reject_count else "empty",
        row_count=totals.row_count,
        total_cost=totals.total_cost,
        previous_row_count=served.row_count if served else None,
        previous_total_cost=before.usd if before else served.total_cost if served else None,
        total_tokens=totals.total_tokens,
        previous_total_tokens=before.tokens if before else None,
        total_effective_cost=totals.total_effective_cost,
        previous_total_effective_cost=served.total_effective_cost if served else None,
        currency=totals.currency if totals.row_count or served is None else served.currency,
        lines_changed=is_changed,
        is_final=totals.is_final and _is_over(came) and (not totals.is_final_once_settled or _is_settled(order, came)),
        message="; ".join([*notices, *totals.not_covered]) or None,
        not_covered="; ".join(totals.not_covered) or None,
        repeated="; ".join(staged.repeated) or None,
    )


def _weights(tables: Tables, order: Order, staged: Staged, delivered_at: datetime | None) -> Weights | None:
    """What of a bill was there and what came; None for other facts, and where nothing was there before."""
    if delivered_at is None or not has_effective_cost(order.fact):
        return None
    return weighed(tables, order, staged.rows, delivered_at)


def _same_calls(tables: Tables, order: Order, staged: Staged) -> SameCalls | None:
    """The calls of a log that come again; None of other facts, and of what people say is true."""
    is_asked = order.fact == CALLS and not order.confirmed and staged.totals.row_count
    return same_calls(tables, order, staged.rows) if is_asked else None


def _restated(before: Count | None, staged: Staged, weights: Weights | None, *, is_changed: bool) -> list[str]:
    """What a delivery of an ended window changed, for people. `before` was whole; None where nothing was."""
    if weights is not None:
        told = restated_by(weights)
    elif before is None:
        return []
    else:
        totals = staged.totals
        now = Count(totals.row_count, totals.total_tokens, totals.total_cost)
        told = recounted(before, now, is_changed=is_changed)
    return [told] if told else []


def _is_changed(tables: Tables, order: Order, staged: Staged, served: Delivery | None) -> bool | None:
    """Whether a bill, or what counts tokens, says something else than what it replaces; None where nothing was."""
    if served is None or not (has_effective_cost(order.fact) or token_columns(order.fact)):
        return None
    return staged.totals.row_count != served.row_count or lines_differ(tables, order, staged.rows)


def _take_in(tables: Tables, order: Order, came: Delivery, staged: Staged) -> None:
    fingerprint = came.delivery_id or ""
    day, name = order.slice_date, order.name
    if staged.totals.reject_count or tables.slice(REJECTS, day, name):
        tables.replace_by_files(REJECTS, day, name, staged.rejects, fingerprint)
    tables.replace_by_files(order.fact, day, name, staged.rows, fingerprint)


def _status(error: Exception) -> str:
    return "incomplete" if isinstance(error, IncompleteDeliveryError) else "failed"
