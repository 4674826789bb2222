"""What loading does not refuse and a person should see: `farthing check` tells it."""

from collections.abc import Iterator
from functools import partial

from pipelines.config.budgets import budgets_above
from pipelines.config.changes import changes_that_meet
from pipelines.config.clusters import clusters_apart
from pipelines.config.positions import Document
from pipelines.config.problems import Problem
from pipelines.config.schema import Config
from pipelines.config.teams import unit_on


def doubts(document: Document, config: Config) -> Iterator[Problem]:
    """Clusters that never meet, budgets of parts above the whole's, and changes that disturb one another."""
    yield from clusters_apart(document, config)
    yield from budgets_above(document, config.budgets, partial(unit_on, config.teams, config.hierarchy))
    yield from changes_that_meet(document, config.changes)
