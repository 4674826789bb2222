"""Files are read the same way from a folder and from an object store, and nothing secret is said about it."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.base import AuthenticationError, SourceError
from connectors.storage import StoredObject, body, list_objects
from tests.connectors.faulty_server import HTML_PAGE, Answer, FaultyServer, serve_bucket
from tests.moto_s3 import SECRET, object_store


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with object_store("bills") as store:
        for key in ("x/b/2.csv", "x/a/1.csv", "y/3.csv"):
            store.client.put_object(Bucket="bills", Key=key, Body=key.encode() * 3)
        store.client.put_object(Bucket="bills", Key="x/large.bin", Body=bytes(range(256)) * 50_000)
        yield store.options


def read(location: str, options: dict[str, str], path: str) -> bytes:
    with body(location, options, path).open() as stream:
        return stream.read()


def test_a_folder_lists_its_files_by_path_in_order_with_their_sizes(tmp_path: Path) -> None:
    odd = tmp_path / "BILLING_PERIOD=2026-09" / "a b%20#é.csv"
    odd.parent.mkdir()
    odd.write_bytes(b"hello")
    (tmp_path / "z.csv").write_bytes(b"")
    (tmp_path / "A.csv").write_bytes(b"1")
    found = list_objects(str(tmp_path), {})
    assert [(o.path, o.size) for o in found] == [
        ("A.csv", 1),
        ("BILLING_PERIOD=2026-09/a b%20#é.csv", 5),
        ("z.csv", 0),
    ]
    assert read(str(tmp_path), {}, found[1].path) == b"hello"
    assert read(f"file://{tmp_path}", {}, "A.csv") == b"1"


def test_a_body_opens_more_than_once_each_time_from_the_beginning(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    twice = body(str(tmp_path), {}, "f")
    for _ in range(2):
        with twice.open() as stream:
            assert stream.read(2) == b"ab"


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "/etc/passwd", "", "a\\..\\b", "a\0b"])
def test_a_path_that_leads_out_of_the_location_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(SourceError, match="no path below the location"):
        body(str(tmp_path), {}, path)


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_bytes(b"secret")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.csv").symlink_to(outside)
    (folder / "real.csv").write_bytes(b"own")
    (folder / "inner.csv").symlink_to(folder / "real.csv")
    assert read(str(folder), {}, "inner.csv") == b"own"
    with pytest.raises(SourceError, match="leads out of the folder"):
        read(str(folder), {}, "link.csv")


def test_a_missing_folder_is_named_as_it_is_configured(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no folder .*/nowhere \(configured: .*/nowhere"):
        list_objects(str(tmp_path / "nowhere"), {})
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SourceError, match="is a file"):
        list_objects(str(tmp_path / "file"), {})


def test_an_unknown_scheme_is_refused_with_the_ones_that_are_known() -> None:
    with pytest.raises(SourceError, match=r"ftp:// is not one of .*s3://"):
        list_objects("ftp://host/x", {})


def test_an_object_replaced_since_the_listing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    (listed,) = list_objects(str(tmp_path), {})
    (tmp_path / "f").write_bytes(b"newer")
    with pytest.raises(SourceError, match="replaced while it was being read"):
        body(str(tmp_path), {}, "f", listed.etag).open()


def test_s3_lists_below_its_prefix_and_streams(s3: dict[str, str]) -> None:
    found = list_objects("s3://bills/x", s3)
    assert [(o.path, o.size) for o in found] == [("a/1.csv", 27), ("b/2.csv", 27), ("large.bin", 12_800_000)]
    assert all(isinstance(o, StoredObject) and o.etag for o in found)
    assert read("s3://bills/x", s3, "a/1.csv") == b"x/a/1.csv" * 3
    with body("s3://bills/x", s3, "large.bin", found[2].etag).open() as stream:
        total = 0
        while piece := stream.read(1_000_003):
            assert piece == (bytes(range(256)) * 50_000)[total : total + len(piece)]
            total += len(piece)
    assert total == 12_800_000


@pytest.mark.parametrize("place", ["folder", "s3"])
def test_any_place_of_an_object_is_read_as_if_it_were_in_memory(place: str, s3: dict[str, str], tmp_path: Path) -> None:
    content = bytes(range(256)) * 50_000
    (tmp_path / "large.bin").write_bytes(content)
    location, options = ("s3://bills/x", s3) if place == "s3" else (str(tmp_path), {})
    said = io.BytesIO(content)
    with body(location, options, "large.bin").open() as stream:
        for offset, whence, count in (
            *((0, 0, 10), (-8, 2, 8), (-8, 2, 100), (5_000_001, 0, 70), (0, 1, 4_500_000), (-20, 1, 9)),
            *((12_800_000, 0, 1), (99_000_000, 0, 1), (3, 0, 12_799_999), (0, 0, -1)),
        ):
            assert stream.seek(offset, whence) == said.seek(offset, whence)
            assert stream.read(count) == said.read(count)
            assert stream.tell() == said.tell()
        with pytest.raises(ValueError, match="before the beginning"):
            stream.seek(-1)


def test_a_file_replaced_or_cut_while_it_is_read_from_place_to_place_is_refused(tmp_path: Path) -> None:
    for later in (b"n" * 20_000_000, b"o" * 10_000_000):
        (tmp_path / "f").write_bytes(b"o" * 20_000_000)
        with body(str(tmp_path), {}, "f").open() as stream:
            stream.seek(-8, os.SEEK_END)
            assert stream.read() == b"o" * 8
            (tmp_path / "f").write_bytes(later)
            stream.seek(5_000_000)
            with pytest.raises(SourceError, match="replaced while it was being read"):
                stream.read(8)


def test_a_missing_bucket_or_object_says_where_and_holds_no_secret(s3: dict[str, str]) -> None:
    for act in (lambda: list_objects("s3://nobody/x", s3), lambda: read("s3://bills/x", s3, "nope.csv")):
        with pytest.raises(SourceError) as caught:
            act()
        assert "s3://" in str(caught.value)
        assert SECRET not in str(caught.value)
        assert "AKIA" not in str(caught.value)


def test_credentials_come_from_the_options_and_never_silently_from_the_environment(
    s3: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFROMENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from-environment")
    bare = {k: v for k, v in s3.items() if "key" not in k}
    with pytest.raises(AuthenticationError, match=r"aws_access_key_id.*credentials: ambient"):
        list_objects("s3://bills/x", bare)
    assert len(list_objects("s3://bills/x", {**bare, "credentials": "ambient"})) == 3
    for location in ("gs://bucket/x", "az://container/x"):
        with pytest.raises(AuthenticationError, match="no credentials"):
            list_objects(location, {})


@pytest.mark.parametrize("address", ["not a url " + SECRET, SECRET, "http://", "file:///" + SECRET])
def test_an_endpoint_that_is_no_address_is_refused_without_being_repeated(s3: dict[str, str], address: str) -> None:
    with pytest.raises(SourceError, match="aws_endpoint_url is no address") as caught:
        list_objects("s3://bills/x", {**s3, "aws_endpoint_url": address})
    assert SECRET not in str(caught.value)


def open_bucket(server: FaultyServer) -> dict[str, str]:
    return {"aws_endpoint_url": server.url, "aws_region": "r", "aws_skip_signature": "true", "aws_allow_http": "true"}


def test_a_folder_below_the_location_is_listed_alone(tmp_path: Path, server: FaultyServer) -> None:
    for path in ("2026-10-01/a", "2026-10-01/b/c", "2026-10-011/d", "e"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"1")
    serve_bucket(
        server, "bills", {"x/2026-10-01/a": b"1", "x/2026-10-01/b/c": b"1", "x/2026-10-011/d": b"1", "x/e": b"1"}
    )
    for location, options in ((str(tmp_path), {}), ("s3://bills/x", open_bucket(server))):
        listed = [found.path for found in list_objects(location, options, "2026-10-01")]
        assert listed == ["2026-10-01/a", "2026-10-01/b/c"]
        assert list_objects(location, options, "2026-12-24") == []


def test_a_web_page_is_not_an_empty_listing(server: FaultyServer) -> None:
    serve_bucket(server, "bills", {"y/3.csv": b"1"})
    assert list_objects("s3://bills/x", open_bucket(server)) == []
    server.inject_always(HTML_PAGE)
    with pytest.raises(SourceError, match=r"s3://bills/x: what answers there is no object store"):
        list_objects("s3://bills/x", open_bucket(server))


def test_a_file_that_shrinks_while_it_is_read_is_no_whole_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 20_000_000)
    with body(str(tmp_path), {}, "f").open() as stream:
        assert len(stream.read(1000)) == 1000
        os.truncate(tmp_path / "f", 9_000_000)
        with pytest.raises(SourceError):
            stream.read()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_listing_is_a_matter_of_credentials(server: FaultyServer, status: int) -> None:
    server.inject_always(Answer(b"<Error><Code>AccessDenied</Code></Error>", status))
    with pytest.raises(AuthenticationError, match="access was refused"):
        list_objects("s3://bills/x", open_bucket(server))
    assert len(server.requests) == 1


def test_the_repr_of_a_body_holds_no_secret(tmp_path: Path) -> None:
    assert SECRET not in repr(body(str(tmp_path), {"aws_secret_access_key": SECRET}, "f"))


def test_the_environment_of_these_tests_is_left_as_it_was() -> None:
    assert os.environ.get("AWS_ACCESS_KEY_ID") != "AKIAFROMENVIRONMENT"
