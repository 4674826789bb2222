"""The locks hold what `pyproject.toml` asks for: what is missing there is missing in every environment but mine."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN = PROJECT["project"]["dependencies"]
DEV = PROJECT["dependency-groups"]["dev"] + PROJECT["project"]["optional-dependencies"]["cluster"]


@pytest.mark.parametrize(("lock", "lines"), [("run", RUN), ("dev", [*RUN, *DEV])])
def test_a_lock_holds_what_is_asked_for_in_a_version_that_is_asked_for(lock: str, lines: list[str]) -> None:
    text = (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))
    asked = [Requirement(line) for line in lines]
    assert len(asked) > 15
    absent = [f"{one.name}: {locked.get(canonical(one.name))}" for one in asked if not is_held(one, locked)]
    assert not absent, f"requirements/{lock}.lock is stale; CONTRIBUTING.md has the command"


def is_held(one: Requirement, locked: dict[str, str]) -> bool:
    version = locked.get(canonical(one.name))
    return version is not None and one.specifier.contains(version, prereleases=True)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
