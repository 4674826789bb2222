"""Entries that are fine alone and contradict each other: what the night would refuse is refused before it."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol, TypeVar

from connectors.base import SourceSettings
from pipelines.config.budgets import budget_problems
from pipelines.config.positions import Document, Location
from pipelines.config.prices import Price
from pipelines.config.problems import Problem
from pipelines.config.schema import Config
from pipelines.config.secrets import variable

_DATES = "Give each entry its 'from' and 'to', so that one ends where the other begins."
_TOKEN = "AWS_SESSION_TOKEN"  # noqa: S105 - a variable's name


class _Dated(Protocol):
    @property
    def valid_from(self) -> date: ...

    @property
    def valid_to(self) -> date: ...


Entry = TypeVar("Entry", bound=_Dated)


def contradictions(document: Document, config: Config, sources: Sequence[SourceSettings | None]) -> Iterator[Problem]:
    """Every pair of entries of which at most one can hold. `sources` keeps the places of the file."""
    first: dict[tuple[str, str], int] = {}
    for index, model in enumerate(config.models):
        earlier = first.setdefault((model.provider, model.model), index)
        if earlier != index:
            line = document.position(("models", earlier))[0]
            message = f"'{model.provider}' '{model.model}' is given twice, first on line {line}"
            yield document.problem(("models", index), message, "Keep one of them.")
    for index, host in _overlapping(config.hosts, lambda host: [host.resource_id]):
        yield document.problem(("hosts", index), f"'{host}' is registered twice for the same days", _DATES)
    for index, host in _overlapping(config.hosts, lambda host: [f"{host.hostname} in {host.cluster}"]):
        yield document.problem(("hosts", index), f"'{host}' is registered twice for the same days", _DATES)
    for index, what in _overlapping(config.prices, _priced, _share_a_band):
        yield document.problem(("prices", index), f"two prices of {what} hold on the same days", _DATES)
    for index, team in _overlapping(config.hierarchy, lambda placement: [placement.team]):
        yield document.problem(("hierarchy", index), f"'{team}' is placed twice on the same days", _DATES)
    yield from _same_places(document, sources)
    yield from _repeated_invoices(document, config)
    yield from budget_problems(document, config.budgets)
    yield from _useless_rates(document, config)
    yield from _foreign_currencies(document, config, sources)
    yield from _unread_labels(document, config, sources)
    yield from _unmet_outcomes(document, config, sources)


def _priced(price: Price) -> list[str]:
    where = f" in {price.region}" if price.region else ""
    return [f"{price.provider} {price.model} {price.tier} {token_class}{where}" for token_class in price.usd_per_mtok]


def _share_a_band(one: Price, other: Price) -> bool:
    return one.input_tokens_from < other.end_of_band and other.input_tokens_from < one.end_of_band


def _overlapping(
    entries: Sequence[Entry],
    names: Callable[[Entry], Sequence[Hashable]],
    meet: Callable[[Entry, Entry], bool] = lambda _one, _other: True,
) -> Iterator[tuple[int, str]]:
    """The places of entries that hold on the same days as an earlier one of the same name, with that name.

    Entries that never `meet` hold for different things.
    """
    earlier: dict[Hashable, list[Entry]] = {}
    for index, entry in enumerate(entries):
        for name in names(entry):
            others = earlier.setdefault(name, [])
            same_days = (o for o in others if entry.valid_from < o.valid_to and o.valid_from < entry.valid_to)
            if any(meet(entry, other) for other in same_days):
                yield index, str(name)
            others.append(entry)


def _same_places(document: Document, sources: Sequence[SourceSettings | None]) -> Iterator[Problem]:
    """Sources that read the very same thing under two names: it would be counted twice."""
    named = ("name", "account")
    for index, settings in enumerate(sources):
        for earlier in sources[:index]:
            if settings is None or earlier is None or settings.kind != earlier.kind:
                continue
            if settings.model_dump(exclude=set(named)) == earlier.model_dump(exclude=set(named)):
                message = f"'{settings.name}' reads what '{earlier.name}' reads: all of it would be counted twice"
                yield document.problem(("sources", index), message, "Keep one of them.")
                break


def _repeated_invoices(document: Document, config: Config) -> Iterator[Problem]:
    first: dict[Hashable, int] = {}
    for index, invoice in enumerate(config.invoices):
        earlier = first.setdefault((invoice.provider, invoice.id, invoice.month, invoice.currency), index)
        if earlier != index:
            line = document.position(("invoices", earlier))[0]
            named = f"invoice '{invoice.id}'" if invoice.id else "the invoice without an id"
            message = f"{named} of {invoice.provider} for {invoice.month} is given twice, first on line {line}"
            yield document.problem(("invoices", index), message, "Keep one of them.")


def _useless_rates(document: Document, config: Config) -> Iterator[Problem]:
    first: dict[tuple[str, str], int] = {}
    for index, rate in enumerate(config.exchange_rates):
        if rate.to_currency != config.currency:
            message = f"converts to {rate.to_currency}, and this file's 'currency' is {config.currency}"
            yield document.problem(("exchange_rates", index, "to"), message, f"Write 'to: {config.currency}'.")
        earlier = first.setdefault((rate.from_currency, rate.month), index)
        if earlier != index:
            line = document.position(("exchange_rates", earlier))[0]
            message = f"the rate of {rate.from_currency} for {rate.month} is given twice, first on line {line}"
            yield document.problem(("exchange_rates", index), message, "Keep one of them.")


def _foreign_currencies(
    document: Document, config: Config, sources: Sequence[SourceSettings | None]
) -> Iterator[Problem]:
    convertible = {config.currency, *(rate.from_currency for rate in config.exchange_rates)}
    for index, settings in enumerate(sources):
        found = getattr(settings, "currency", config.currency)
        if found not in convertible:
            where: Location = ("sources", index, "currency")
            message = f"is {found}, and this file's 'currency' is {config.currency}: nothing is converted"
            remedy = f"Give the months' rates under 'exchange_rates', from {found} to {config.currency}."
            yield document.problem(where, message, remedy)


def _unread_labels(document: Document, config: Config, sources: Sequence[SourceSettings | None]) -> Iterator[Problem]:
    """Owner rules by a label that no source lets through: they would match nothing, and nobody would know."""
    named = {"pod_label": ("pod_labels", "label_columns"), "node_label": ("node_labels",)}
    for index, owner in enumerate(config.owners):
        settings = named.get(owner.match_kind, ())
        read = [label for source in sources for name in settings for label in getattr(source, name, ())]
        key, _ = owner.match
        if settings and None not in sources and key not in read:
            message = f"no source lets the label '{key}' through: the rule would match nothing"
            remedy = f"Name it under '{settings[0]}' of a source, or use one of these: {', '.join(read) or 'none'}."
            yield document.problem(("owners", index, owner.match_kind, "key"), message, remedy)


def _unmet_outcomes(document: Document, config: Config, sources: Sequence[SourceSettings | None]) -> Iterator[Problem]:
    """Kinds of outcomes declared twice, or met by a key that no log lets through: no request would serve them."""
    first: dict[str, int] = {}
    read = sorted({key for source in sources for key in getattr(source, "outcome_keys", ())})
    for index, outcome in enumerate(config.outcomes):
        earlier = first.setdefault(outcome.name, index)
        if earlier != index:
            line = document.position(("outcomes", earlier))[0]
            message = f"'{outcome.name}' is declared twice, first on line {line}"
            yield document.problem(("outcomes", index), message, "Keep one of them.")
        for key in outcome.metadata_keys:
            if None not in sources and key not in read:
                message = f"no log lets the key '{key}' of request metadata through: no request would be met"
                remedy = f"Name it under 'outcome_keys' of a log, or use one of these: {', '.join(read) or 'none'}."
                yield document.problem(("outcomes", index), message, remedy)


def stray_session_token(document: Document, config: Config, environment: Mapping[str, str] | None) -> Iterator[Problem]:
    """A session token of the environment beside a key of the file: Delta's client would send both, and be refused."""
    has_key = "aws_access_key_id" in config.storage and "aws_session_token" not in config.storage
    if has_key and variable(_TOKEN, environment):
        message = f"gives a key, and {_TOKEN} in the environment belongs to another: they would be sent together"
        remedy = f"Unset {_TOKEN}, give 'aws_session_token: env:...' here, or use 'credentials: ambient'."
        yield document.problem(("storage",), message, remedy)
