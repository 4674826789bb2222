"""Everything at once: the configuration, the exports and the truth, into one directory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sample import focus_files as focus
from sample.bills import Line, api_lines, cloud_lines, invoice_id, restated
from sample.company import HOSTS, MONTH, RESTATED_FROM, Host, days_until
from sample.configuration import write_configuration
from sample.gateway import write_payloads, write_spend_logs
from sample.gpu_states import state_seconds
from sample.gpus import Sample as GpuSample
from sample.gpus import gpu_samples, write_exposition
from sample.traffic import Request, requests_of
from sample.truth import build_truth


@dataclass(frozen=True)
class Sample:
    """What was written: the configuration to run with, the truth to compare with, and how many rows there are."""

    config: Path
    truth: Path
    spend_log_rows: int
    payload_files: int
    bill_lines: int
    gpu_samples: int


def write(
    directory: Path, *, seed: int = 1847, as_of: date = date(2026, 11, 2), mail_port: int | None = None
) -> Sample:
    """Writes the sample company's October 2026 as its sources export it on the morning of `as_of`.

    The same arguments give the same bytes. From 5 November on, the OpenAI bill is the restated one. Files of an
    earlier `as_of` in the same directory are replaced. Raises ValueError when nothing of the month is over yet.
    """
    days = days_until(as_of)
    exports = directory / "exports"
    traffic = {day: requests_of(day, seed) for day in days}
    samples = {(host, day): gpu_samples(host, day, seed) for host in HOSTS for day in days}
    bills = _bills(traffic, seed, as_of)
    _write_bills(exports, bills, as_of)
    logged = payloads = 0
    for day, requests in traffic.items():
        logged += write_spend_logs(exports / "litellm-us" / str(day), day, requests)
        payloads += write_payloads(exports / "litellm-eu" / str(day), requests)
    _write_samples(exports, samples)
    lines = [line for bill in bills.values() for line in bill]
    truth = directory / "truth.json"
    answer = build_truth(traffic, lines, state_seconds(samples), as_of)
    truth.write_text(json.dumps(answer, indent=2) + "\n", encoding="utf-8")
    return Sample(
        config=write_configuration(directory, seed, mail_port),
        truth=truth,
        spend_log_rows=logged,
        payload_files=payloads,
        bill_lines=len(lines),
        gpu_samples=sum(map(len, samples.values())),
    )


def _bills(traffic: Mapping[date, Sequence[Request]], seed: int, as_of: date) -> dict[str, list[Line]]:
    """Every line by the folder that it is delivered to."""
    api = [line for day, requests in traffic.items() for line in api_lines(day, requests, seed)]
    openai = [line for line in api if line.provider_name == "OpenAI"]
    return {
        "openai": restated(openai) if as_of >= RESTATED_FROM else openai,
        "anthropic": [line for line in api if line.provider_name == "Anthropic"],
        "gpucloud": cloud_lines(list(traffic)),
    }


def _write_bills(exports: Path, bills: Mapping[str, Sequence[Line]], as_of: date) -> None:
    month = f"{MONTH:%Y-%m}"
    for folder, lines in bills.items():
        target = exports / folder / month
        invoice = invoice_id(lines[0].provider_name, as_of)
        if folder == "openai":
            columns = focus.FOCUS_1_2 + focus.TOKEN_COLUMNS
            focus.write_csv(target / f"openai-costs-{month}.csv.gz", lines, "org-alder-finch", invoice, columns)
        elif folder == "anthropic":
            columns = focus.FOCUS_1_3 + focus.TOKEN_COLUMNS
            focus.write_parquet(target / f"anthropic-costs-{month}.parquet", lines, "alder-finch", invoice, columns)
        else:
            focus.write_csv(target / f"nimbus-{month}.csv", lines, "NC-1847", invoice, focus.FOCUS_1_0)


def _write_samples(exports: Path, samples: Mapping[tuple[Host, date], Sequence[GpuSample]]) -> None:
    for (host, day), rows in samples.items():
        write_exposition(exports / "dcgm" / host.cluster / str(day) / f"{host.hostname}.prom.gz", host, day, rows)
