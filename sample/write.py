"""Everything at once: the configuration, the exports and the truth, into one directory."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sample import api_answers as api
from sample import focus_files as focus
from sample.aws_files import write_aws_export
from sample.azure_files import write_azure_exports
from sample.bills import GATEWAY_ACCOUNT
from sample.commitment_terms import write_azure_terms, write_gcp_terms
from sample.company import MONTH, SERVING
from sample.configuration import write_configuration
from sample.engines import scrapes_of, write_engine
from sample.gateway import write_payloads, write_spend_logs
from sample.gcp_files import write_gcp_export
from sample.gpus import write_exposition
from sample.kube_state import write_kube_state
from sample.outcomes import true_outcomes, write_helpdesk
from sample.story import Story, tell


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
    directory: Path,
    *,
    seed: int = 1847,
    as_of: date = date(2026, 11, 2),
    since: date = MONTH,
    mail_port: int | None = None,
) -> Sample:
    """Writes the sample company's October 2026 as its sources export it on the morning of `as_of`.

    From 1 September (`since`) on if that is asked for: two months can be compared. The truth is October's alone.

    The same arguments give the same bytes. From 4 November on, AWS has issued its invoice; from the 5th on, OpenAI's
    bill is the restated one. Files of an
    earlier `as_of` in the same directory are replaced. Raises ValueError when nothing of the month is over yet.
    """
    story = tell(seed, as_of, since)
    exports = directory / "exports"
    write_bills(exports, story)
    write_usage(exports, story)
    logged = payloads = 0
    for day, requests in story.traffic.items():
        logged += write_spend_logs(exports / "litellm-us" / str(day), day, requests)
        payloads += write_payloads(exports / "litellm-eu" / str(day), requests)
    for (host, day), rows in story.samples.items():
        write_exposition(exports / "dcgm" / host.cluster / str(day) / f"{host.hostname}.prom.gz", host, day, rows)
    write_serving(exports, story, seed)
    write_helpdesk(exports / "helpdesk", story.traffic, seed, as_of)
    truth = directory / "truth.json"
    answer = {**story.truth(), "outcomes": true_outcomes(story.october, seed, as_of)}
    truth.write_text(json.dumps(answer, indent=2) + "\n", encoding="utf-8")
    return Sample(
        config=write_configuration(directory, seed, mail_port),
        truth=truth,
        spend_log_rows=logged,
        payload_files=payloads,
        bill_lines=sum(len(lines) for bill in story.bills.values() for lines in bill.values()),
        gpu_samples=sum(map(len, story.samples.values())),
    )


def write_bills(exports: Path, story: Story) -> None:
    """Writes what every provider charges, each in its own format, and what two of them say of commitments."""
    for month, bill in story.bills.items():
        name, is_invoiced = f"{month:%Y-%m}", story.is_aws_invoiced(month)
        api.write_openai_costs(exports / "openai", month, bill["openai"])
        api.write_anthropic_costs(exports / "anthropic", month, bill["anthropic"])
        focus.write_csv(exports / "gpucloud" / name / f"nimbus-{name}.csv", month, bill["gpucloud"], "NC-1847")
        write_aws_export(exports / "aws", month, bill["aws"], story.as_of, is_invoiced=is_invoiced)
        write_gcp_export(exports / "gcp", month, bill["gcp"])
        write_azure_exports(exports / "azure", month, bill["azure"], story.as_of)
    write_azure_terms(exports / "azure-terms", tuple(story.traffic))
    write_gcp_terms(exports / "gcp-terms", tuple(story.traffic))


def write_serving(exports: Path, story: Story, seed: int) -> None:
    """Writes what the serving cluster said of its pods and node, and what the engines in them counted."""
    days = tuple(story.traffic)
    for day in days:
        write_kube_state(exports / "kube-state-metrics" / SERVING.cluster / str(day) / "kube-state.prom.gz", day)
    for pod, calls in story.served.items():
        for day, scrapes in scrapes_of(pod, calls, days, seed):
            write_engine(exports / "vllm" / SERVING.cluster / str(day) / f"{pod.name}.prom.gz", pod, scrapes)


def write_usage(exports: Path, story: Story) -> None:
    """Writes what the two API providers counted. They restate costs here, never what they counted."""
    requests = Counter(
        api.Used(day, GATEWAY_ACCOUNT[request.model.provider], request.model.bill_name)
        for day, answered in story.traffic.items()
        for request in answered
        if request.model.bill_name is not None and request.is_billed
    )
    api.write_openai_usage(exports / "openai", [line for line in story.api if line.provider_name == "OpenAI"], requests)
    api.write_anthropic_usage(exports / "anthropic", [line for line in story.api if line.provider_name == "Anthropic"])
