"""Pages of AWS's answers: what one says of itself, and whether the pages of every question are all there.

Here belongs: the envelope that `api` writes. Here does not belong: what a record means.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base import Body, IncompleteDeliveryError, SourceError
from connectors.exact import json_text
from connectors.fields import shown
from connectors.gathered import read_document

RECORDS: Mapping[str, str] = {
    "ec2.describe_spot_price_history": "SpotPriceHistory",
    "ec2.describe_reserved_instances": "ReservedInstances",
    "ec2.describe_capacity_reservations": "CapacityReservations",
    "savingsplans.describe_savings_plans": "savingsPlans",
    "savingsplans.describe_savings_plans_offering_rates": "searchResults",
    "pricing.get_products": "PriceList",
    "sts.get_caller_identity": "Account",
    "cloudwatch.list_metrics": "Metrics",
    "cloudwatch.get_metric_data": "MetricDataResults",
}
"""Where an answer holds what was asked for."""


@dataclass(frozen=True)
class AnswerPage:
    """One page. `question` is what was asked, `number` its place in the answer, `has_more` whether one follows."""

    name: str
    api: str
    region: str
    question: str
    number: int
    has_more: bool
    answer: Mapping[str, Any]

    @property
    def records(self) -> list[Any]:
        """What the answer holds, as it came."""
        return self.answer[RECORDS[self.api]]


def read_answer(body: Body, name: str) -> AnswerPage:
    """The page.

    Raises IncompleteDeliveryError when it is cut off, SourceError when it is no page that `api` wrote.
    """
    found = read_document(body, name)
    answer = found.get("answer") if isinstance(found, dict) else None
    if not isinstance(answer, dict) or found.get("api") not in RECORDS or RECORDS[found["api"]] not in answer:
        raise SourceError(f"{name}: expected a page with 'api' and its 'answer'; it begins with {shown(found)}")
    has_more = bool(answer.get("NextToken") or answer.get("nextToken"))
    question = json_text([found["api"], found["region"], found.get("query")])
    return AnswerPage(name, found["api"], found["region"], question, found["page"], has_more, answer)


def require_whole(pages: Iterable[AnswerPage]) -> None:
    """Raises IncompleteDeliveryError unless every question's pages count from 1 to one that announces no other."""
    numbers: dict[str, dict[int, AnswerPage]] = defaultdict(dict)
    for page in pages:
        numbers[page.question][page.number] = page
    for found in numbers.values():
        last = found[max(found)]
        if last.has_more or len(found) != last.number:
            raise IncompleteDeliveryError(
                f"{last.name}: of this question {len(found)} pages are there, and "
                f"{'another follows' if last.has_more else f'{last.number} were given'}. Nothing was committed; fetch "
                "the window again, whole."
            )
