"""One night's cost after a short and after a long history: the same day's data, the same code, two lakes.

`python -m benchmarks.history` writes a company's exports, backfills one lake with a month and another with a year,
runs the next night in each in a fresh process, and writes the table in `history.md` beside this file.
"""

import argparse
import csv
import gzip
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from pipelines.calendar import month_start, next_month
from pipelines.house import open_house
from pipelines.night.run import run_night

HERE = Path(__file__).parent
NIGHT = date(2026, 10, 30)
SHORT_DAYS, LONG_DAYS = 30, 360
REQUESTS_PER_DAY = 400
MOST_TIMES_DEARER = 1.5
KEYS = [f"key-{number}" for number in range(20)]
MODELS = ("gpt-5-mini", "gpt-5", "gpt-4o")
CONFIG = """\
company: Benchmark
lake: lake
sources:
  - {name: bill, kind: focus, account: main, location: bills}
  - {name: gateway, kind: litellm, location: log, hash_key: file:key}
teams:
  - {id: search, name: Search}
owners:
  - {id: some, gateway_key: key-1, team: search}
"""
LINE = {
    "BillingAccountId": "acc-1",
    "BillingCurrency": "USD",
    "ChargeCategory": "Usage",
    "ProviderName": "OpenAI",
    "PublisherName": "OpenAI",
    "InvoiceIssuerName": "OpenAI",
    "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "API",
    "ConsumedUnit": "Tokens",
    "PricingUnit": "Tokens",
    "PricingCategory": "Standard",
    "x_TokenClass": "input_uncached",
}


def write_exports(folder: Path, first: date, last: date) -> None:
    """A gateway log by day and a bill by month; the same day holds the same rows whatever the history."""
    folder.mkdir(parents=True)
    (folder / "farthing.yml").write_text(CONFIG, encoding="utf-8")
    (folder / "key").write_text("k" * 40, encoding="utf-8")
    bills: dict[date, list[dict[str, str]]] = {}
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        dice = random.Random(day.toordinal())
        rows = [_request(day, number, dice) for number in range(REQUESTS_PER_DAY)]
        target = folder / "log" / day.isoformat()
        target.mkdir(parents=True)
        (target / "log.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode(), mtime=0))
        bills.setdefault(month_start(day), []).extend(_bill_lines(day, dice))
    for month, lines in bills.items():
        target = folder / "bills" / f"{month:%Y-%m}"
        target.mkdir(parents=True)
        with (target / "bill.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, lines[0].keys())
            writer.writeheader()
            writer.writerows(lines)


def _request(day: date, number: int, dice: random.Random) -> dict[str, object]:
    started = datetime.combine(day, datetime.min.time()) + timedelta(seconds=dice.random() * 86_399)
    epoch = (started - datetime(1970, 1, 1)) / timedelta(seconds=1)
    usage = {"prompt_tokens": dice.randint(50, 4000), "completion_tokens": dice.randint(5, 900)}
    usage["total_tokens"] = sum(usage.values())
    return {
        "id": f"chatcmpl-{day:%Y%m%d}-{number:06d}",
        "call_type": "acompletion",
        "status": "success",
        "custom_llm_provider": "openai",
        "model": dice.choice(MODELS),
        "startTime": epoch,
        "endTime": epoch + 1,
        "response_cost": 0.0,
        **usage,
        "metadata": {"user_api_key_alias": dice.choice(KEYS), "usage_object": usage},
    }


def _bill_lines(day: date, dice: random.Random) -> list[dict[str, str]]:
    month = month_start(day)
    period = {"BillingPeriodStart": f"{month}T00:00:00Z", "BillingPeriodEnd": f"{next_month(month)}T00:00:00Z"}
    charge = {"ChargePeriodStart": f"{day}T00:00:00Z", "ChargePeriodEnd": f"{day + timedelta(days=1)}T00:00:00Z"}
    lines: list[dict[str, str]] = []
    for model in MODELS:
        cost = f"{dice.randint(1, 10**7)}e-6"
        money = dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), cost)
        tokens = {"ConsumedQuantity": "1000", "PricingQuantity": "1000", "x_ModelId": model}
        lines.append({**LINE, **period, **charge, **money, **tokens})
    return lines


def run_days(folder: Path, first: date, last: date) -> None:
    """The nightly job for a range of days. Raises RuntimeError when it was not published."""
    now = datetime.combine(last + timedelta(days=1), datetime.min.time())
    with open_house(folder / "farthing.yml", f"{last}", clock=lambda: now) as house:
        result = run_night(house, first, last)
    if not result.published or result.failures:
        raise RuntimeError(f"{folder}: {result}")


def measured(folder: Path) -> dict[str, float]:
    """The night itself, in this process: its seconds, those of the processors, and the peak memory in GiB."""
    start = time.perf_counter()
    run_days(folder, NIGHT, NIGHT)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "gib": used.ru_maxrss / 2**20}


def prepare(folder: Path, days: int) -> None:
    """A lake that holds the `days` days before the night."""
    first = NIGHT - timedelta(days=days)
    write_exports(folder, first, NIGHT)
    month = first
    while month < NIGHT:
        last = min(next_month(month) - timedelta(days=1), NIGHT - timedelta(days=1))
        run_days(folder, month, last)
        month = next_month(month)


def in_fresh_process(*arguments: str) -> str:
    """Runs this module with arguments. Returns what it printed last."""
    command = [sys.executable, "-m", "benchmarks.history", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().rpartition("\n")[2]


def run(folder: Path) -> int:
    """Measures both nights, writes the report, and tells by the exit status whether the bar holds."""
    results: dict[int, dict[str, float]] = {}
    for days in (SHORT_DAYS, LONG_DAYS):
        in_fresh_process("--prepare", str(folder / str(days)), "--days", str(days))
        results[days] = json.loads(in_fresh_process("--night", str(folder / str(days))))
    ratio = results[LONG_DAYS]["cpu_seconds"] / results[SHORT_DAYS]["cpu_seconds"]
    lines = [
        "# One night after a short and after a long history",
        "",
        f"{REQUESTS_PER_DAY} requests and {len(MODELS)} bill lines a day; each night in a fresh process.",
        "",
        "| days before it | seconds | processor seconds | peak memory |",
        "|---:|---:|---:|---:|",
    ]
    for days, found in results.items():
        lines.append(f"| {days} | {found['seconds']:.2f} | {found['cpu_seconds']:.2f} | {found['gib']:.2f} GiB |")
    lines += ["", f"Ratio of processor seconds {ratio:.2f} (bar {MOST_TIMES_DEARER})."]
    text = "\n".join(lines) + "\n"
    (HERE / "history.md").write_text(text, encoding="utf-8")
    print(text)
    return int(ratio > MOST_TIMES_DEARER)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepare", type=Path, help="only prepare a lake there")
    parser.add_argument("--days", type=int, default=SHORT_DAYS, help="days of history to prepare")
    parser.add_argument("--night", type=Path, help="only run the night over a prepared lake, as JSON")
    given = parser.parse_args()
    if given.prepare:
        prepare(given.prepare, given.days)
        return 0
    if given.night:
        print(json.dumps(measured(given.night)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder))


if __name__ == "__main__":
    sys.exit(main())
