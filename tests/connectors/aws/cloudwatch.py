"""CloudWatch as documented, for a loopback server: the JSON protocol, pages, statuses and limits.

Metrics are put in as `gpu_metric` makes them; the server lists them by namespace and name, and answers with the values of
those that are asked for, at most so many in one answer.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.connectors.faulty_server import Answer, FaultyServer, Request, json_answer


@dataclass(frozen=True)
class Held:
    """One metric: its values by minute (`HH:MM`), and how old the day is that they are kept for."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    values: Mapping[str, float]
    finest_seconds: int = 60

    @property
    def described(self) -> dict[str, Any]:
        named = [{"Name": name, "Value": value} for name, value in self.dimensions.items()]
        return {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": named}


@dataclass
class CloudWatch:
    """The service's state: `asked` grows with each request."""

    metrics: Sequence[Held]
    most_values: int = 100_800
    listed_at_once: int = 500
    status: str = "Complete"
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    asked: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])

    def serve(self, server: FaultyServer) -> None:
        """Answers on the server."""
        operations = {"ListMetrics": self._list, "GetMetricData": self._values}

        def respond(request: Request) -> Answer:
            name = request.headers["X-Amz-Target"].removeprefix("GraniteServiceVersion20100801.")
            question = _asked(request)
            self.asked.append((name, question))
            return json_answer(json.dumps(operations[name](question)).encode())

        server.route("/", respond)

    def questions(self, operation: str) -> list[Any]:
        return [question for name, question in self.asked if name == operation]

    def _list(self, question: Any) -> dict[str, Any]:
        found = [m for m in self.metrics if (m.namespace, m.name) == (question["Namespace"], question["MetricName"])]
        first = int(question.get("NextToken", "0"))
        until = first + self.listed_at_once
        more = {"NextToken": str(until)} if until < len(found) else {}
        return {"Metrics": [m.described for m in found[first:until]], **more}

    def _values(self, question: Any) -> dict[str, Any]:
        assert len(question["MetricDataQueries"]) <= 500
        flat = [
            (query["Id"], at, value)
            for query in question["MetricDataQueries"]
            for at, value in self._points(query, question)
        ]
        first = int(question.get("NextToken", "0"))
        until = first + self.most_values
        results: list[dict[str, Any]] = []
        for query in question["MetricDataQueries"]:
            here = [(at, value) for name, at, value in flat[first:until] if name == query["Id"]]
            is_split = any(name == query["Id"] for name, _, _ in flat[until:])
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query["MetricStat"]["Metric"]["MetricName"],
                    "Timestamps": [at.timestamp() for at, _ in here],
                    "Values": [float(value) for _, value in here],
                    "StatusCode": "PartialData" if is_split else self.status,
                }
            )
        more = {"NextToken": str(until)} if until < len(flat) else {}
        return {"MetricDataResults": results, "Messages": [], **self.more, **more}

    def _points(self, query: Any, question: Any) -> list[tuple[datetime, float]]:
        stat, metric = query["MetricStat"], query["MetricStat"]["Metric"]
        wanted = sorted((d["Name"], d["Value"]) for d in metric["Dimensions"])
        start = question["StartTime"]
        for held in self.metrics:
            same = (held.namespace, held.name) == (metric["Namespace"], metric["MetricName"])
            if same and sorted(held.dimensions.items()) == wanted and stat["Period"] >= held.finest_seconds:
                times = [(start.replace(hour=int(at[:2]), minute=int(at[3:])), v) for at, v in held.values.items()]
                return [(at, v) for at, v in times if int(at.timestamp()) % stat["Period"] == 0]
        return []


def _asked(request: Request) -> Any:
    question = json.loads(request.body)
    for name in {"StartTime", "EndTime"} & set(question):
        question[name] = datetime.fromtimestamp(question[name], UTC)
    return question
