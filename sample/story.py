"""A month, or two, as it happened until a day: the traffic, the GPUs and the bills, before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain

from sample.aws_lines import aws_lines
from sample.azure_lines import azure_lines
from sample.bills import api_lines, cloud_lines, restated
from sample.calls import Served, serve
from sample.company import AWS_INVOICED_FROM, HOSTS, MONTH, RESTATED_FROM, Host, days_until, month_of
from sample.gcp_lines import gcp_lines
from sample.gpu_states import state_seconds
from sample.gpus import Sample, gpu_samples
from sample.lines import Line
from sample.traffic import Request, requests_of
from sample.truth import Bills, Gpus, Truth, build_truth

Bill = Mapping[str, Sequence[Line]]
"""A month's lines by the folder they are delivered to."""


@dataclass(frozen=True)
class Story:
    """Requests by day, samples by node and day, engines' calls, and bills by month.

    `api` are the API providers' lines as they were used, whatever was restated; `first` are the bills as first billed.
    """

    as_of: date
    traffic: Mapping[date, Sequence[Request]]
    samples: Mapping[tuple[Host, date], Sequence[Sample]]
    served: Served
    api: Sequence[Line]
    bills: Mapping[date, Bill]
    first: Mapping[date, Bill]

    @property
    def october(self) -> Mapping[date, Sequence[Request]]:
        """The requests of the month that the truth is of."""
        return {day: requests for day, requests in self.traffic.items() if day >= MONTH}

    def is_aws_invoiced(self, month: date) -> bool:
        """Whether AWS has issued the month's invoice."""
        return month < MONTH or self.as_of >= AWS_INVOICED_FROM

    def truth(self) -> Truth:
        """The answer for October, whatever was told of the month before."""
        start = datetime.combine(MONTH, time())
        used = [line for line in self.api if line.start >= start]
        seconds = state_seconds(self.samples, self.served)
        gpus = Gpus({key: states for key, states in seconds.items() if key[1] >= start}, self.served)
        current, first = (list(chain(*bills[MONTH].values())) for bills in (self.bills, self.first))
        return build_truth(self.october, Bills(current, first, used), gpus, self.as_of)


def tell(seed: int, as_of: date, since: date = MONTH) -> Story:
    """Makes up the days from `since` until the morning of `as_of`: October, or with September before it.

    Raises ValueError when nothing of October is over yet.
    """
    days = days_until(as_of, since)
    traffic = {day: requests_of(day, seed) for day in days}
    api = [line for day, requests in traffic.items() for line in api_lines(day, requests, seed)]
    months = {month: [day for day in days if month_of(day) == month] for month in sorted(set(map(month_of, days)))}
    first = {month: _billed(of_month, api, seed, as_of) for month, of_month in months.items()}
    samples = {(host, day): gpu_samples(host, day, seed) for host in HOSTS for day in days}
    return Story(
        as_of=as_of,
        traffic=traffic,
        samples=samples,
        served=serve(traffic, seed),
        api=api,
        bills={**first, MONTH: _billed_again(first[MONTH], months[MONTH], seed, as_of)},
        first=first,
    )


def _billed(days: Sequence[date], api: Sequence[Line], seed: int, as_of: date) -> Bill:
    """What is billed first for days of one month."""
    lines = [line for line in api if month_of(line.start.date()) == month_of(days[0])]
    return {
        "openai": [line for line in lines if line.provider_name == "OpenAI"],
        "anthropic": [line for line in lines if line.provider_name == "Anthropic"],
        "gpucloud": cloud_lines(days),
        "aws": aws_lines(days, seed, is_invoiced=False),
        "gcp": gcp_lines(days, seed, as_of),
        "azure": azure_lines(days, seed),
    }


def _billed_again(first: Bill, days: Sequence[date], seed: int, as_of: date) -> Bill:
    """October as it is billed on the morning of `as_of`."""
    bill = dict(first)
    if as_of >= AWS_INVOICED_FROM:
        bill["aws"] = aws_lines(days, seed, is_invoiced=True)
    if as_of >= RESTATED_FROM:
        bill["openai"] = restated(first["openai"])
    return bill
