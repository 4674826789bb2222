"""A month as it happened until a day: the traffic, the GPUs and the bills, before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sample.bills import Line, api_lines, cloud_lines, restated
from sample.company import HOSTS, RESTATED_FROM, Host, days_until
from sample.gpu_states import state_seconds
from sample.gpus import Sample, gpu_samples
from sample.traffic import Request, requests_of
from sample.truth import Truth, build_truth


@dataclass(frozen=True)
class Story:
    """Requests by day, samples by node and day, and bill lines by the folder that they are delivered to.

    `api` are the API providers' lines as they were used, whatever was restated.
    """

    as_of: date
    traffic: Mapping[date, Sequence[Request]]
    samples: Mapping[tuple[Host, date], Sequence[Sample]]
    api: Sequence[Line]
    bills: Mapping[str, Sequence[Line]]

    def truth(self) -> Truth:
        """The answer for this story."""
        lines = [line for bill in self.bills.values() for line in bill]
        return build_truth(self.traffic, lines, state_seconds(self.samples), self.as_of)


def tell(seed: int, as_of: date) -> Story:
    """Makes up the month until the morning of `as_of`. Raises ValueError when nothing of it is over yet."""
    days = days_until(as_of)
    traffic = {day: requests_of(day, seed) for day in days}
    api = [line for day, requests in traffic.items() for line in api_lines(day, requests, seed)]
    openai = [line for line in api if line.provider_name == "OpenAI"]
    return Story(
        as_of=as_of,
        traffic=traffic,
        samples={(host, day): gpu_samples(host, day, seed) for host in HOSTS for day in days},
        api=api,
        bills={
            "openai": restated(openai) if as_of >= RESTATED_FROM else openai,
            "anthropic": [line for line in api if line.provider_name == "Anthropic"],
            "gpucloud": cloud_lines(days),
        },
    )
