import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sampler.node import Node, gpu


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a libnvidia-ml.so.1 that says what a test tells it to."""
    if shutil.which("gcc") is None:
        missing = "no C compiler for the stand-in of NVIDIA's library; on Debian: apt-get install gcc libc6-dev"
        pytest.fail(missing) if os.environ.get("FARTHING_REQUIRE_SERVERS") else pytest.skip(missing)
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).with_name("stub.c")
    target = folder / "libnvidia-ml.so.1"
    command = ["gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-Wl,-soname,libnvidia-ml.so.1"]
    subprocess.run([*command, "-o", target, source], check=True)
    return folder


@pytest.fixture
def node(tmp_path: Path, library: Path) -> Iterator[Node]:
    """A node with one H100 on which nothing runs."""
    made = Node(tmp_path, library)
    made.says(gpu(0))
    yield made
    for program in made.started:
        if program.poll() is None:
            program.kill()
        program.communicate()
