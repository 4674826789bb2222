"""Answers of CloudWatch's GetMetricData: each result as a series of its metric, and whether nothing was left out.

Here belongs: results, their status. Here does not belong: names and dimensions (`gpu_dimensions`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from connectors.aws.answers import AnswerPage
from connectors.aws.gpu_dimensions import described_series
from connectors.base import IncompleteDeliveryError
from connectors.gpu_series import Samples, Series

MINUTE = 60


def page_series(page: AnswerPage, samples: Samples) -> Iterator[Series]:
    """The series of a page, in the order of its results.

    Raises IncompleteDeliveryError for what is no answer to the question that the page holds.
    """
    try:
        asked = {query["Id"]: query["MetricStat"] for query in _queries(page)}
        for result in page.records:
            stat = asked[result["Id"]]
            stamps, values = result.get("Timestamps", []), result.get("Values", [])
            series = described_series(stat["Metric"], zip(stamps, values, strict=True))
            if series is None or len(stamps) != len(values):
                raise KeyError(result["Id"])
            if stamps and stat["Period"] != MINUTE:
                samples.note(
                    f"series are means over {stat['Period']} s: CloudWatch keeps means over a minute for 15 days"
                )
            yield series
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IncompleteDeliveryError(
            f"{page.name}: this is no answer to the question in it ({error!r}); fetch the day again"
        ) from None


def without_values(page: AnswerPage) -> AnswerPage:
    """The page as far as `require_complete` and `require_whole` look at it: values of a whole day are many."""
    said = [{"Id": result.get("Id"), "StatusCode": result.get("StatusCode")} for result in page.records]
    return replace(page, answer={"MetricDataResults": said, "Messages": page.answer.get("Messages")})


def require_complete(pages: Iterable[AnswerPage]) -> None:
    """Raises IncompleteDeliveryError unless the last page of every metric says that its values are complete.

    CloudWatch splits a metric's values over pages (PartialData), and fails metric by metric (InternalError, Forbidden)
    within an answer that is otherwise good.
    """
    last: dict[tuple[str, str], tuple[int, str]] = {}
    for page in pages:
        for said in page.answer.get("Messages") or ():
            raise IncompleteDeliveryError(f"{page.name}: CloudWatch left something out: {json.dumps(said)[:300]}")
        for result in page.records:
            key = (page.question, str(result.get("Id")))
            last[key] = max(last.get(key, (0, "")), (page.number, str(result.get("StatusCode") or "Complete")))
    for (_, name), (number, status) in last.items():
        if status != "Complete":
            raise IncompleteDeliveryError(
                f"CloudWatch answered {name} with {status} on page {number}, its last: values are missing, which is "
                "not zero. Nothing was committed; run the day again."
            )


def _queries(page: AnswerPage) -> list[Mapping[str, Any]]:
    _, _, query = json.loads(page.question)
    return query["MetricDataQueries"]
