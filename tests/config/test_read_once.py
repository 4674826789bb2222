"""No list of the project's own lets one key win over another in silence."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

import contracts
from contracts import focus
from pipelines import gpu_faults, gpu_types, open_models, provisioned_units, savings_ranges

ROOT = Path(contracts.__file__).parents[1]
READERS: Mapping[ModuleType, Callable[[], object]] = {
    focus: focus.focus_mapping.__wrapped__,
    gpu_faults: gpu_faults.gpu_faults,
    gpu_types: gpu_types.gpu_types,
    provisioned_units: lambda: provisioned_units.unit_terms.__wrapped__("global"),
    savings_ranges: savings_ranges.published_ranges.__wrapped__,
}


@pytest.mark.parametrize("module", READERS, ids=lambda module: module.__name__)
def test_a_key_that_stands_twice_is_refused_with_its_file_and_line(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "list.yml").write_text("- models: a\n  models: b\n", encoding="utf-8")
    monkeypatch.setattr(module, "_FILE", tmp_path / "list.yml")
    with pytest.raises(ValueError, match=r"list\.yml: line 2: 'models' stands twice"):
        READERS[module]()


@pytest.mark.parametrize("name", ["open_models", "reference_throughputs"])
def test_so_are_those_of_open_models(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{name}.yml").write_text("- id: a\n  model: b\n  model: c\n", encoding="utf-8")
    monkeypatch.setattr(open_models, "_FOLDER", tmp_path)
    with pytest.raises(ValueError, match=rf"{name}\.yml: line 3: 'model' stands twice"):
        getattr(open_models, name).__wrapped__()


def test_no_other_reader_is_left() -> None:
    rooms = ("contracts", "pipelines", "models", "reports")
    careless = re.compile(r"\byaml\.(safe_load|full_load|load)\(")
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    assert [str(f.relative_to(ROOT)) for f in files if careless.search(f.read_text(encoding="utf-8"))] == [
        "contracts/once.py"
    ]
