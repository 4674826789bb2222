"""The rooms and the arrows between them: what may import what, and where packages come from."""

import ast
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("connectors", "contracts", "models", "pipelines", "reports", "sample")
MAY_IMPORT = {
    "contracts": set(),
    "connectors": {"contracts"},
    "models": {"contracts"},
    "reports": {"models"},
    "sample": set(),
    "pipelines": {"connectors", "contracts", "models", "reports", "sample"},
}
NEVER = {
    "contracts": {"dagster", "duckdb", "polars", "deltalake"},
    "connectors": {"dagster", "duckdb", "deltalake"},
    "models": {"dagster", "duckdb", "deltalake", "obstore", "httpx", "os", "pathlib"},
    "reports": {"dagster", "duckdb", "deltalake"},
    "sample": {"dagster", "duckdb", "deltalake", "genai_prices"},
    "pipelines": set(),
}
# native bills of millions of lines are read by DuckDB, in one place
BILL_READER = "connectors/bills/"
# what several sources share: the readers of native bills, logs and series, and the standard in which clouds bill as well
SHARED_BY_SOURCES = {
    "connectors.bills",
    "connectors.focus",
    "connectors.logs",
    "connectors.prometheus",
    "connectors.gpu_series",
}
# the clock is read in one function, the environment where a process starts
CLOCK_HOME = {"pipelines/clock.py"}
ENVIRONMENT_HOMES = {
    "pipelines/assets/resources.py",
    "pipelines/cli/commands.py",
    "pipelines/cli/main.py",
    "pipelines/config/secrets.py",
    "pipelines/night/run.py",
}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return found


def tops(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(file)}


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_run_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    wrong = {str(f.relative_to(ROOT)): tops(f) & set(PACKAGES) - allowed for f in modules(package)}
    assert {file: names for file, names in wrong.items() if names} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_keep_out_what_belongs_elsewhere(package: str) -> None:
    wrong = {str(f.relative_to(ROOT)): tops(f) & NEVER[package] for f in modules(package)}
    assert {file: names for file, names in wrong.items() if names and not file.startswith(BILL_READER)} == {}


def test_only_dagster_rooms_import_dagster() -> None:
    homes = ("pipelines/assets", "pipelines/definitions.py", "pipelines/night/run.py", "pipelines/cli")
    wrong = [
        str(f.relative_to(ROOT))
        for f in modules("pipelines")
        if "dagster" in tops(f) and not str(f.relative_to(ROOT)).startswith(homes)
    ]
    assert wrong == []


def test_one_source_never_imports_another() -> None:
    wrong = []
    folders = {path.name for path in (ROOT / "connectors").iterdir() if path.is_dir()}
    for file in modules("connectors"):
        home = file.relative_to(ROOT / "connectors").parts[0]
        others = {f"connectors.{name}" for name in folders - {home}} - SHARED_BY_SOURCES
        wrong += [
            f"{file}: {name}" for name in imports(file) if ".".join(name.split(".")[:2]) in others and home in folders
        ]
    assert wrong == []


def calls(file: Path) -> set[str]:
    """What a module calls, by full name: `dt.now` after `from datetime import datetime as dt` is datetime's."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            head, dot, rest = ast.unparse(node.func).partition(".")
            found.add(named.get(head, head) + dot + rest)
    return found


CLOCKS = {
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime"),
}


def test_the_clock_is_read_in_one_place() -> None:
    readers = {str(f.relative_to(ROOT)) for p in PACKAGES for f in modules(p) if calls(f) & CLOCKS}
    assert readers == CLOCK_HOME


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime\ndatetime.now()",
        "from datetime import datetime as dt\ndt.now()",
        "import datetime\ndatetime.datetime.now()",
        "import datetime as dt\ndt.datetime.now()",
        "import datetime as dt\ndt.date.today()",
        "import time\ntime.time()",
        "from time import time_ns\ntime_ns()",
    ],
)
def test_a_clock_is_known_by_whatever_name(tmp_path: Path, code: str) -> None:
    module = tmp_path / "module.py"
    module.write_text(code, encoding="utf-8")
    assert calls(module) & CLOCKS


def test_nothing_in_the_money_s_way_makes_a_float() -> None:
    rooms = [f for p in ("contracts", "models", "pipelines", "reports") for f in modules(p)]
    makers = {str(f.relative_to(ROOT)) for f in rooms if "float" in calls(f)}
    assert makers == set()


def test_the_environment_is_read_where_a_process_starts() -> None:
    readers = set()
    for package in PACKAGES:
        for file in modules(package):
            text = file.read_text(encoding="utf-8")
            if "os.environ" in text or "os.getenv" in text:
                readers.add(str(file.relative_to(ROOT)))
    assert readers <= ENVIRONMENT_HOMES


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_resolve_to_this_repository(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve() == ROOT / package / "__init__.py"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_opens_with_its_charter(package: str) -> None:
    charter = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert "belongs" in charter
    assert "not belong" in charter


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(f.relative_to(ROOT))
        for p in PACKAGES
        for f in modules(p)
        if not ast.get_docstring(ast.parse(f.read_text()))
    ]
    assert silent == []


def test_modules_stay_short() -> None:
    long = {str(f.relative_to(ROOT)): len(f.read_text().splitlines()) for p in PACKAGES for f in modules(p)}
    assert {name: lines for name, lines in long.items() if lines > 250} == {}


def test_functions_stay_short() -> None:
    long: dict[str, int] = {}
    for file in (file for package in PACKAGES for file in modules(package)):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                long |= {f"{file.relative_to(ROOT)}: {node.name}": lines} if lines > 50 else {}
    assert long == {}
