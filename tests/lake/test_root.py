"""The lake's place: reached by the options that sources use, and silent about their values."""

from datetime import date

import pytest

from connectors.base import LandedPage, StoredSourceSettings
from connectors.litellm.settings import LiteLlmSettings
from pipelines.lake import Lake, LakeError
from pipelines.lake.deliveries import delivery_id
from pipelines.lake.root import open_root
from tests.lake.fakes import Clock, FakeSource, Place, day_window
from tests.lake.test_tables import FIRST, PRINT, teams


def test_a_lake_takes_the_credentials_of_the_machine_where_its_options_say_so(
    s3_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_place.options["aws_access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_place.options["aws_secret_access_key"])
    bare = {name: value for name, value in s3_place.options.items() if "key" not in name}
    with pytest.raises(LakeError, match=r"credentials: ambient.*'storage'"):
        Lake.open(s3_place.location, bare, Clock())
    lake = Lake.open(s3_place.location, {**bare, "credentials": "ambient"}, Clock())
    lake.replace_slice("teams", FIRST, "x", teams("a"), PRINT)
    assert s3_place.open().read("teams")["team_id"].to_pylist() == ["a"]


def test_neither_the_root_nor_what_lies_on_it_shows_the_stores_options(s3_place: Place) -> None:
    root = open_root(s3_place.location, s3_place.options)
    assert s3_place.options["aws_secret_access_key"] not in repr(root)
    assert s3_place.location in repr(root)


def test_a_new_key_of_the_bucket_delivers_nothing_new(lake: Lake) -> None:
    source, window = FakeSource([("bill.json", [{"cost": "1"}])]), day_window(date(2026, 10, 1))
    states = []
    for key in ("old-key", "new-key"):
        storage = {"aws_secret_access_key": key}
        settings = StoredSourceSettings.model_validate({"name": "bill", "kind": "fake", "storage": storage})
        states.append(lake.ingest(source, settings, window, "run").status)
    assert states == ["committed", "unchanged"]


def test_settings_that_change_rows_change_a_delivery_and_secrets_do_not() -> None:
    def identity(**over: str) -> str:
        given = {"name": "log", "kind": "litellm", "location": "x", "hash_key": "k" * 16, **over}
        return delivery_id(LiteLlmSettings.model_validate(given), "gateway_requests", list[LandedPage]())

    assert identity() == identity(hash_key="another-key-of-hashes")
    assert identity() != identity(feature_key="product")
