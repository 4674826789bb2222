"""Which bill lines pay for GPUs that no machine is known for."""

import re

import pytest

from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.gpu_types import gpu_types
from tests.sql.gpu_rows import Row, at, built

LONG, SHORT = re.compile(r"[a-z]{1,2}[0-9]{3,4}[a-z]?"), re.compile(r"[a-z]{1,2}[0-9]{1,2}[a-z]?")
CHIPS = {word for name in gpu_types() for word in name.split()}
OLD = {"k80", "m60", "p4", "p40"}  # other products bear these names, and clouds rent these types out no more


def unjoined(engine: DuckDBEngine, *lines: Row) -> set[str]:
    """Which of the lines, by their resource, are GPUs that no machine is known for."""
    common = {"provider_name": "Somebody", "charge_period_start": at(0), "effective_cost": "1"}
    rows = built(engine, "gpu_unjoined", charges=[{**common, **line} for line in lines], gpu_billed_hours=[])
    return {row["resource_id"] for row in rows}


def test_every_long_name_of_the_list_of_types_is_known_in_the_words_of_a_line(duckdb_engine: DuckDBEngine) -> None:
    names = sorted(chip for chip in CHIPS if LONG.fullmatch(chip))
    assert {"h100", "gb200", "v100", "a6000"} <= set(names)
    lines = [{"resource_id": name, "charge_description": f"8x{name.upper()}-SXM, on demand"} for name in names]
    assert unjoined(duckdb_engine, *lines) == set(names)


@pytest.mark.parametrize("column", ["charge_description", "x_instance_type"])
def test_every_short_name_is_known_with_a_number_before_it_or_as_a_machine_type(
    duckdb_engine: DuckDBEngine, column: str
) -> None:
    names = sorted(chip for chip in CHIPS - OLD if SHORT.fullmatch(chip))
    assert {"l4", "l40s", "a10g", "t4"} <= set(names)
    start = "4x" if column == "charge_description" else ""
    lines = [{"resource_id": name, column: f"{start}{name}-45"} for name in names]
    alone = [{"resource_id": f"alone-{name}", "charge_description": f"Plan {name}"} for name in names]
    assert unjoined(duckdb_engine, *lines, *alone) == set(names)
