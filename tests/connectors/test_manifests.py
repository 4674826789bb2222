"""A manifest that cannot be read is told alike, whoever wrote it: nothing is known of the delivery's files then."""

from collections.abc import Callable

import pytest

from connectors.aws import bill_manifest as aws
from connectors.azure import manifests as azure
from connectors.base import Body, Bytes, IncompleteDeliveryError
from connectors.focus import manifest as focus
from connectors.manifests import MOST_BYTES

Reader = Callable[[str, Body], object]
READERS: list[Reader] = [aws.read_manifest, azure.read_manifest, focus.read_manifest]
BROKEN = [
    b"",
    b"[1]",
    b'{"dataFiles": ["a"',
    b'{"dataFiles": NaN}',
    b"\xff\xfe{}",
    b'{"a":' * 100_000,
    b'{"dataFiles": "one", "files": [1], "blobs": [{}]}',
    b" " * (MOST_BYTES + 1),
]


@pytest.mark.parametrize("content", BROKEN, ids=lambda content: content[:20].decode("latin-1"))
@pytest.mark.parametrize("read", READERS, ids=["aws", "azure", "focus"])
def test_what_is_no_manifest_is_told_with_its_remedy(read: Reader, content: bytes) -> None:
    with pytest.raises(IncompleteDeliveryError, match=r"x/manifest\.json: the manifest cannot be read \(.+\).*run the"):
        read("x/manifest.json", Bytes(content))


def test_a_byte_order_mark_and_exact_numbers_are_read() -> None:
    written = b'\xef\xbb\xbf{"files": ["a.csv"], "rows": 2, "total_billed_cost": 0.1000000000005}'
    found = focus.read_manifest("m", Bytes(written))
    assert (found.files, found.rows, str(found.billed_cost)) == (("a.csv",), 2, "0.100000000001")
    listed = b'\xef\xbb\xbf{"dataFiles": ["s3://b/a.csv"], "price": 1e-7}'
    assert aws.read_manifest("m", Bytes(listed)).files == ("s3://b/a.csv",)
