"""An S3 server of one's own: moto's, on this machine, with the options that reach it."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

KEY_ID, SECRET = "AKIATESTTESTTEST", "correct-horse-battery"


@dataclass(frozen=True)
class ObjectStore:
    """`options` are what a location's store is opened with; `client` puts and gets as AWS's own client does."""

    address: str
    client: Any = field(repr=False)

    @property
    def options(self) -> dict[str, str]:
        return {
            "aws_endpoint_url": self.address,
            "aws_access_key_id": KEY_ID,
            "aws_secret_access_key": SECRET,
            "aws_region": "us-east-1",
            "aws_allow_http": "true",
        }


@contextmanager
def moto_server() -> Generator[str]:
    """The address of a server of AWS's APIs that knows nothing yet."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def object_store(*buckets: str) -> Generator[ObjectStore]:
    """A server with those buckets, empty."""
    with moto_server() as address:
        client = boto3.client(
            "s3",
            endpoint_url=address,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )
        for bucket in buckets:
            client.create_bucket(Bucket=bucket)
        try:
            yield ObjectStore(address, client)
        finally:
            client.close()
