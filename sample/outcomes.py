"""What came of the requests: tickets as the helpdesk tells of them, documents as the log does, and the truth of both.

Here belongs: which request was for which ticket or document, what happened to it later, and the helpdesk's export. Here
does not belong: how outcomes are counted, which the truth works out from what happened, not from the export.
"""

import csv
import io
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from sample.company import NEXT_MONTH
from sample.traffic import Request

TICKET_FEATURES = ("reply-draft", "ticket-triage")
DOCUMENT_FEATURES = ("doc-tagging", "paper-digest")
RESOLVED, EXPIRED, REOPENED = "resolved", "expired", "reopened"
# By an API two of three tickets are resolved, by the smaller model of one's own one of two.
RESOLVED_SHARE = {"api": 0.68, "self_hosted": 0.52}
REOPENED_SHARE, REPEATED_SHARE = 0.06, 0.01
BY_PHONE = 4  # tickets a day that no model saw


@dataclass(frozen=True)
class Event:
    """One line of the helpdesk's export."""

    ticket: str
    at: datetime
    status: str
    csat: int | None = None


def ticket_of(request: Request) -> str | None:
    """The ticket that a request is for."""
    return _id("T", request) if request.workload.feature in TICKET_FEATURES else None


def document_of(request: Request) -> str | None:
    """The document that a request is for."""
    return _id("D", request) if request.workload.feature in DOCUMENT_FEATURES else None


def route_of(request: Request) -> str:
    """Who answers it: an API, or the company's own GPUs."""
    return "self_hosted" if request.model.provider == "hosted_vllm" else "api"


def told_route(attempts: Sequence[Request]) -> str:
    """What the log can know of it: a gateway logs a failure without the model that failed."""
    return "unknown" if all(attempt.status == "failure" for attempt in attempts) else route_of(attempts[0])


def _id(letter: str, request: Request) -> str:
    return f"{letter}-{int(request.group_id, 16) % 10**12:012d}"


def ticket_lives(traffic: Mapping[date, Sequence[Request]], seed: int) -> Iterator[tuple[str, list[Event]]]:
    """What became of the tickets of each route: the route of a ticket and its events, in their order; none for many."""
    tickets: dict[str, list[Request]] = defaultdict(list)
    for requests in traffic.values():
        for request in requests:
            if (ticket := ticket_of(request)) is not None:
                tickets[ticket].append(request)
    for ticket, attempts in tickets.items():
        yield told_route(attempts), _life(ticket, attempts, seed)


def _life(ticket: str, attempts: Sequence[Request], seed: int) -> list[Event]:
    """Resolved some hours later, or given up after two days; a few are opened again."""
    chance = random.Random(f"{seed}:ticket:{ticket}")  # noqa: S311  (a seeded story, not a secret)
    last = max(attempt.started_at for attempt in attempts)
    route = route_of(attempts[0])
    if all(attempt.status == "failure" for attempt in attempts) or chance.random() > RESOLVED_SHARE[route]:
        if chance.random() < 0.5:  # nobody closes the others
            return []
        return [Event(ticket, last + timedelta(hours=48, minutes=chance.randrange(60)), EXPIRED)]
    resolved = last + timedelta(seconds=round(3600 * chance.lognormvariate(1.2, 1.1)))
    events = [Event(ticket, resolved, RESOLVED, chance.choices(range(1, 6), (1, 2, 4, 9, 8))[0])]
    if chance.random() < REOPENED_SHARE:
        events.append(Event(ticket, resolved + timedelta(hours=20 + chance.randrange(40)), REOPENED))
    return events


def by_phone(day: date, seed: int) -> list[Event]:
    """Tickets of the day that people resolved alone."""
    chance = random.Random(f"{seed}:phone:{day}")  # noqa: S311  (likewise)
    start = datetime.combine(day, time(8))
    return [
        Event(f"P-{day:%m%d}{number}", start + timedelta(minutes=chance.randrange(540)), RESOLVED)
        for number in range(BY_PHONE)
    ]


def write_helpdesk(folder: Path, traffic: Mapping[date, Sequence[Request]], seed: int, as_of: date) -> int:
    """Writes the helpdesk's export: a CSV for each day, some lines twice. Returns how many lines there are."""
    days: dict[date, list[Event]] = {day: by_phone(day, seed) for day in traffic}
    for _, events in ticket_lives(traffic, seed):
        for event in events:
            if event.at.date() < as_of:
                days.setdefault(event.at.date(), []).append(event)
    folder.mkdir(parents=True, exist_ok=True)
    for day, events in days.items():
        chance = random.Random(f"{seed}:helpdesk:{day}")  # noqa: S311  (likewise)
        ordered = sorted(events, key=lambda event: (event.at, event.ticket))
        lines = [event for event in ordered for _ in range(2 if chance.random() < REPEATED_SHARE else 1)]
        (folder / f"tickets-{day}.csv").write_text(_csv(lines), encoding="utf-8")
    return sum(map(len, days.values()))


def _csv(events: Sequence[Event]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("ticket", "changed_at", "status", "csat", "subject"))
    for event in events:
        row = (event.ticket, event.at.isoformat() + "Z", event.status, "" if event.csat is None else event.csat)
        writer.writerow((*row, "a customer's own words, which nobody may keep"))
    return text.getvalue()


def true_outcomes(traffic: Mapping[date, Sequence[Request]], seed: int, as_of: date) -> Mapping[str, object]:
    """By kind and route: cases, outcomes, successes, what was taken back, and for APIs what it cost at list price.

    Outcomes count that were told before the month was over, or before `as_of`.
    """
    end = min(as_of, NEXT_MONTH)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for route, life in ticket_lives(traffic, seed):
        told = [event for event in life if event.at.date() < end]
        counts[route]["traces"] += 1
        counts[route]["reversed"] += bool(told) and told[-1].status == REOPENED
        counts[route]["outcomes"] += bool(told) and told[-1].status != REOPENED
        counts[route]["successes"] += bool(told) and told[-1].status == RESOLVED
    return {
        "ticket-resolved": _told(counts, _list_costs(traffic, TICKET_FEATURES)),
        "unmatched_tickets": BY_PHONE * len(traffic),
        "document-parsed": _told(_documents(traffic), _list_costs(traffic, DOCUMENT_FEATURES)),
    }


def _documents(traffic: Mapping[date, Sequence[Request]]) -> Mapping[str, Counter[str]]:
    documents: dict[str, list[Request]] = defaultdict(list)
    for requests in traffic.values():
        for request in requests:
            if (document := document_of(request)) is not None:
                documents[document].append(request)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for attempts in documents.values():
        is_parsed = any(attempt.status == "success" for attempt in attempts)
        found[told_route(attempts)].update(traces=1, outcomes=1, successes=int(is_parsed), reversed=0)
    return found


def _list_costs(traffic: Mapping[date, Sequence[Request]], features: Sequence[str]) -> Mapping[str, Decimal]:
    """What the requests of APIs cost at list price, failures and answers of the gateway's cache at nothing."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for requests in traffic.values():
        for request in requests:
            if request.workload.feature in features and request.is_billed and route_of(request) == "api":
                found["api"] += sum((request.list_costs() or {}).values(), Decimal(0))
    return found


def _told(counts: Mapping[str, Counter[str]], costs: Mapping[str, Decimal]) -> Mapping[str, object]:
    return {
        route: {**dict(sorted(found.items())), **({"cost_usd": f"{costs[route]:.12f}"} if route in costs else {})}
        for route, found in sorted(counts.items())
    }
