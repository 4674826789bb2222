"""What AWS delivered to S3 is found by day, and large bodies beside the log are never opened."""

import gzip
import json
from collections.abc import Callable
from typing import Any

from connectors.bedrock import SOURCE
from tests.connectors.stored_log import LogFolder
from tests.moto_s3 import object_store

Invocation = Callable[..., dict[str, Any]]
REGION = "AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1"


def packed(*rows: dict[str, Any]) -> bytes:
    return gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows))


def test_the_days_of_a_bucket_are_read_by_the_hour_of_delivery(invocation: Invocation, log: LogFolder) -> None:
    late = invocation(requestId="late", timestamp="2026-11-21T23:59:59Z")
    objects = {
        f"logs/{REGION}/2026/11/21/02/20261121T020500Z_a.json.gz": packed(invocation(), invocation(requestId="r2")),
        f"logs/{REGION}/2026/11/22/00/20261122T000400Z_b.json.gz": packed(late, invocation()),
        f"logs/{REGION}/2026/11/23/00/20261123T000400Z_c.json.gz": packed(invocation(requestId="elsewhere")),
        f"logs/{REGION}/2026/11/21/02/data/r2_input.json.gz": b"no gzip: opening it would fail",
        f"logs/{REGION}/amazon-bedrock-logs-permission-check": b"",
    }
    with object_store("acme") as store:
        for key, content in objects.items():
            store.client.put_object(Bucket="acme", Key=key, Body=content)
        of_region = {"location": f"s3://acme/logs/{REGION}", "storage": store.options}
        of_bucket = {"location": "s3://acme/logs", "layout": "AWSLogs/*/{date:%Y/%m/%d}/*.json.gz"}
        night = log.night(**of_region)
        assert sorted(night.rows["request_id"].to_pylist()) == ["915a6a04", "late", "r2"]
        assert (night.rejects, night.duplicate_count) == ((), 1)
        same = log.night(**of_region | of_bucket)
        assert same.rows.drop_columns(["x_page"]).equals(night.rows.drop_columns(["x_page"]))
        assert "can be listed" in SOURCE.probe(log.settings(**of_region))


def test_a_body_that_stands_beside_the_log_is_left_where_it_is(invocation: Invocation, log: LogFolder) -> None:
    log.raw("2026/11/21/02/data/r1_output.json.gz", b'{"text": "an answer"}')
    log.file("2026/11/21/02/a.json.gz", [invocation()])
    assert len(log.rows()) == 1
