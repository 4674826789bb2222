"""Spot prices: every change of a day once, with the price that was in force when it began."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.aws.api_settings import AwsSpotSettings
from connectors.aws.spot import AwsSpotPrices
from connectors.base import AuthenticationError, IncompleteDeliveryError, Page, RefusedRequestError, SourceError, Window
from connectors.windows import day_window
from tests.connectors.aws.exchange import KEYS, SECRETS, ec2_error, serve_ec2
from tests.connectors.conformance import ConnectorConformance, land
from tests.connectors.faulty_server import Answer, FaultyServer

EXAMPLE = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_providers/aws/ec2_spot_price_history.json"
DAY = day_window(date(2026, 9, 3))
QUERY = {
    "EndTime": "2026-09-03T23:59:59Z",
    "InstanceTypes": ["g6.12xlarge"],
    "MaxResults": 1000,
    "ProductDescriptions": ["Linux/UNIX"],
    "StartTime": "2026-09-03T00:00:00Z",
}


def change(price: str, at: str, zone: str = "us-east-1b", **more: Any) -> dict[str, Any]:
    return {
        "AvailabilityZone": zone,
        "AvailabilityZoneId": "use1-az4",
        "InstanceType": "g6.12xlarge",
        "ProductDescription": "Linux/UNIX",
        "SpotPrice": price,
        "Timestamp": at,
        **more,
    }


PAGES = [
    [change("1.795300", "2026-09-03T14:32:06Z"), change("1.801200", "2026-09-02T22:01:44Z")],
    [change("0.000001", "2026-09-03T23:59:59Z", "us-east-1-bos-1a")],
]


def page(number: int, records: list[Any], token: str = "", region: str = "us-east-1") -> bytes:
    """A page as it is landed, written down by hand."""
    return json.dumps(
        {
            "answer": {"NextToken": token, "SpotPriceHistory": records},
            "api": "ec2.describe_spot_price_history",
            "page": number,
            "query": QUERY,
            "region": region,
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()


def settings(**over: Any) -> AwsSpotSettings:
    given = {"name": "spot", "instance_types": ["g6.12xlarge"], "regions": ["us-east-1"], **KEYS, **over}
    return AwsSpotSettings.model_validate(given)


@pytest.mark.usefixtures("naps")
class TestAwsSpotPrices(ConnectorConformance):
    source = AwsSpotPrices()
    secrets = SECRETS
    inapplicable: ClassVar[Mapping[str, str]] = {
        "rate_limit": "EC2 says by a code of its own that it is asked too often: see the test of that",
    }

    def settings(self, **over: Any) -> AwsSpotSettings:
        return settings(**over)

    def window(self) -> Window:
        return DAY

    def pages(self) -> list[bytes]:
        return [page(1, PAGES[0], "page-1"), page(2, PAGES[1])]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(one.count(b'"InstanceType":') for one in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'{"AvailabilityZone":', b'{"x_from_the_future":"7","AvailabilityZone":')

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"1.795300"', b'"about 2"')

    def truncate(self, page: bytes) -> bytes:
        return page[:-20]

    def empty_pages(self) -> list[bytes]:
        return [page(1, [])]

    def served(self, server: FaultyServer) -> AwsSpotSettings:
        serve_ec2(server, {"DescribeSpotPriceHistory": PAGES})
        return settings(endpoint_url=server.url)

    def served_loop(self, server: FaultyServer) -> AwsSpotSettings:
        answer = (
            b"<DescribeSpotPriceHistoryResponse><spotPriceHistorySet/><nextToken>again</nextToken>"
            b"</DescribeSpotPriceHistoryResponse>"
        )
        server.route("/", Answer(answer, 200, {"Content-Type": "text/xml"}))
        return settings(endpoint_url=server.url)


def parsed(*pages: bytes, **over: Any) -> Any:
    chunks = list(AwsSpotPrices().parse(settings(**over), DAY, land(list(pages))))
    assert len(chunks) == 1
    return chunks[0]


def fetched(**over: Any) -> list[bytes]:
    bodies = list[bytes]()
    for one in AwsSpotPrices().fetch(settings(**over), DAY):
        with one.body.open() as stream:
            bodies.append(stream.read())
    return bodies


def test_a_change_keeps_its_own_instant_and_the_digits_of_its_price() -> None:
    rows = parsed(page(1, PAGES[0])).rows.to_pylist()
    assert [(row["changed_at"], row["unit_price"]) for row in rows] == [
        (datetime(2026, 9, 3, 14, 32, 6), Decimal("1.795300000000")),
        (datetime(2026, 9, 2, 22, 1, 44), Decimal("1.801200000000")),  # in force when the day began
    ]
    assert {row["x_slice_date"] for row in rows} == {date(2026, 9, 3)}
    assert {(row["provider_name"], row["region_id"], row["availability_zone_id"]) for row in rows} == {
        ("AWS", "us-east-1", "use1-az4")
    }


def test_a_local_zone_lies_in_its_region() -> None:
    assert parsed(page(1, PAGES[1])).rows["region_id"].to_pylist() == ["us-east-1"]


def test_a_change_that_is_told_twice_is_one() -> None:
    twice = [change("1", "2026-09-03T01:00:00Z"), change("1", "2026-09-03T01:00:00Z")]
    result = parsed(page(1, twice, "page-1"), page(2, twice[:1]))
    assert (result.rows.num_rows, result.duplicate_count, result.rejects) == (1, 2, ())


def test_a_change_after_the_day_is_refused_and_not_taken_for_the_days() -> None:
    result = parsed(page(1, [change("1", "2026-09-04T00:00:00Z")]))
    assert (result.rows.num_rows, [reject.reason for reject in result.rejects]) == (0, ["outside_window"])


@pytest.mark.parametrize("price", ["-0.1", "", "NaN", "1,5", None])
def test_a_price_that_is_none_is_refused(price: str | None) -> None:
    result = parsed(page(1, [change("1", "2026-09-03T01:00:00Z") | {"SpotPrice": price}]))
    assert (result.rows.num_rows, len(result.rejects)) == (0, 1)


def test_a_missing_last_page_is_an_incomplete_delivery() -> None:
    with pytest.raises(IncompleteDeliveryError, match="another follows"):
        parsed(page(1, PAGES[0], "page-1"))
    with pytest.raises(IncompleteDeliveryError, match="2 were given"):
        parsed(page(2, PAGES[1]))


def test_a_region_without_prices_is_told_when_others_have_some() -> None:
    result = parsed(page(1, PAGES[0]), page(1, [], region="eu-west-1"), regions=["us-east-1", "eu-west-1"])
    assert result.notices == ("eu-west-1 has no spot price of g6.12xlarge",)


def test_the_documented_example_is_read(server: FaultyServer) -> None:
    if not EXAMPLE.exists():
        pytest.skip("the example payloads are not here")
    records = json.loads(EXAMPLE.read_bytes())["SpotPriceHistory"]
    serve_ec2(server, {"DescribeSpotPriceHistory": [records]})
    prices = parsed(*fetched(endpoint_url=server.url)).rows["unit_price"].to_pylist()
    assert prices == [Decimal("1.7953"), Decimal("1.8012"), Decimal("1.76")]


def test_the_day_is_asked_region_by_region_with_types_and_products(server: FaultyServer) -> None:
    asked = serve_ec2(server, {"DescribeSpotPriceHistory": PAGES})
    fetched(
        endpoint_url=server.url, regions=["us-east-1", "eu-west-1"], product_descriptions=["Linux/UNIX", "SUSE Linux"]
    )
    assert len(asked) == 4
    assert {name: asked[0][name] for name in ("StartTime", "EndTime", "InstanceType.1", "ProductDescription.2")} == {
        "StartTime": "2026-09-03T00:00:00Z",
        "EndTime": "2026-09-03T23:59:59Z",
        "InstanceType.1": "g6.12xlarge",
        "ProductDescription.2": "SUSE Linux",
    }
    assert [one.get("NextToken") for one in asked] == [None, "page-1", None, "page-1"]


def test_no_price_at_all_is_unknown_and_not_nothing(server: FaultyServer) -> None:
    serve_ec2(server, {"DescribeSpotPriceHistory": [[]]})
    with pytest.raises(SourceError, match="keeps 90 days"):
        fetched(endpoint_url=server.url)


def test_one_region_without_prices_does_not_hold_up_the_others(server: FaultyServer) -> None:
    serve_ec2(server, {"DescribeSpotPriceHistory": [PAGES[1]]})
    assert len(fetched(endpoint_url=server.url, regions=["us-east-1", "eu-west-1"])) == 2


def test_asked_too_often_is_waited_out(server: FaultyServer, naps: list[float]) -> None:
    serve_ec2(server, {"DescribeSpotPriceHistory": PAGES})
    server.inject(*[ec2_error("RequestLimitExceeded", "Request limit exceeded.", 503)] * 3)
    assert len(fetched(endpoint_url=server.url)) == 2
    assert len(naps) == 3


@pytest.mark.usefixtures("naps")
def test_asked_too_often_for_good_is_said(server: FaultyServer) -> None:
    server.inject_always(ec2_error("RequestLimitExceeded", "Request limit exceeded.", 503))
    with pytest.raises(SourceError, match=r"asked too often \(RequestLimitExceeded\)"):
        fetched(endpoint_url=server.url)
    assert len(server.requests) == 5


def test_a_delivery_that_takes_longer_than_a_delivery_may_is_left(server: FaultyServer) -> None:
    asked = serve_ec2(server, {"DescribeSpotPriceHistory": [PAGES[1]] * 40})
    hours = iter(range(0, 36000, 1800))  # each look at the clock is half an hour later, and two hours are allowed
    source, landed = AwsSpotPrices(lambda: float(next(hours))), list[Page]()
    with pytest.raises(SourceError, match=r"ec2 in us-east-1, before another .* longer than 120 minutes"):
        landed.extend(source.fetch(settings(endpoint_url=server.url), DAY))
    assert (len(landed), len(asked)) == (4, 4)


def test_the_deadline_is_of_all_regions_together(server: FaultyServer) -> None:
    asked = serve_ec2(server, {"DescribeSpotPriceHistory": [PAGES[1]]})
    hours = iter(range(0, 36000, 1800))
    source = AwsSpotPrices(lambda: float(next(hours)))
    regions = [f"us-east-{number}" for number in range(1, 9)]
    with pytest.raises(SourceError, match=r"ec2 in us-east-5.* longer than 120 minutes"):
        list(source.fetch(settings(endpoint_url=server.url, regions=regions), DAY))
    assert len(asked) == 4


def test_a_missing_permission_is_named_and_what_was_signed_is_not_repeated(server: FaultyServer) -> None:
    server.inject_always(ec2_error("UnauthorizedOperation", "You are not authorized: AKIAEXAMPLE", 403))
    with pytest.raises(AuthenticationError, match="ec2:DescribeSpotPriceHistory") as failure:
        fetched(endpoint_url=server.url)
    assert "AKIAEXAMPLE" not in str(failure.value)
    assert len(server.requests) == 1


def test_a_refused_request_says_why(server: FaultyServer) -> None:
    server.inject_always(ec2_error("InvalidParameterValue", "Invalid instance type: g6.13xlarge", 400))
    with pytest.raises(RefusedRequestError, match=r"InvalidParameterValue\): Invalid instance type: g6.13xlarge"):
        fetched(endpoint_url=server.url)


def test_the_history_of_motos_server_is_read(moto_url: str) -> None:
    rows = parsed(*fetched(endpoint_url=moto_url)).rows.to_pylist()
    assert {(row["region_id"], row["instance_type"]) for row in rows} == {("us-east-1", "g6.12xlarge")}
    assert {row["unit_price"] for row in rows} == {Decimal("0.00001")}
    assert len({row["availability_zone"] for row in rows}) == len(rows) > 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_key_id": None},
        {"credentials": "ambient"},
        {"regions": ["US East"]},
        {"regions": []},
        {"instance_types": []},
        {"endpoint_url": "https://user:pw@host"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        settings(**wrong)


def test_the_machines_own_role_needs_no_key() -> None:
    assert settings(access_key_id=None, secret_access_key=None, credentials="ambient").credentials == "ambient"


def test_a_profile_of_the_machine_does_not_matter_to_a_source_with_a_key(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[broken", encoding="utf-8")
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    serve_ec2(server, {"DescribeSpotPriceHistory": PAGES})
    assert len(fetched(endpoint_url=server.url)) == 2


def test_a_machine_without_a_role_is_told_what_to_do(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(AuthenticationError, match="give the machine a role"):
        fetched(endpoint_url=server.url, access_key_id=None, secret_access_key=None, credentials="ambient")


@pytest.mark.usefixtures("naps")
def test_an_address_where_nothing_listens_is_said() -> None:
    with pytest.raises(SourceError, match="can this machine reach AWS"):
        fetched(endpoint_url="http://127.0.0.1:9")


def test_secrets_are_not_shown() -> None:
    assert SECRETS[0] not in repr(settings())
