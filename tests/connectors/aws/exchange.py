"""AWS's protocols as documented, for a loopback server: EC2's query with XML, the JSON protocol, and REST with JSON.

Records are written with the names that AWS's client gives them; EC2's XML spells them with a small first letter.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from tests.connectors.faulty_server import Answer, FaultyServer, Request, json_answer

KEYS = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "s3cr3t-of-the-test"}
SECRETS = ("s3cr3t-of-the-test",)
_SETS = {
    "DescribeSpotPriceHistory": "spotPriceHistorySet",
    "DescribeReservedInstances": "reservedInstancesSet",
    "DescribeCapacityReservations": "capacityReservationSet",
}


def serve_ec2(server: FaultyServer, answers: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]) -> list[Any]:
    """Answers each action with its pages of records; the list of requests grows as they come, parameters by name."""
    asked: list[Any] = []

    def respond(request: Request) -> Answer:
        parameters = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        asked.append(parameters)
        action = parameters["Action"]
        if action == "GetCallerIdentity":
            return _xml(
                "<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><GetCallerIdentityResult>"
                "<Arn>arn:aws:iam::111122223333:user/reader</Arn><UserId>AIDAEXAMPLE</UserId>"
                "<Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
        pages = answers[action]
        number = int(parameters.get("NextToken", "page-0").removeprefix("page-"))
        token = f"page-{number + 1}" if number + 1 < len(pages) else ""
        items = "".join(f"<item>{_fields(record)}</item>" for record in pages[number])
        return _xml(
            f"<{action}Response xmlns='http://ec2.amazonaws.com/doc/2016-11-15/'><requestId>{len(asked)}</requestId>"
            f"<{_SETS[action]}>{items}</{_SETS[action]}><nextToken>{token}</nextToken></{action}Response>"
        )

    server.route("/", respond)
    return asked


def ec2_error(code: str, message: str, status: int) -> Answer:
    """An error as EC2 says it."""
    return _xml(
        f"<Response><Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></Errors>"
        "<RequestID>0</RequestID></Response>",
        status,
    )


def serve_json(server: FaultyServer, path: str, pages: Mapping[str, Sequence[Mapping[str, Any]]], cursor: str) -> None:
    """Answers POSTs to the path with pages of JSON, by operation.

    The operation is the last word of X-Amz-Target, or of the path where a service has none.
    """

    def respond(request: Request) -> Answer:
        target = next((v for name, v in request.headers.items() if name.lower() == "x-amz-target"), request.path)
        found = pages[target.rpartition(".")[2].rpartition("/")[2]]
        asked = json.loads(request.body or b"{}")
        number = int(asked.get(cursor, "page-0").removeprefix("page-"))
        token = {cursor: f"page-{number + 1}"} if number + 1 < len(found) else {}
        return json_answer(json.dumps({**found[number], **token}).encode())

    server.route(path, respond)


def json_error(code: str, message: str, status: int = 400) -> Answer:
    """An error as the JSON protocol says it."""
    return json_answer(json.dumps({"__type": code, "message": message}).encode(), status)


def _fields(record: Mapping[str, Any]) -> str:
    return "".join(_field(name[0].lower() + name[1:], value) for name, value in record.items())


def _field(name: str, value: Any) -> str:
    if isinstance(value, list):
        value = "".join(f"<item>{_fields(one)}</item>" for one in value)
        return f"<{name}>{value}</{name}>"
    return f"<{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{name}>"


def _xml(body: str, status: int = 200) -> Answer:
    return Answer(f"<?xml version='1.0' encoding='UTF-8'?>{body}".encode(), status, {"Content-Type": "text/xml"})
