"""The month-end forecast against known truth, beside seasonal naive: how wrong, how often its intervals hold, its time.

`python -m benchmarks.forecast --labelled ../shared/data/anomaly_series` writes `forecast.md` beside this file. Truth is
what seeded series do after the day that they are forecast from. Real series are NAB's metrics of a cloud
(github.com/numenta/NAB, MIT), a seventh of a day for a day, which are read where they lie and left out where they are
absent: loads, not costs, but nobody made them up.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.forecast_calibration import calibrated
from models.forecast_choice import Choice, choose
from models.forecast_origins import HIGH, LOW, MIDDLE, Target
from models.forecast_series import History
from models.scopes import Scope

HERE = Path(__file__).parent
SEED = 20260201
EACH = 40
DAYS = 330
HORIZONS = (30, 20, 10)
"""Days that are left of a month on its first, tenth and twentieth day, or so."""
TEAMS = 200
MOST_SECONDS = 60
COVERAGE_BAR = (0.75, 0.85)
PARTS_OF_A_DAY = 7

Floats = NDArray[np.float64]


def _noise(random: Generator, days: int, share: float) -> Floats:
    return np.exp(random.normal(0, share, days))


def _weekly(random: Generator, days: int) -> Floats:
    """A level of its own, with weekends at a share of it."""
    level, weekend = np.exp(random.normal(5, 1)), random.uniform(0.2, 0.9)
    return level * np.where(np.arange(days) % 7 >= 5, weekend, 1.0)


def steady(random: Generator, days: int) -> Floats:
    """Weekdays and noise of a tenth."""
    return _weekly(random, days) * _noise(random, days, 0.1)


def growing(random: Generator, days: int) -> Floats:
    """5 to 20 % more every month."""
    rate = np.log1p(random.uniform(0.05, 0.20)) / 30
    return _weekly(random, days) * np.exp(rate * np.arange(days)) * _noise(random, days, 0.1)


def drifting(random: Generator, days: int) -> Floats:
    """A level that walks at random, 2 % a day."""
    return _weekly(random, days) * np.exp(np.cumsum(random.normal(0, 0.02, days))) * _noise(random, days, 0.1)


def shifting(random: Generator, days: int) -> Floats:
    """A new level, between half and double, every ten weeks or so."""
    steps = np.where(random.random(days) < 1 / 70, random.uniform(-0.7, 0.7, days), 0.0)
    return _weekly(random, days) * np.exp(np.cumsum(steps)) * _noise(random, days, 0.1)


def spiky(random: Generator, days: int) -> Floats:
    """One day in twenty at two to five times its cost."""
    spikes = np.where(random.random(days) < 0.05, random.uniform(2, 5, days), 1.0)
    return _weekly(random, days) * spikes * _noise(random, days, 0.2)


def intermittent(random: Generator, days: int) -> Floats:
    """Nothing on three days of five."""
    return np.where(random.random(days) < 0.4, np.exp(random.normal(5, 0.7, days)), 0.0)


KINDS: Mapping[str, Callable[[Generator, int], Floats]] = {
    kind.__name__: kind for kind in (steady, growing, drifting, shifting, spiky, intermittent)
}


@dataclass(frozen=True)
class Case:
    """A series of a kind: what is known, and what comes after."""

    kind: str
    name: str
    known: Floats
    after: Floats


@dataclass(frozen=True)
class Answer:
    """What was said of a case: absolute error over the truth, of the method and of seasonal naive; whether it held."""

    kind: str
    method: str
    error: float
    naive_error: float
    is_held: bool | None
    width: float | None


def seeded(horizon: int) -> Iterator[Case]:
    """Every kind's series."""
    random = np.random.default_rng(SEED + horizon)
    for kind, make in KINDS.items():
        for number in range(EACH):
            values = make(random, DAYS + horizon)
            yield Case(kind, f"{kind}-{number}", values[:DAYS], values[DAYS:])


def labelled(folder: Path, horizon: int) -> Iterator[Case]:
    """NAB's series by seventh parts of days, each from its half and from its end."""
    for file in sorted(folder.glob("realAWSCloudwatch/*.csv")):
        with file.open(newline="") as rows:
            points = [(datetime.fromisoformat(row["timestamp"]), float(row["value"])) for row in csv.DictReader(rows)]
        part = timedelta(days=1) / PARTS_OF_A_DAY
        sums: dict[int, list[float]] = {}
        for at, value in points:
            sums.setdefault((at - points[0][0]) // part, []).append(value)
        values = np.array([float(np.mean(sums.get(place, [0.0]))) for place in range(max(sums) + 1)])
        for share in (0.6, 0.7, 0.8, 0.9, 1.0):
            end = int(len(values) * share)
            if end - horizon >= 60:
                yield Case("NAB", f"{file.stem}-{share}", values[: end - horizon], values[end - horizon : end])


def answers(cases: list[Case], horizon: int) -> list[Answer]:
    """What the house says of the cases, all of one night."""
    target, month = Target(0, horizon), date(2026, 1, 1)
    histories = [
        History(Scope(account=case.name), case.known, np.ones(len(case.known), dtype=np.bool_)) for case in cases
    ]
    choices = [choose(history, target, month) for history in histories]
    pools: dict[str, list[int]] = {}
    for place, choice in enumerate(choices):
        pools.setdefault(choice.method, []).append(place)
    factors: dict[int, float] = {}
    for places in pools.values():
        records = [choices[place].record for place in places]
        for place, found in zip(places, calibrated([record for record in records if record is not None]), strict=True):
            if found is not None:
                factors[place] = found.factor
    return [
        _answer(case, choice, factors.get(place), history.least)
        for place, (case, choice, history) in enumerate(zip(cases, choices, histories, strict=True))
    ]


def _answer(case: Case, choice: Choice, factor: float | None, least: float) -> Answer:
    assert choice.paths is not None  # the cases have weeks of history
    truth = float(case.after.sum())
    low, middle, high = np.quantile(choice.paths.sum(axis=1), (LOW, MIDDLE, HIGH))
    naive = float(np.resize(case.known[-7:], len(case.after)).sum())
    size = truth or 1.0
    is_held = width = None
    if factor is not None:
        low, high = (max(least, middle + factor * (end - middle)) for end in (low, high))
        is_held, width = bool(low <= truth <= high), float(high - low) / size
    return Answer(case.kind, choice.method, abs(middle - truth) / size, abs(naive - truth) / size, is_held, width)


def _line(kind: str, of_kind: list[Answer]) -> str:
    errors, naive = ([getattr(a, name) for a in of_kind] for name in ("error", "naive_error"))
    held = [answer.is_held for answer in of_kind if answer.is_held is not None]
    widths = [answer.width for answer in of_kind if answer.width is not None]
    methods = ", ".join(
        f"{name} {sum(answer.method == name for answer in of_kind)}"
        for name in ("auto_ets", "seasonal_naive", "seasonal_window_average")
    )
    covered = f"{np.mean(held):.2f} | {np.median(widths):.2f}" if held else "- | -"
    return (
        f"| {kind} | {len(of_kind)} | {np.median(errors):.3f} / {np.mean(errors):.3f} | "
        f"{np.median(naive):.3f} / {np.mean(naive):.3f} | {covered} | {methods} |"
    )


HEAD = """| series | n | error, median / mean | seasonal naive | held (0.80 claimed) | width | methods |
|---|---:|---:|---:|---:|---:|---|"""


def _table(found: list[Answer]) -> list[str]:
    kinds = list(dict.fromkeys(answer.kind for answer in found))
    lines = [_line(kind, [answer for answer in found if answer.kind == kind]) for kind in kinds]
    return [HEAD, *lines, _line("all", found)] if len(kinds) > 1 else [HEAD, *lines]


def _timed() -> tuple[float, int]:
    """Processor seconds of a company's night (a series a team, the organisation, ten providers), and its series."""
    random = np.random.default_rng(SEED)
    kinds = [growing, drifting, spiky, shifting]
    cases = [Case("time", f"t-{n}", kinds[n % 4](random, DAYS), np.zeros(20)) for n in range(TEAMS + 11)]
    began = time.process_time()
    answers(cases, 20)
    return time.process_time() - began, len(cases)


def main() -> int:
    """Measures, writes the page, and says whether the bars hold. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labelled", type=Path, help="Folder with NAB's series.")
    arguments = parser.parse_args()
    told = [PAGE]
    missed: list[str] = []
    everything: list[Answer] = []
    for horizon in HORIZONS:
        found = answers(list(seeded(horizon)), horizon)
        told += [f"## {horizon} days ahead\n", *_table(found), ""]
        held = float(np.mean([answer.is_held for answer in found if answer.is_held is not None]))
        if not COVERAGE_BAR[0] <= held <= COVERAGE_BAR[1]:
            missed.append(f"{horizon} days ahead {held:.3f} of intervals held: the bar is {COVERAGE_BAR}")
        everything += found
    if np.median([answer.error for answer in everything]) >= np.median([answer.naive_error for answer in everything]):
        missed.append("seasonal naive is as good")
    if arguments.labelled and arguments.labelled.exists():
        told += ["## NAB's series of CloudWatch, a seventh of a day for a day\n"]
        for horizon in HORIZONS:
            real = list(labelled(arguments.labelled, horizon))
            told += [f"{horizon} parts ahead:\n", *_table(answers(real, horizon)), ""]
    seconds, count = _timed()
    told += [f"## Time\n\n{count} series of {DAYS} days: {seconds:.0f} processor seconds, without the import.\n"]
    if seconds > MOST_SECONDS:
        missed.append(f"{count} series took {seconds:.0f} s: the bar is {MOST_SECONDS}")
    (HERE / "forecast.md").write_text("\n".join(told), encoding="utf-8")
    print("\n".join([*told, *missed]))
    return 1 if missed else 0


PAGE = f"""# Forecasts: how wrong, and how often the intervals hold

{EACH} seeded series of each kind, {DAYS} days known, forecast as one night would. The error is that of the sum of the
days ahead, to the truth; held is the share of truths between P10 and P90; width is P90 less P10, to the truth. How the
kinds are made stands in `forecast.py`. Where the truth is next to nothing, as on some days of
NAB's disks, a mean of errors to the truth says little: the medians do.
"""


if __name__ == "__main__":
    sys.exit(main())
