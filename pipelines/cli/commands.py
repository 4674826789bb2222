"""What the commands do, with everything they need handed in; `main` holds only their arguments."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from pipelines.cli.days import Days, resolved
from pipelines.cli.terminal import TerminalProgress

if TYPE_CHECKING:
    from connectors.base import SourceSettings
    from pipelines.config.schema import Config, Mail
    from pipelines.night.run import NightResult

OK, FAILED, WRONG, WITH_PROBLEMS = 0, 1, 2, 3
TRIES_WHILE_WAITING = 2  # a night rides out a restart of a source, somebody before a terminal does not
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class RunRequest:
    """What `farthing run` was asked for."""

    days: Days
    sources: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    full_refresh: bool = False


def run(console: Console, file: Path, request: RunRequest) -> int:
    """Runs a night or a range of days. Returns the exit code."""
    from pipelines.clock import Clock, utc_now
    from pipelines.config import ConfigError
    from pipelines.house import Options, open_house
    from pipelines.lake import LakeError
    from pipelines.night.log_alone import hints
    from pipelines.night.run import new_run_id, run_night

    clock: Clock = utc_now
    progress = TerminalProgress(console)
    options = Options(frozenset(request.sources), frozenset(request.confirmed), request.full_refresh)
    try:
        days = resolved(request.days, clock())
    except ValueError as error:
        return stopped(console, str(error), WRONG)
    try:
        with open_house(file, new_run_id(), clock=clock, options=options, progress=progress) as house:
            if unknown := _unknown_sources(request, [s.name for s in house.config.sources]):
                return stopped(console, unknown, WRONG)
            console.print(f"[bold]{escape(house.config.company)}[/]: {days}", highlight=False)
            result = run_night(house, days.first, days.last)
            told = hints(house) if result.published else ()
    except (ConfigError, LakeError) as error:
        return refused(console, error)
    finally:
        progress.close()
    for hint in told:
        console.print(f"[yellow]?[/] {escape(hint)}", highlight=False, soft_wrap=True)
    return conclude(console, result, progress.problems)


def _unknown_sources(request: RunRequest, names: list[str]) -> str | None:
    from pipelines.config.problems import nearest

    for name in (*request.sources, *request.confirmed):
        if name not in names:
            return f"There is no source '{name}' in the configuration. {nearest(name, names)}"
    return None


def conclude(console: Console, result: "NightResult", problems: list[str]) -> int:
    """Says how a run ended. Returns the exit code."""
    for failure in result.failures:
        console.print(f"[red]✗[/] {escape(failure)}", highlight=False)
    if not result.published:
        console.print("[red]Nothing new was published.[/] What was published before is still served.", highlight=False)
        return FAILED
    if result.failures:
        return FAILED
    return WITH_PROBLEMS if problems else OK


def check(console: Console, file: Path, *, offline: bool) -> int:
    """Validates the file and tries every source. Returns the exit code."""
    from pipelines.config import ConfigError, load

    try:
        config, _ = load(file)
    except ConfigError as error:
        return stopped(console, str(error), WRONG)
    console.print(
        f"[green]✓[/] {escape(str(file))}: {len(config.sources)} sources, {len(config.teams)} teams", highlight=False
    )
    answers = [_meets(console, file, config)]
    if offline:
        return OK if all(answers) else WITH_PROBLEMS
    answers += [_tried_source(console, settings) for settings in config.sources]
    answers.append(_tried(console, "lake", partial(_probe_lake, config.lake, config.store_options)))
    if answers[-1]:
        answers.append(_is_configured(console, file))
    if config.mail:
        answers.append(_tried(console, "mail", partial(_probe_mail, config.mail)))
    answers.append(_agrees(console, file))
    return OK if all(answers) else WITH_PROBLEMS


def _meets(console: Console, file: Path, config: "Config") -> bool:
    """Whether what the file names goes together; prints what does not."""
    from pipelines.config.doubts import doubts
    from pipelines.config.positions import read

    return _told(console, [problem.text(file) for problem in doubts(read(file), config)])


def _agrees(console: Console, file: Path) -> bool:
    """Whether what the file says goes with what the lake holds: prices, rules, hosts, rates; prints what does not."""
    from pipelines.config.positions import read
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.contract_prices import useless_prices
    from pipelines.night.errata import errata_told
    from pipelines.night.exchange_rates import RateLockedError, learned_rates
    from pipelines.night.host_matches import checked_hosts
    from pipelines.night.idle_rules import idle_rules
    from pipelines.night.metrics import metric_problems
    from pipelines.night.shared_namespaces import shared_namespaces

    found: list[str] = []
    try:
        with open_house(file, "check", writing=False) as house:
            found += [*useless_prices(house), *errata_told(house)]
            found += [rule.text() for rule in idle_rules(house)]
            found += metric_problems(house)
            for hint in shared_namespaces(house):
                console.print(f"[yellow]?[/] {escape(hint)}", highlight=False, soft_wrap=True)
            document = read(file)
            for entry in checked_hosts(house):
                place = ("hosts", entry.index, entry.setting)
                found.append(document.problem(place, entry.message, entry.remedy).text(file))
            learned_rates(house)
    except (RateLockedError, LakeError) as error:
        found.append(str(error))
    return _told(console, found)


def _told(console: Console, complaints: Sequence[str]) -> bool:
    """Prints them. True where there are none."""
    for complaint in complaints:
        console.print(f"[red]✗[/] {escape(complaint)}", highlight=False, soft_wrap=True)
    return not complaints


def _tried_source(console: Console, settings: "SourceSettings") -> bool:
    """Tries a source and prints what it found, and what is to be doubted. False where it failed."""
    from connectors.base import Doubted, SourceError
    from connectors.registry import source

    kind = source(settings.kind)
    if not _tried(console, settings.name, partial(kind.probe, settings)):
        return False
    try:
        doubts = kind.doubts(settings) if isinstance(kind, Doubted) else ()
    except SourceError as error:
        return _told(console, [f"{settings.name}: {error}"])
    for doubt in doubts:
        console.print(f"[yellow]?[/] {escape(f'{settings.name}: {doubt}')}", highlight=False, soft_wrap=True)
    return True


def _tried(console: Console, name: str, probe: Callable[[], str]) -> bool:
    """Runs one probe and prints what it found. False where it failed."""
    from connectors.base import SourceError
    from connectors.patience import shared_patience
    from pipelines.lake import LakeError
    from reports.outbox import NotSentError

    try:
        with console.status(f"trying {escape(name)} ..."), shared_patience(most_tries=TRIES_WHILE_WAITING):
            found = probe()
    except (SourceError, LakeError, NotSentError) as error:
        console.print(f"[red]✗[/] {escape(name)}: {escape(str(error))}", highlight=False, soft_wrap=True)
        return False
    console.print(f"[green]✓[/] {escape(name)}: {escape(found)}", highlight=False, soft_wrap=True)
    return True


def _is_configured(console: Console, file: Path) -> bool:
    """Whether every source in the lake is configured; prints those that are not."""
    from pipelines.house import open_house
    from pipelines.night.strays import strays

    with open_house(file, "check", writing=False) as house:
        found = strays(house)
    for stray in found:
        console.print(f"[red]✗[/] {escape(stray.warning())}", highlight=False, soft_wrap=True)
    return not found


def _probe_lake(location: str, storage: Mapping[str, str]) -> str:
    from pipelines.clock import utc_now
    from pipelines.lake import Lake

    with Lake.open(location, storage, utc_now).writing("check"):
        return f"{location} can be written"


def _probe_mail(mail: "Mail") -> str:
    from reports.smtp import probe_smtp

    password = mail.password.get_secret_value() if mail.password else None
    return probe_smtp(mail.host, mail.port, mail.security, mail.username, password, mail.timeout_seconds)


def ui(console: Console, file: Path, port: int) -> int:
    """Starts `dagster dev` on the same definitions."""
    if not file.exists():
        return stopped(console, f"{file} does not exist. Write one with: farthing init", WRONG)
    home = ROOT / ".dagster"
    home.mkdir(exist_ok=True)
    instance = home / "dagster.yaml"
    instance.write_text((ROOT / "dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    environment = {**os.environ, "FARTHING_CONFIG": str(file.resolve())}
    environment.setdefault("DAGSTER_HOME", str(home))
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(ROOT / "workspace.yaml"), "-p", str(port)]
    console.print(f"Dagster on http://127.0.0.1:{port} (Ctrl-C stops it)", highlight=False)
    return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode  # noqa: S603 - our own command


def stopped(console: Console, message: str, code: int) -> int:
    """Says why a command stopped. Returns the exit code."""
    console.print(f"[red]{escape(message)}[/]", highlight=False, soft_wrap=True)
    return code


def refused(console: Console, error: Exception) -> int:
    """Says what stopped a command: the configuration (exit code WRONG), or what it found (FAILED). Returns the code."""
    from pipelines.config import ConfigError

    return stopped(console, str(error), WRONG if isinstance(error, ConfigError) else FAILED)
