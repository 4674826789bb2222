"""What becomes of days already priced when prices are corrected, and of bills in another currency."""

import json
import random
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from contracts import contract
from models.price_lines import FOREVER
from pipelines.calendar import next_month
from pipelines.cli.commands import WITH_PROBLEMS, check
from pipelines.house import House, Options, open_house
from pipelines.night import price_lists
from pipelines.night.price_lists import learned_prices
from pipelines.night.references import write_references
from pipelines.night.strays import strays, withdraw
from tests.pipelines.conftest import Night, night, published
from tests.pipelines.small_company import DAY, line, write_bill, write_company, write_log

D = Decimal
DAYS = [DAY - timedelta(days=2), DAY - timedelta(days=1), DAY]
MODELS = ["claude-sonnet-4-5", "gpt-4o", "gpt-4o"]
LATER = DAY + timedelta(days=3)
AT = datetime(2026, 11, 3, 5, 30)


def write_logs(folder: Path) -> None:
    """One request a day: 1000 tokens in and 100 out."""
    for day, model in zip(DAYS, MODELS, strict=True):
        write_log(folder, model)
        (written,) = (folder / "log" / DAY.isoformat()).iterdir()
        row = json.loads(written.read_text(encoding="utf-8"))
        back = 86400 * (DAY - day).days
        row |= {"startTime": row["startTime"] - back, "endTime": row["endTime"] - back, "id": f"chatcmpl-{day}"}
        row["custom_llm_provider"] = "anthropic" if model.startswith("claude") else "openai"
        target = folder / "log" / day.isoformat() / written.name
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(row) + "\n", encoding="utf-8")


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with published(folder / "lake") as database:
        return database.execute(sql).fetchall()


UNUSED = "  - {provider: openai, model: gpt-4.1, usd_per_mtok: {output_text: 1}}\n"
CORRECTED = f"  - {{provider: openai, model: gpt-4o, from: {DAY}, usd_per_mtok: {{output_text: 8}}}}\n"
CORRECTION = (
    "select usage_date, provider_id, model_id, service_tier, change_kind, request_count, token_count, cost_before_usd, "
    "cost_after_usd, difference_usd, price_source_before, price_source_after, first_priced_at, known_from "
    "from price_corrections"
)


def by_hand() -> str:
    """The query of `docs/finance.md` that works a day's cost out of tokens and prices."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "finance.md").read_text(encoding="utf-8")
    (query,) = (text for text in re.findall(r"```sql\n(.+?)```", page, re.DOTALL) if "token_prices" in text)
    return query.replace("published.", "")


class Corrected:
    """A company after each of its nights: at list prices, with an unused price, with a correction, without it again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = write_company(folder)
        self.text = self.config.read_text(encoding="utf-8")
        write_logs(folder)
        assert night(self.config, DAYS[0], DAY).result.published
        self.listed = self.costs()
        self.at_first = rows(folder, CORRECTION)
        self.unused = self.after("prices:\n" + UNUSED)
        self.corrected = self.after("prices:\n" + UNUSED + CORRECTED)
        self.costs_corrected = self.costs()
        self.corrections = rows(folder, CORRECTION)
        self.by_hand = rows(folder, by_hand())
        self.taken_back = self.after("prices:\n" + UNUSED)

    def costs(self) -> dict[date, Decimal | None]:
        return dict(rows(self.folder, "select usage_date, priced_cost_usd from usage_daily"))

    def after(self, prices: str) -> dict[str, str]:
        self.config.write_text(self.text + prices, encoding="utf-8")
        ended = night(self.config, DAY, at=LATER)
        assert ended.result.published, ended.problems
        return ended.told.summaries


def test_a_corrected_price_of_days_beyond_a_night_s_reach_is_told_with_what_prices_them_anew(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    text = config.read_text(encoding="utf-8")
    write_log(tmp_path, "gpt-4o")
    assert night(config, DAY).result.published
    config.write_text(text + "prices:\n" + CORRECTED, encoding="utf-8")
    much_later = next_month(DAY) + timedelta(days=100)  # the first night that looks back to none of its month
    told = night(config, much_later).problems
    assert f"new prices of openai/gpt-4o hold on days from {DAY} to {DAY} too" in told
    assert f"a night rebuilds none before {next_month(DAY)}" in told
    assert f"`farthing run {DAY}..{DAY}`" in told
    cost = "select priced_cost_usd from usage_daily where model_id = 'gpt-4o'"
    assert rows(tmp_path, cost) == [(D("0.0035"),)]
    assert "new prices of" not in night(config, much_later + timedelta(days=1)).problems
    assert night(config, DAY).result.published
    assert rows(tmp_path, cost) == [(D("0.0033"),)]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Corrected:
    return Corrected(tmp_path_factory.mktemp("corrected"))


def test_a_price_of_a_model_that_nobody_used_rebuilds_no_day(company: Corrected) -> None:
    # gpt-4o costs 2.50 in and 10 out, a million tokens
    assert [company.listed[day] for day in DAYS[1:]] == [D("0.0035"), D("0.0035")]
    assert company.at_first == []
    assert [company.unused[table] for table in ("usage_daily", "price_corrections")] == ["up to date"] * 2


def test_a_corrected_price_re_prices_only_the_days_it_holds_on(company: Corrected) -> None:
    for table in ("usage_daily", "price_corrections"):
        assert company.corrected[table].startswith("1 slices")
    assert company.costs_corrected == company.listed | {DAY: D("0.0033")}


def test_a_correction_shows_the_exact_difference_and_where_it_comes_from(company: Corrected) -> None:
    changed = (DAY, "openai", "gpt-4o", "default", "repriced", 1, D(1100), D("0.0035"), D("0.0033"), D("-0.0002"))
    assert company.corrections == [(*changed, "genai-prices", "contract", datetime(2026, 11, 1, 5, 30), AT)]


def test_a_day_s_cost_is_worked_out_by_hand_from_the_prices_that_are_published(company: Corrected) -> None:
    """1000 tokens at the list's 2.50 a million, and 100 at the agreed 8: what the day cost after the correction."""
    model = ("openai", "gpt-4o", "default")
    assert company.by_hand == [
        (*model, "input_uncached", D("2.5"), "genai-prices", 1000, D("0.0025")),
        (*model, "output_text", D(8), "contract", 100, D("0.0008")),
    ]
    assert sum(row[-1] for row in company.by_hand) == company.costs_corrected[DAY]


def test_a_correction_taken_back_leaves_no_difference(company: Corrected) -> None:
    assert company.taken_back["usage_daily"].startswith("1 slices")
    assert company.costs() == company.listed
    assert rows(company.folder, CORRECTION) == []


TUNED = "prices:\n  - {provider: openai, model: tuned, usd_per_mtok: {input_uncached: 3, output_text: 12}}\n"
RATE = "exchange_rates:\n  - {from: EUR, to: USD, month: 2026-10, rate: 1.0834, source: ECB}\n"
CONVERTED = (
    "select billing_currency, sum(effective_cost), reporting_currency, sum(reporting_effective_cost), "
    "sum(reporting_billed_cost) from chargeback group by all order by all"
)
WAITING = (
    "select provider_id, model_id, first_day, days_waiting, request_count, input_tokens, output_tokens "
    "from unpriced_usage"
)
KINDS = "select change_kind, cost_before_usd, cost_after_usd, difference_usd from price_corrections"


class Unknowns:
    """A company that uses a model without a price and has a bill in euros; both become known, then the rate changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = write_company(folder)
        text = self.config.read_text(encoding="utf-8").replace("location: other}", "location: other, currency: EUR}")
        write_log(folder, "tuned")
        euros = {"BillingCurrency": "EUR", "BilledCost": "3", "EffectiveCost": "2", "ProviderName": "Other", "Tags": ""}
        write_bill(folder / "other", [line(**euros)])
        self.unknown = self.after(text + RATE.replace("2026-10", "2026-09"), DAY + timedelta(days=1))
        self.seen_unknown = self.seen()
        self.pages_unknown = self.pages()
        self.known = self.after(text + RATE + TUNED, LATER)
        self.seen_known = self.seen()
        changed = RATE.replace("1.0834", "1.09")
        new_team = text.replace("teams:\n", "teams:\n  - {id: late, name: Late}\n", 1)
        self.stopped = self.after(new_team + changed + TUNED, LATER)
        self.checked = check(Console(file=(told := StringIO()), width=1000), self.config, offline=False)
        self.told = told.getvalue()
        self.seen_stopped = self.seen()
        with open_house(self.config, "look", writing=False) as house:
            self.teams_when_stopped = {row["team_id"] for row in house.lake.read("teams").to_pylist()}
        self.restated = self.after(
            text + changed.replace("}", ", restates: 1.0834}") + TUNED, LATER + timedelta(days=1)
        )
        self.seen_restated = self.seen()
        self.pages_restated = self.pages()

    def after(self, text: str, at: date) -> Night:
        self.config.write_text(text, encoding="utf-8")
        return night(self.config, DAY, at=at)

    def pages(self) -> list[str]:
        found = sorted((self.folder / "reports" / "2026-10").glob("*.txt"))
        return [" ".join(page.read_text(encoding="utf-8").split()) for page in found]

    def seen(self) -> dict[str, list[tuple[Any, ...]]]:
        return {
            name: rows(self.folder, sql)
            for name, sql in {"converted": CONVERTED, "waiting": WAITING, "kinds": KINDS}.items()
        }


@pytest.fixture(scope="module")
def unknowns(tmp_path_factory: pytest.TempPathFactory) -> Unknowns:
    return Unknowns(tmp_path_factory.mktemp("unknowns"))


def test_usage_without_a_price_is_queued_until_it_has_one(unknowns: Unknowns) -> None:
    assert unknowns.seen_unknown["waiting"] == [("openai", "tuned", DAY, 1, 1, 1000, 100)]
    assert unknowns.seen_unknown["kinds"] == []
    assert unknowns.seen_known["waiting"] == []
    assert unknowns.seen_known["kinds"] == [("newly_priced", None, D("0.0042"), None)]


def test_without_a_rate_of_its_month_a_cost_is_unknown_in_the_statements_currency_and_told(unknowns: Unknowns) -> None:
    assert unknowns.unknown.result.published, unknowns.unknown.problems
    assert unknowns.seen_unknown["converted"][0] == ("EUR", D(2), "USD", None, None)
    assert "every_currency_has_a_rate is broken" in unknowns.unknown.problems
    assert "no exchange rate for EUR in 2026-10" in unknowns.unknown.told.summaries["chargeback"]


def test_statements_sum_what_has_a_rate_and_tell_the_rest_apart(unknowns: Unknowns) -> None:
    assert len(unknowns.pages_unknown) == len(unknowns.pages_restated) == 2
    for page in unknowns.pages_unknown:
        assert "cost $10.50 Not in it: EUR 2.00, for which October 2026 has no exchange rate." in page
    for page in unknowns.pages_restated:
        assert "Bill: share 100.0 %, cost $12.68" in page  # 10.50 + 2 x 1.09
        assert "Not in it" not in page


def test_a_bill_in_another_currency_is_charged_in_both(unknowns: Unknowns) -> None:
    assert "every_currency_has_a_rate" not in unknowns.known.problems
    assert unknowns.seen_known["converted"] == [
        ("EUR", D(2), "USD", D("2.1668"), D("3.2502")),
        ("USD", D("10.5"), "USD", D("10.5"), D("10.5")),
    ]


def test_a_rate_in_use_changes_by_restatement_alone(unknowns: Unknowns) -> None:
    assert not unknowns.stopped.result.published
    for word in ("EUR to USD for 2026-10", "locked at 1.0834", "says 1.09", "restates: 1.0834"):
        assert word in unknowns.stopped.problems
    assert unknowns.seen_stopped == unknowns.seen_known
    assert unknowns.checked == WITH_PROBLEMS
    for word in ("EUR to USD for 2026-10", "locked at 1.0834", "restates: 1.0834"):
        assert word in unknowns.told
    assert unknowns.restated.result.published, unknowns.restated.problems
    assert unknowns.seen_restated["converted"][0] == ("EUR", D(2), "USD", D("2.18"), D("3.27"))


def test_a_locked_rate_stops_what_depends_on_it_and_not_the_teams(unknowns: Unknowns) -> None:
    with open_house(unknowns.config, "look", writing=False) as house:
        assert "late" in unknowns.teams_when_stopped
        assert "late" not in {row["team_id"] for row in house.lake.read("teams").to_pylist()}


def test_a_night_s_money_is_told_by_currency(unknowns: Unknowns) -> None:
    assert "EUR 2.00, USD 10.50" in unknowns.known.told.summaries["chargeback"]


def test_a_contract_price_of_a_name_that_nothing_has_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    write_log(tmp_path, "gpt-4o")
    own = "prices:\n" + "".join(
        f"  - {{provider: {provider}, model: {model}, usd_per_mtok: {{output_text: 1}}}}\n"
        for provider, model in (("openai", "gpt-4o"), ("openai", "gtp-4o"), ("opnai", "gpt-4o"))
    )
    config.write_text(config.read_text(encoding="utf-8") + own, encoding="utf-8")
    ended = night(config, DAY)
    assert ended.result.published, ended.problems
    assert ended.problems.count("has no effect") == 2
    assert "model 'gtp-4o' of 'openai' is in no price list" in ended.problems
    assert "Did you mean 'gpt-4o'?" in ended.problems
    assert "provider 'opnai' is in no price list" in ended.problems
    assert "Did you mean 'openai'?" in ended.problems


def company_with_list(folder: Path, name: str = "list") -> Path:
    """A company whose configuration names a cloud's price list."""
    config = write_company(folder)
    source = f"sources:\n  - {{name: {name}, kind: azure_prices, offers: [{{service: Foundry Models}}]}}\n"
    config.write_text(config.read_text(encoding="utf-8").replace("sources:\n", source, 1), encoding="utf-8")
    return config


def read_list(config: Path, day: date, usd_per_1k: str | None, source: str = "list") -> set[tuple[Any, ...]]:
    """Puts one reading of a cloud's list into the lake and learns it; the input prices of our model as then known."""
    columns = {column.name: None for column in contract("sku_prices").columns}
    row = columns | {
        "provider_name": "AWS",
        "service_name": "Bedrock",
        "sku_id": "sku-1",
        "region_id": "eu-west-1",
        "purchase_option": "on_demand",
        "quantity_from": D(0),
        "pricing_unit": "1K tokens",
        "unit_price": D(usd_per_1k or 0),
        "currency": "USD" if usd_per_1k else "EUR",
        "x_model_id": "our-model",
        "x_token_class": "input_uncached",
        "x_source": source,
        "x_slice_date": day,
        "x_page": "page",
        "x_row": 1,
    }
    reading = pa.Table.from_pylist([row], schema=contract("sku_prices").arrow_schema())
    with open_house(config, "reading", clock=lambda: datetime.combine(day, time(5, 30))) as house:
        house.lake.replace_slice("sku_prices", day, source, reading, f"reading of {day}")
        counts = write_references(house)
        assert counts["refused_cloud_prices"] == (0 if usd_per_1k else 1)
        return prices_of_our_model(house)


def prices_of_our_model(house: House) -> set[tuple[Any, ...]]:
    return {
        (
            row["region_id"],
            row["known_from"],
            row["valid_from"],
            row["valid_to"],
            row["usd_per_mtok"],
            row["price_source"],
        )
        for row in house.lake.read("prices").to_pylist()
        if (row["model_id"], row["token_class"]) == ("our-model", "input_uncached")
    }


def test_a_cloud_s_list_is_learned_reading_by_reading_and_a_contract_wins_over_it(tmp_path: Path) -> None:
    config = company_with_list(tmp_path)
    first, second, third = (datetime.combine(day, time()) for day in DAYS)
    night_of = timedelta(hours=5, minutes=30)
    one = ("eu-west-1", first + night_of, first, FOREVER, D(4), "cloud-list")
    assert read_list(config, DAYS[0], "0.004") == {one}
    two = {
        ("eu-west-1", second + night_of, first, second, D(4), "cloud-list"),
        ("eu-west-1", second + night_of, second, FOREVER, D(3), "cloud-list"),
    }
    assert read_list(config, DAYS[1], "0.003") == {one, *two}
    own = f"prices:\n  - {{provider: aws, model: our-model, from: {DAYS[1]}, usd_per_mtok: {{input_uncached: 2}}}}\n"
    config.write_text(config.read_text(encoding="utf-8") + own, encoding="utf-8")
    three = {
        ("", third + night_of, second, FOREVER, D(2), "contract"),
        ("eu-west-1", third + night_of, second, FOREVER, D(2), "contract"),
    }
    assert read_list(config, DAYS[2], "0.003") == {one, *two, *three}


def test_a_list_s_prices_go_on_under_the_source_s_new_name_and_end_with_its_last_reading(tmp_path: Path) -> None:
    config = company_with_list(tmp_path)
    first, _, third = (datetime.combine(day, time()) for day in DAYS)
    read_list(config, DAYS[0], "0.004")
    read_list(company_with_list(tmp_path, "renamed"), DAYS[1], "0.004", "renamed")
    known = read_list(company_with_list(tmp_path, "renamed"), DAYS[2], "0.003", "renamed")
    night_of = timedelta(hours=5, minutes=30)
    assert {row[2:5] for row in known if row[1] == third + night_of} == {(first, third, D(4)), (third, FOREVER, D(3))}
    later = third + timedelta(days=5) + night_of
    with open_house(write_company(tmp_path), "without the list", clock=lambda: later) as house:
        write_references(house)
        ended = {row[2:5] for row in prices_of_our_model(house) if row[1] == later}
    assert ended == {(third, third + timedelta(days=1), D(3))}


def test_a_night_after_every_reading_of_a_list_was_withdrawn_knows_its_prices_no_longer(tmp_path: Path) -> None:
    for back, usd in ((3, "0.004"), (2, "0.003")):
        config = company_with_list(tmp_path)
        read_list(config, DAY - timedelta(days=back), usd)
    config = write_company(tmp_path)  # names the list no longer
    with open_house(config, "withdrawing", clock=lambda: datetime.combine(DAY, time(5, 30))) as house:
        assert len(withdraw(house, strays(house))) == 2
    ended = night(config, DAY)
    assert ended.result.published, ended.problems
    with open_house(config, "again", clock=lambda: datetime.combine(LATER, time(5, 30))) as house:
        assert house.lake.read("listed_prices").num_rows == 0
        at = datetime.combine(DAY + timedelta(days=1), time(5, 30))
        assert {row[4] for row in prices_of_our_model(house) if row[1] == at} == {None}
        before = house.lake.slices("prices")
        write_references(house)
        assert house.lake.slices("prices") == before


def read_models(config: Path, day: date, usd_per_1k: dict[str, str | None]) -> pa.Table:
    """Puts a reading of a cloud's list into the lake and learns it: prices of Bedrock's models, and of our own."""
    blank = {column.name: None for column in contract("sku_prices").columns}
    rows = [
        blank
        | {
            "provider_name": "AWS",
            "service_name": "Bedrock",
            "sku_id": f"sku-{number}",
            "purchase_option": "on_demand",
            "quantity_from": D(0),
            "pricing_unit": "1K tokens",
            "unit_price": D(usd),
            "currency": "USD",
            "x_model_id": model,
            "x_token_class": "input_uncached",
            "x_source": "list",
            "x_slice_date": day,
            "x_page": "page",
            "x_row": number,
        }
        for number, (model, usd) in enumerate(usd_per_1k.items(), 1)
        if usd is not None
    ]
    reading = pa.Table.from_pylist(rows, schema=contract("sku_prices").arrow_schema())
    with open_house(config, "reading", clock=lambda: datetime.combine(day, time(5, 30))) as house:
        house.lake.replace_slice("sku_prices", day, "list", reading, f"{day} {usd_per_1k}")
        write_references(house)
        return house.lake.read("prices")


def test_a_night_looks_at_prices_of_which_a_list_says_something_new_and_at_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[set[str] | None] = []
    whole_list = price_lists.price_rows

    def noted(known_from: datetime, models: Any = None) -> Any:
        looked_at.append(None if models is None else {name for _, name in models})
        return whole_list(known_from, models)

    monkeypatch.setattr(price_lists, "price_rows", noted)
    config = company_with_list(tmp_path)
    days = [DAY - timedelta(days=back) for back in (6, 5, 4, 3, 2)]
    say = {"our-model": "0.004", "their-model": "0.002"}
    first = read_models(config, days[0], say)
    assert read_models(config, days[1], say) == first
    read_models(config, days[2], say | {"their-model": "0.003"})
    read_models(config, days[3], say | {"their-model": None})
    read_models(config, days[1], say | {"our-model": "0.005"})  # a reading before says something else now
    assert looked_at == [None, {"their-model"}, {"their-model"}, None]


def test_prices_learned_model_by_model_are_those_of_all_lists_learned_at_once(tmp_path: Path) -> None:
    config = company_with_list(tmp_path)
    own = f"prices:\n  - {{provider: aws, model: model-1, from: {DAY}, usd_per_mtok: {{output_text: 8}}}}\n"
    config.write_text(config.read_text(encoding="utf-8") + own, encoding="utf-8")
    names, chance = [f"model-{n}" for n in range(4)] + ["amazon.nova-pro-v1:0"], random.Random(20261121)
    for back in range(6, 0, -1):
        day = DAY - timedelta(days=back)
        say = {name: chance.choice(("0.001", "0.001", "0.002", None)) for name in names}
        found = read_models(config, day, say)
        options = Options(full_refresh=True)
        with open_house(config, "at once", clock=lambda: datetime(2027, 1, 1), options=options) as house:
            assert learned_prices(house).rows.equals(found)
    assert len({row["known_from"] for row in found.to_pylist()}) > 3


def test_a_cloud_s_price_in_another_currency_is_counted_and_not_taken(tmp_path: Path) -> None:
    assert read_list(write_company(tmp_path), DAY, None) == set()
