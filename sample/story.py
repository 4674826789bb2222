"""A month as it happened until a day: the traffic, the GPUs and the bills, before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sample.aws_lines import aws_lines
from sample.azure_lines import azure_lines
from sample.bills import api_lines, cloud_lines, restated
from sample.calls import Served, serve
from sample.company import AWS_INVOICED_FROM, HOSTS, RESTATED_FROM, Host, days_until
from sample.gcp_lines import gcp_lines
from sample.gpu_states import state_seconds
from sample.gpus import Sample, gpu_samples
from sample.lines import Line
from sample.traffic import Request, requests_of
from sample.truth import Bills, Gpus, Truth, build_truth


@dataclass(frozen=True)
class Story:
    """Requests by day, samples by node and day, engines' calls, and bill lines by the folder they are delivered to.

    `api` are the API providers' lines as they were used, whatever was restated; `first` are the bills as first billed.
    """

    as_of: date
    traffic: Mapping[date, Sequence[Request]]
    samples: Mapping[tuple[Host, date], Sequence[Sample]]
    served: Served
    api: Sequence[Line]
    bills: Mapping[str, Sequence[Line]]
    first: Mapping[str, Sequence[Line]]

    @property
    def is_aws_invoiced(self) -> bool:
        """Whether AWS has issued the month's invoice."""
        return self.as_of >= AWS_INVOICED_FROM

    def truth(self) -> Truth:
        """The answer for this story."""
        current, first = ([line for bill in bills.values() for line in bill] for bills in (self.bills, self.first))
        gpus = Gpus(state_seconds(self.samples, self.served), self.served)
        return build_truth(self.traffic, Bills(current, first, self.api), gpus, self.as_of)


def tell(seed: int, as_of: date) -> Story:
    """Makes up the month until the morning of `as_of`. Raises ValueError when nothing of it is over yet."""
    days = days_until(as_of)
    traffic = {day: requests_of(day, seed) for day in days}
    api = [line for day, requests in traffic.items() for line in api_lines(day, requests, seed)]
    first = {
        "openai": [line for line in api if line.provider_name == "OpenAI"],
        "anthropic": [line for line in api if line.provider_name == "Anthropic"],
        "gpucloud": cloud_lines(days),
        "aws": aws_lines(days, seed, is_invoiced=False),
        "gcp": gcp_lines(days, seed, as_of),
        "azure": azure_lines(days, seed),
    }
    bills = dict(first)
    if as_of >= AWS_INVOICED_FROM:
        bills["aws"] = aws_lines(days, seed, is_invoiced=True)
    if as_of >= RESTATED_FROM:
        bills["openai"] = restated(first["openai"])
    samples = {(host, day): gpu_samples(host, day, seed) for host in HOSTS for day in days}
    return Story(
        as_of=as_of,
        traffic=traffic,
        samples=samples,
        served=serve(traffic, seed),
        api=api,
        bills=bills,
        first=first,
    )
