"""The anomaly detector against known truth, beside two plain rules: what it finds, what it alarms of in vain, its time.

`python -m benchmarks.anomalies --labelled ../shared/data/anomaly_series` writes `anomalies.md` beside this file. Truth
is injected into seeded series (`anomaly_truth`), and labelled by people in NAB's series of a cloud's metrics
(github.com/numenta/NAB, MIT), which are read where they lie and left out where they are absent. An alarm counts where
it stands: nothing is adjusted to the nearest truth.
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.anomaly_truth import KINDS, Floats, clean_series, spike
from models.anomaly_scores import SENSITIVITIES, score_days

HERE = Path(__file__).parent
SEED = 20260101
SERIES, DAYS, MANY = 300, 180, 10_000
WARM_DAYS = 49  # seven weeks: from then on a day knows six of its weekdays
BARS = {0.05: (0.3, 1.0), 0.15: (0.8, 0.75)}
"""By noise: most false alarms in 100 series-days, least share found of each kind, of the medium sensitivity."""
MOST_SECONDS = 10
LEAST_RISE = 1.2  # times the usual: what is less is never told, whatever it scores
PARTS_OF_A_DAY = 7  # a day of labelled series stands for a week: seven parts, one cycle

Alarms = NDArray[np.bool_]


def detector(name: str) -> Callable[[Floats], Alarms]:
    """The house's own detector at one of its sensitivities."""

    def alarms(values: Floats) -> Alarms:
        scores = score_days(values, SENSITIVITIES[name])
        return scores.is_point | (scores.sum_start >= 0)

    return alarms


def third_above_week(values: Floats) -> Alarms:
    """More than 30 % above the mean of the seven days before."""
    alarms = np.zeros(values.shape, dtype=np.bool_)
    for day in range(7, values.shape[1]):
        alarms[:, day] = values[:, day] > 1.3 * values[:, day - 7 : day].mean(axis=1)
    return alarms


def three_sigma(values: Floats) -> Alarms:
    """More than three standard deviations above the mean of the thirty days before."""
    alarms = np.zeros(values.shape, dtype=np.bool_)
    for day in range(30, values.shape[1]):
        window = values[:, day - 30 : day]
        alarms[:, day] = values[:, day] > window.mean(axis=1) + 3 * window.std(axis=1)
    return alarms


WAYS: Mapping[str, Callable[[Floats], Alarms]] = {
    "30 % above the week's mean": third_above_week,
    "three sigma of 30 days": three_sigma,
    "low": detector("low"),
    "medium": detector("medium"),
    "high": detector("high"),
}


@dataclass(frozen=True)
class Found:
    """False alarms in 100 series-days, and by kind the share found and its mean delay in days."""

    false_alarms: float
    recall: Mapping[str, float]
    delay_days: Mapping[str, float]


def judged(way: Callable[[Floats], Alarms], noise: float, count: int) -> Found:
    """What a way finds of what is injected, and alarms of where nothing is."""
    clean = clean_series(count, DAYS, noise, np.random.default_rng(SEED))
    recall: dict[str, float] = {}
    delay: dict[str, float] = {}
    for kind, inject in KINDS.items():
        values, first, last = inject(clean)
        hit = way(values)[:, first : last + 1]
        recall[kind] = hit.any(axis=1).mean().item()
        delay[kind] = hit[hit.any(axis=1)].argmax(axis=1).mean().item() if hit.any() else np.nan
    return Found(100 * way(clean)[:, WARM_DAYS:].mean().item(), recall, delay)


def injected_lines(count: int) -> tuple[list[str], bool]:
    """The tables of injected truth, and whether the bars hold."""
    lines: list[str] = []
    holds = True
    for noise, (most, least) in BARS.items():
        header = " | ".join(KINDS)
        lines += ["", f"## Injected, noise {noise:.0%}", "", f"| way | false alarms | {header} | mean delay, days |"]
        lines.append("|---|---:|" + "---:|" * (len(KINDS) + 1))
        for name, way in WAYS.items():
            found = judged(way, noise, count)
            recall = " | ".join(f"{found.recall[kind]:.2f}" for kind in KINDS)
            delay = np.nanmean([*found.delay_days.values()])
            lines.append(f"| {name} | {found.false_alarms:.2f} | {recall} | {delay:.1f} |")
            if name == "medium":
                holds &= found.false_alarms <= most and min(found.recall.values()) >= least
        lines += ["", f"Bar of medium: at most {most} false alarms, each kind found in at least {least:.0%} of series."]
    return lines, holds


def spike_lines(count: int) -> list[str]:
    """How large one day has to be."""
    factors = (1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
    lines = ["", "## Share of one-day spikes found by medium, by size", ""]
    lines += ["| noise | " + " | ".join(f"x {factor:g}" for factor in factors) + " |", "|---|" + "---:|" * len(factors)]
    for noise in BARS:
        clean = clean_series(count, DAYS, noise, np.random.default_rng(SEED))
        shares: list[str] = []
        for factor in factors:
            values, first, last = spike(clean, factor)
            shares.append(f"{WAYS['medium'](values)[:, first : last + 1].any(axis=1).mean():.2f}")
        lines.append(f"| {noise:.0%} | " + " | ".join(shares) + " |")
    return lines


def labelled(folder: Path) -> Iterator[tuple[Floats, list[tuple[int, int]]]]:
    """Each labelled series as the mean of every seventh of a day, with its windows in these parts."""
    windows = json.loads((folder / "combined_windows.json").read_text(encoding="utf-8"))
    for file in sorted((folder / "realAWSCloudwatch").glob("*.csv")):
        with file.open(encoding="utf-8") as opened:
            rows = [(datetime.fromisoformat(row["timestamp"]), row["value"]) for row in csv.DictReader(opened)]
        start = rows[0][0]

        def part(at: datetime, start: datetime = start) -> int:
            return int((at - start).total_seconds() * PARTS_OF_A_DAY // 86_400)

        count = part(rows[-1][0]) + 1
        numbers = np.array([part(at) for at, _ in rows])
        sums = np.bincount(numbers, np.array([value for _, value in rows], dtype=np.float64), count)
        seen = np.bincount(numbers, minlength=count)
        values = np.where(seen > 0, sums / np.maximum(seen, 1), np.nan)
        spans = windows.get(f"realAWSCloudwatch/{file.name}", [])
        yield values[None, :], [(part(datetime.fromisoformat(a)), part(datetime.fromisoformat(b))) for a, b in spans]


def labelled_lines(folder: Path) -> list[str]:
    """The table of NAB's series. A window counts where it can be judged: after the first four cycles."""
    series = [*labelled(folder)]
    warm = 4 * PARTS_OF_A_DAY
    lines = ["", f"## NAB's {len(series)} series of CloudWatch, a seventh of a day for a day", ""]
    lines += ["| way | windows found | with a rise of a fifth | alarms in windows | false alarms |"]
    lines.append("|---|---:|---:|---:|---:|")
    for name, way in WAYS.items():
        found: list[tuple[bool, bool]] = []
        inside, outside, clean = 0, 0, 0
        for values, windows in series:
            alarms = np.where(np.isnan(values), False, way(values))[0]
            is_inside = np.zeros(alarms.size, dtype=np.bool_)
            for first, last in windows:
                is_inside[first : last + 1] = True
                if first >= warm:
                    found.append((bool(alarms[first : last + 1].any()), _rises(values[0], first, last)))
            alarms[:warm] = False
            inside += int((alarms & is_inside).sum())
            outside += int((alarms & ~is_inside).sum())
            clean += int((~is_inside[warm:]).sum())
        share = f"{inside / (inside + outside):.2f}" if inside + outside else "-"
        risen = [is_hit for is_hit, rises in found if rises]
        hits = f"{sum(is_hit for is_hit, _ in found)} of {len(found)} | {sum(risen)} of {len(risen)}"
        lines.append(f"| {name} | {hits} | {share} | {100 * outside / clean:.2f} |")
    lines += [
        "",
        "Fourteen days are two weeks: the length of history is that of a young series. What rises by less than a",
    ]
    lines.append(
        "fifth of the median of four cycles before is never told; drops, which NAB labels as well, are no alarms."
    )
    return lines


def _rises(values: Floats, first: int, last: int) -> bool:
    """Whether a window holds a rise that is large enough to be told."""
    usual = np.nanmedian(values[first - 4 * PARTS_OF_A_DAY : first])
    return bool(np.nanmax(values[first : last + 1]) >= LEAST_RISE * usual)


def timed(way: Callable[[Floats], Alarms], values: Floats) -> tuple[float, float]:
    """Seconds, and seconds of processors."""
    start, used = time.perf_counter(), time.process_time()
    way(values)
    return time.perf_counter() - start, time.process_time() - used


def speed_lines(many: int) -> tuple[list[str], bool]:
    """The time for many series, as a ratio to the plain rule that also looks at thirty days."""
    values = clean_series(many, DAYS, 0.1, np.random.default_rng(SEED))
    sides = {"three sigma of 30 days": three_sigma, "medium": WAYS["medium"]}
    times = {name: timed(way, values) for name, way in sides.items()}
    lines = ["", f"## Time for {many:,} series of {DAYS} days", ""]
    lines += ["| way | seconds | processor seconds |", "|---|---:|---:|"]
    lines += [f"| {name} | {seconds:.1f} | {used:.1f} |" for name, (seconds, used) in times.items()]
    ratio = times["medium"][1] / times["three sigma of 30 days"][1]
    lines += ["", f"Ratio of processor seconds {ratio:.1f}; bar {MOST_SECONDS} processor seconds."]
    return lines, times["medium"][1] <= MOST_SECONDS


def run(folder: Path | None, count: int, many: int) -> tuple[str, bool]:
    """The whole report, and whether its bars hold."""
    injected, is_sharp = injected_lines(count)
    speed, is_quick = speed_lines(many)
    named: Sequence[str] = labelled_lines(folder) if folder else []
    head = ["# Anomalies: what is found, and what is alarmed of in vain", ""]
    head += [f"{count} seeded series of {DAYS} days; false alarms in 100 series-days without anything injected, before"]
    head += ["the gate by money and the false-discovery rate, which leave fewer. Low, medium and high are the house's"]
    head.append("sensitivities. Spike: 2.25 times; shift: 1.5 times; ramp: to the double in two weeks.")
    return "\n".join([*head, *injected, *spike_lines(count), *named, *speed]) + "\n", is_sharp and is_quick


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labelled", type=Path, help="folder of NAB's series, with combined_windows.json")
    parser.add_argument("--series", type=int, default=SERIES, help="series for every injected kind")
    parser.add_argument("--many", type=int, default=MANY, help="series for the time")
    given = parser.parse_args()
    text, holds = run(given.labelled, given.series, given.many)
    (HERE / "anomalies.md").write_text(text, encoding="utf-8")
    print(text)
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
