"""What every test process needs before its first import."""

import os
import sys
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

# How long one example takes is the machine's business: speed is measured in benchmarks, never in tests.
settings.register_profile("untimed", deadline=None)
# The suite answers the same twice: its random examples are the same until their test changes. Others are sought with
# FARTHING_EXPLORE=1, and what they find becomes an example that is named.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("untimed" if os.environ.get("FARTHING_EXPLORE") else "repeatable")

# PySpark takes a main module without a file for its own doctests and then asks for a Spark installation.
# The workers that run tests in parallel have such a main module.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = __file__


class HasFileno(Protocol):
    """An open file."""

    def fileno(self) -> int:
        """Its number."""
        ...


def _answered_at_once(file: int | HasFileno) -> None:
    """Instead of waiting for the disk; a file that is closed is an error still."""
    os.fstat(file if isinstance(file, int) else file.fileno())


# No test cuts the power, and a process that is killed loses nothing that it wrote: waiting for the disk, four thousand
# times in a night, says nothing here. PostgreSQL is started likewise.
os.fsync = _answered_at_once

# What takes longest begins first, so that no worker is alone with it at the end. Measured; the rest follows as it lies.
LONGEST = (
    "pipelines/test_bad_input.py",
    "pipelines/test_sample_company.py",
    "pipelines/test_prices.py",
    "pipelines/test_cli.py",
    "pipelines/test_told.py",
    "pipelines/test_withdraw.py",
    "pipelines/test_object_store.py",
    "sql/test_golden_cases.py",
    "pipelines/test_outcomes_night.py",
    "pipelines/test_two_hundred_nights.py",
    "pipelines/test_real_input.py",
    "pipelines/test_errata_night.py",
    "pipelines",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules in the order of `LONGEST`; within a module nothing moves."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        within = item.path.relative_to(here)
        found = (number for number, name in enumerate(LONGEST) if within.is_relative_to(name))
        return next(found, len(LONGEST))

    items.sort(key=place)
