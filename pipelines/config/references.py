"""Names that must lead somewhere: teams and pools in owner rules, unique ids."""

from collections.abc import Iterable, Sequence

from models.pool_order import without_circles
from pipelines.config.pools import POOL, whole_shares
from pipelines.config.positions import Document, Location
from pipelines.config.problems import Problem, nearest
from pipelines.config.schema import Config


def unknown_references(document: Document, config: Config) -> list[Problem]:
    """Every name that leads nowhere and every id that is given twice."""
    problems: list[Problem] = []
    teams = [team.id for team in config.teams]
    pools = [pool.id for pool in config.pools]
    models = [model.id for model in config.models if model.self_hosted]
    for index, owner in enumerate(config.owners):
        where: Location = ("owners", index)
        problems += _known(document, (*where, "team"), owner.team, teams, "team")
        problems += _known(document, (*where, "pool"), owner.pool, pools, "pool")
    for section in ("hierarchy", "products", "ledger_accounts", "budgets"):
        for index, entry in enumerate(getattr(config, section)):
            problems += _known(document, (section, index, "team"), entry.team, teams, "team")
    for index, rule in enumerate(config.unused):
        problems += _known(document, ("unused", index, "team"), rule.team, teams, "team")
        problems += _known(document, ("unused", index, "pool"), rule.pool, pools, "pool")
    for index, pool in enumerate(config.pools):
        problems += _known(document, ("pools", index, "model"), pool.model, models, "self-hosted model")
        metrics = [metric.id for metric in config.metrics]
        problems += _known(document, ("pools", index, "metric"), pool.metric, metrics, "metric")
        for place, team in enumerate(pool.teams):
            problems += _known(document, ("pools", index, "teams", place), team, teams, "team")
        carriers = [*teams, *(POOL + other for other in pools if other != pool.id)]
        for name in pool.shares:
            problems += _known(document, ("pools", index, "shares", name), name, carriers, "team or other pool")
    for index, channel in enumerate(config.delivery.channels):
        problems += _known(document, ("delivery", "channels", index, "team"), channel.team, teams, "team")
    problems += _budgeted(document, config)
    problems += _changed(document, config, teams)
    if not problems:
        problems += _carried_by_nobody(document, config)
    problems += _unique(document, "sources", "name", [entry.name for entry in config.sources])
    problems += _unique(document, "teams", "id", teams)
    problems += _unique(document, "owners", "id", [owner.id for owner in config.owners])
    problems += _unique(document, "pools", "id", pools)
    problems += _unique(document, "errata", "id", [entry.id for entry in config.errata])
    problems += _unique(document, "changes", "id", [change.id for change in config.changes])
    problems += _unique(document, "metrics", "id", [metric.id for metric in config.metrics])
    problems += _unique(document, "unused", "id", [rule.id for rule in config.unused])
    return problems


def _budgeted(document: Document, config: Config) -> list[Problem]:
    outcomes = [outcome.name for outcome in config.outcomes]
    units = sorted({entry.business_unit for entry in (*config.teams, *config.hierarchy) if entry.business_unit})
    problems: list[Problem] = []
    for index, budget in enumerate(config.budgets):
        problems += _known(document, ("budgets", index, "outcome"), budget.outcome, outcomes, "kind of outcome")
        problems += _known(document, ("budgets", index, "business_unit"), budget.business_unit, units, "business unit")
    return problems


def _changed(document: Document, config: Config, teams: Sequence[str]) -> list[Problem]:
    problems: list[Problem] = []
    for index, change in enumerate(config.changes):
        for part, named in (("touches", change.touches), ("control", change.control)):
            team = named.team if named else None
            problems += _known(document, ("changes", index, part, "team"), team, teams, "team")
    return problems


def _carried_by_nobody(document: Document, config: Config) -> list[Problem]:
    shares = {POOL + pool.id: whole_shares(pool.shares) for pool in config.pools if pool.shares}
    try:
        without_circles(shares)
    except ValueError as error:
        return [document.problem(("pools",), str(error))]
    return []


def _known(document: Document, where: Location, name: str | None, known: Iterable[str], what: str) -> list[Problem]:
    if name is None or name in known:
        return []
    return [document.problem(where, f"there is no {what} '{name}'", nearest(name, known))]


def _unique(document: Document, section: str, field: str, names: Sequence[str]) -> list[Problem]:
    first: dict[str, int] = {}
    problems: list[Problem] = []
    for index, name in enumerate(names):
        earlier = first.setdefault(name, index)
        if earlier != index:
            line = document.position((section, earlier, field))[0]
            problems.append(document.problem((section, index, field), f"'{name}' is taken on line {line}"))
    return problems
