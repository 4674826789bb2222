"""Everything a run needs, opened once: configuration, lake, engine, clock, and where progress is shown."""

import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from connectors.base import SourceSettings
from pipelines.clock import Clock, utc_now
from pipelines.config import Config, load
from pipelines.engines import Engine
from pipelines.lake import Lake
from pipelines.progress import Progress, Silent


@dataclass(frozen=True)
class Options:
    """What one run is asked to do beyond its days."""

    only_sources: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()
    full_refresh: bool = False


@dataclass(frozen=True)
class House:
    """The open house. `run_id` names the run on every delivery and publication.

    What a run learns it knows from `began_at` on, whichever of its steps came first: nothing that it prices can seem
    to have been priced before its prices were known.
    """

    config: Config
    config_hash: str
    file: Path
    lake: Lake
    run_id: str
    began_at: datetime
    clock: Clock = utc_now
    options: Options = field(default_factory=Options)
    progress: Progress = field(default_factory=Silent)

    def sources(self, kind: str) -> list[SourceSettings]:
        """The configured sources of one kind that this run pulls."""
        wanted = self.options.only_sources
        return [s for s in self.config.sources if s.kind == kind and (not wanted or s.name in wanted)]

    @property
    def reports_directory(self) -> Path:
        """Where rendered statements go; a relative path starts at the configuration's file."""
        return self.file.parent / self.config.reports.directory

    @property
    def is_local(self) -> bool:
        """Whether the lake lies on this machine's disk, where engines read Parquet files by path."""
        return self.lake.root.is_local

    @contextmanager
    def engine(self, share: int = 1) -> Generator[Engine]:
        """A fresh engine, closed afterwards; one of so many that share the memory that the settings allow."""
        with tempfile.TemporaryDirectory(prefix="farthing-engine-") as spill:
            engine = _engine(self.config, spill, share)
            try:
                yield engine
            finally:
                engine.close()


def _engine(config: Config, spill: str, share: int) -> Engine:
    if config.engine == "spark":
        # PySpark takes a main module without a file, as a scheduler's workers have, for its own doctests, and exits
        vars(sys.modules["__main__"]).setdefault("__file__", __file__)
        from pipelines.engines.spark_engine import SparkEngine

        return SparkEngine(config.spark_remote or "")
    from pipelines.engines.duckdb_engine import DuckDBEngine

    return DuckDBEngine(memory_limit=shared_memory(config.memory_limit, share), temp_directory=spill)


def shared_memory(limit: str, share: int) -> str:
    """An amount of memory, such as `4GB`, divided by so many: in the same unit, with decimals where it needs them."""
    unit = limit.lstrip("0123456789. ")
    return f"{Decimal(limit.removesuffix(unit)) / share:f}{unit}"


@contextmanager
def open_house(
    file: Path,
    run_id: str,
    *,
    clock: Clock = utc_now,
    options: Options | None = None,
    progress: Progress | None = None,
    environment: Mapping[str, str] | None = None,
    writing: bool = True,
) -> Generator[House]:
    """Opens the house for one run, holding the lake's lock when it is to write.

    Raises ConfigError when the configuration does not hold, LakeLockedError when another run is writing.
    """
    config, digest = load(file, environment)
    lake = Lake.open(config.lake, config.store_options, clock)
    house = House(
        config=config,
        config_hash=digest,
        file=file.resolve(),
        lake=lake,
        run_id=run_id,
        began_at=clock(),
        clock=clock,
        options=options or Options(),
        progress=progress or Silent(),
    )
    if not writing:
        yield house
        return
    with lake.writing(run_id):
        yield house
