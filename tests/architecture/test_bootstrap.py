"""The environment is made once; what comes later comes on top of it, because a nightly run may be using it."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = """\
#!/bin/sh
echo "$@" >> "{asked}"
case "$*" in *version_info*) echo {version};; esac
"""  # stands for the environment's own: answers its version, and notes what it was asked


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The bootstrap of a checkout whose environment was made for Python 3.11."""
    specification = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    environment = tmp_path / ".venv"
    for name, value in (("ROOT", tmp_path), ("VENV", environment), ("BIN", environment / "bin")):
        monkeypatch.setattr(module, name, value)
    (tmp_path / "requirements").mkdir()
    for lock in ("run", "dev"):
        (tmp_path / "requirements" / f"{lock}.lock").write_text(f"{lock}==1\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    (environment / "lib" / "python3.11" / "site-packages" / "in_use").mkdir(parents=True)
    (environment / "bin").mkdir()
    (environment / "bin" / "farthing").touch()
    python(tmp_path, "3.11")
    return module


def python(checkout: Path, version: str) -> None:
    file = checkout / ".venv" / "bin" / "python"
    file.write_text(PYTHON.format(asked=checkout / "asked", version=version), encoding="utf-8")
    file.chmod(0o755)


def installations(checkout: Path) -> list[str]:
    """What was installed since the last look, without the path of the checkout."""
    asked = checkout / "asked"
    lines = [line for line in asked.read_text(encoding="utf-8").splitlines() if "uv pip" in line]
    asked.unlink()
    return [line.partition("--no-deps ")[2].replace(f"{checkout}/", "") for line in lines]


def test_the_tests_packages_come_on_top_and_nothing_in_use_goes(bootstrap: ModuleType, tmp_path: Path) -> None:
    bootstrap.install("run")
    assert installations(tmp_path) == [
        "--require-hashes --requirements requirements/run.lock",
        f"--editable {tmp_path}",
    ]
    bootstrap.install("dev")
    assert installations(tmp_path) == [
        "--require-hashes --requirements requirements/dev.lock",
        f"--editable {tmp_path}",
    ]
    assert (tmp_path / ".venv" / "bin" / "farthing").exists()
    assert (tmp_path / ".venv" / "lib" / "python3.11" / "site-packages" / "in_use").exists()


def test_what_is_set_up_is_left_alone_and_a_development_environment_stays_one(
    bootstrap: ModuleType, tmp_path: Path
) -> None:
    bootstrap.install("dev")
    installations(tmp_path)
    for lock in ("dev", "run"):
        bootstrap.install(lock)
    assert installations(tmp_path) == []


def test_an_environment_of_another_python_is_not_sound(bootstrap: ModuleType, tmp_path: Path) -> None:
    assert bootstrap.environment_is_sound()
    python(tmp_path, "3.12")
    assert not bootstrap.environment_is_sound()
    (tmp_path / ".venv" / "bin" / "python").unlink()
    assert not bootstrap.environment_is_sound()
