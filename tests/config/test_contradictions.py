"""What the night would refuse, the check refuses: with the line, before any source is asked."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.config import load
from tests.config.test_load import ENVIRONMENT, GOOD, complaint, line_of, written

OWN = "provider: openai, model: gpt"
ONE = "usd_per_mtok: {input_uncached: 1}"
MAIL = "mail: {from: a@example.com, host: h, port: 25"
INVOICE = "provider: AWS, id: A-1, month: 2026-10, currency: USD, total: 12.5"
RATE = "from: EUR, to: USD, month: 2026-10, source: ECB"
HOST = "resource_id: i-1, hostname: node-1, cluster: c, gpus: 8"
CASES = [
    # what is added to a good file, and what must be said of it
    (
        "models:\n  - {provider: x, model: y, id: a, provider_id: p}\n  - {provider: x, model: y, id: b, provider_id: p}\n",
        "given twice",
    ),
    (
        f"prices:\n  - {{{OWN}, usd_per_mtok: {{input_uncached: 1}}}}\n  - {{{OWN}, from: 2026-01-01, usd_per_mtok: {{input_uncached: 2}}}}\n",
        "two prices of openai gpt default input_uncached",
    ),
    (
        f"prices:\n  - {{{OWN}, region: eu, input_tokens_to: 9, {ONE}}}\n  - {{{OWN}, region: eu, input_tokens_from: 8, {ONE}}}\n",
        "two prices of openai gpt default input_uncached in eu",
    ),
    (f"prices:\n  - {{{OWN}, input_tokens_from: 9, input_tokens_to: 9, {ONE}}}\n", "more than 'input_tokens_from'"),
    (f"prices:\n  - {{{OWN}, usd_per_mtok: {{input_uncached: 0.0000001}}}}\n", "6 decimal places"),
    (f"prices:\n  - {{{OWN}, usd_per_mtok: {{input_uncached: 1.0e+999999999}}}}\n", "18 digits"),
    (f"prices:\n  - {{{OWN}, usd_per_mtok: {{input_uncached: -1}}}}\n", "greater than or equal to 0"),
    (f"{MAIL}, security: none, username: u, password: env:HASH_KEY}}\n", "never sent unencrypted"),
    (f"{MAIL}, username: u}}\n", "go together"),
    (f"{MAIL}, password: env:HASH_KEY}}\n", "go together"),
    ("mail: {from: a..b@example.com, host: h, port: 25}\n", "no plain mail address"),
    ("memory_limit: plenty\n", "memory_limit"),
    ("memory_limit: 4\n", "memory_limit"),
    ("memory_limit: 0GB\n", "memory_limit"),
    (
        f"hosts:\n  - {{{HOST}}}\n  - {{{HOST.replace('i-1', 'i-2')}, from: 2026-01-01}}\n",
        "'node-1 in c' is registered twice",
    ),
    (f"hosts:\n  - {{{HOST}}}\n  - {{{HOST.replace('node-1', 'node-2')}}}\n", "'i-1' is registered twice"),
    ("currency: EUR\n", "nothing is converted"),
    ("outcomes:\n  - {name: a, features: [x]}\n  - {name: a, features: [y]}\n", "'a' is declared twice, first on line"),
    ("outcomes:\n  - {name: a, trace: ticket}\n", "no log lets the key 'ticket' of request metadata through"),
    ("outcomes:\n  - {name: a}\n", "needs 'features'"),
    ("outcomes:\n  - {name: a, features: [x], from: scores}\n", "'score' goes with"),
    ("outcomes:\n  - {name: a, features: [x], from: gateway, successes: [y]}\n", "met by its id alone"),
    ("outcomes:\n  - {name: a, features: [x], successes: [y], reversals: [y]}\n", "It cannot be both"),
    ("outcomes:\n  - {name: a, features: [x, x]}\n", "features: x is given twice; keep one"),
    ("outcomes:\n  - {name: a, features: [x], successes: [y, z, y]}\n", "successes: y is given twice; keep one"),
    ("outcomes:\n  - {name: a, features: [x], failures: [y]}\n", "'failures' goes with 'successes'"),
    ("outcomes:\n  - {name: a, features: [x], successes: [y], failures: [y]}\n", "successes or failures? It cannot"),
    ("outcomes:\n  - {name: a, features: [x], reversals: [y, y]}\n", "reversals: y is given twice; keep one"),
    ("outcomes:\n  - {name: a, features: [x], from: scores, score: s, key: user}\n", "a score tells no user"),
    ("outcomes:\n  - {name: a, features: [x], from: scores, score: s, key: customer}\n", "a score tells no customer"),
    ("outcomes:\n  - {name: a, features: [x], quality: {from: 1, to: 1}}\n", "the two ends of the scale"),
    (
        f"invoices:\n  - {{{INVOICE}}}\n  - {{{INVOICE.replace('12.5', '13')}}}\n",
        "invoice 'A-1' of AWS for 2026-10 is given twice, first on line",
    ),
    (f"invoices:\n  - {{{INVOICE.replace('2026-10', '2026-13')}}}\n", "month"),
    (f"invoices:\n  - {{{INVOICE.replace('12.5', '0.0000000000001')}}}\n", "12 decimal places"),
    ("close: {max_residual_share: 5}\n", "less than or equal to 1"),
    (f"exchange_rates:\n  - {{{RATE}, rate: 1.1}}\n  - {{{RATE}, rate: 1.2}}\n", "EUR for 2026-10 is given twice"),
    (f"exchange_rates:\n  - {{{RATE.replace('USD', 'GBP')}, rate: 1.1}}\n", "converts to GBP"),
    (f"exchange_rates:\n  - {{{RATE.replace('EUR', 'USD')}, rate: 1.1}}\n", "converts USD to itself"),
    (f"exchange_rates:\n  - {{{RATE}, rate: 0}}\n", "greater than 0"),
    (f"exchange_rates:\n  - {{{RATE}, rate: 1.0000000001}}\n", "9 decimal places"),
    (f"exchange_rates:\n  - {{{RATE.replace('2026-10', '2026-13')}, rate: 1.1}}\n", "month"),
]


@pytest.mark.parametrize(("added", "said"), CASES, ids=[said[:30] + str(n) for n, (_, said) in enumerate(CASES)])
def test_what_the_night_would_refuse_is_refused_with_its_line(tmp_path: Path, added: str, said: str) -> None:
    text = GOOD.replace("models:\n  - {provider: hosted_vllm", "models:\n  - {provider: hosted_vllm")
    if added.startswith("models:"):
        text = text.replace("models:\n", added, 1)
    else:
        text += added
    message = complaint(tmp_path, text)
    assert said in message
    first = line_of(text, "name: bill") if said == "nothing is converted" else line_of(text, added.splitlines()[0])
    assert first <= int(message.split(":")[1]) <= first + 2


@pytest.mark.parametrize("kind", ["gateway_key", "gateway_team", "feature", "namespace", "sub_account", "resource"])
@pytest.mark.parametrize("empty", ['""', '" "'])
def test_a_rule_that_matches_nothing_by_name_is_refused(tmp_path: Path, kind: str, empty: str) -> None:
    text = GOOD.replace("namespace: serving", f"{kind}: {empty}")
    assert f"farthing.yml:{line_of(text, empty)}:" in complaint(tmp_path, text)
    tag = GOOD.replace("namespace: serving", f"tag: {{key: {empty}, value: x}}")
    assert "owners[1].tag.key" in complaint(tmp_path, tag)


@pytest.mark.parametrize("kind", ["pod_label", "node_label"])
def test_a_rule_by_a_label_that_no_source_lets_through_is_refused(tmp_path: Path, kind: str) -> None:
    rule = f"{kind}: {{key: squad, value: x}}"
    setting = {"pod_label": "pod_labels", "node_label": "node_labels"}[kind]
    source = {"pod_label": "kubernetes_allocations", "node_label": "kubernetes_nodes"}[kind]
    text = GOOD.replace("namespace: serving", rule)
    message = complaint(tmp_path, text)
    assert f"farthing.yml:{line_of(text, rule)}:" in message
    assert "no source lets the label 'squad' through" in message
    assert f"'{setting}'" in message
    told = f"sources:\n  - {{name: k, kind: {source}, account: c, url: 'http://prometheus:9090', {setting}: [squad]}}\n"
    config, _ = load(written(tmp_path, text.replace("sources:\n", told, 1)), ENVIRONMENT)
    assert [owner.match for owner in config.owners if owner.match_kind == kind] == [("squad", "x")]


def test_what_follows_one_upon_the_other_is_no_contradiction(tmp_path: Path) -> None:
    prices = f"prices:\n  - {{{OWN}, to: 2026-01-01, usd_per_mtok: {{input_uncached: 0.0750000}}}}\n"
    prices += f"  - {{{OWN}, from: 2026-01-01, usd_per_mtok: {{input_uncached: 0.000001}}}}\n"
    prices += f"  - {{{OWN}, tier: batch, usd_per_mtok: {{input_uncached: 123456789012.5}}}}\n"
    hosts = f"hosts:\n  - {{{HOST}, to: 2026-01-01}}\n  - {{{HOST}, from: 2026-01-01}}\n"
    hosts += f"  - {{{HOST.replace('i-1', 'i-2').replace('cluster: c', 'cluster: d')}}}\n"
    config, _ = load(written(tmp_path, GOOD + prices + hosts + "memory_limit: 1.5GiB\n"), ENVIRONMENT)
    assert len(config.prices) == 3
    assert len(config.hosts) == 3


@pytest.mark.parametrize("limit", ["4GB", "512MB", "2GiB", "16 GB"])
def test_a_memory_limit_that_is_taken_is_one_that_the_engine_takes(tmp_path: Path, limit: str) -> None:
    from pipelines.engines.duckdb_engine import DuckDBEngine

    config, _ = load(written(tmp_path, GOOD + f"memory_limit: {limit}\n"), ENVIRONMENT)
    DuckDBEngine(memory_limit=config.memory_limit, temp_directory=str(tmp_path)).close()


@pytest.mark.parametrize(
    "address",
    [
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a@b@example.com",
        "a b@example.com",
        "a(b@example.com",
        "a@example..com",
        "é@example.com",
    ],
)
def test_a_recipient_that_mail_cannot_hold_is_refused_before_the_night(tmp_path: Path, address: str) -> None:
    from reports.address import plain_address

    text = GOOD.replace("recipients: [a@example.com]", f"recipients: ['{address}']")
    try:
        plain_address(address)
    except ValueError:
        assert f"farthing.yml:{line_of(text, 'recipients')}:" in complaint(tmp_path, text)
    else:
        assert load(written(tmp_path, text), ENVIRONMENT)


def test_the_address_of_the_mail_and_of_the_file_are_one_definition() -> None:
    from reports.address import plain_address

    with pytest.raises(ValueError, match=r"a\.\.b@example\.com"):
        plain_address("a..b@example.com")
    assert plain_address("ada.l@example.com").addr_spec == "ada.l@example.com"


def test_bills_in_the_files_own_currency_are_taken(tmp_path: Path) -> None:
    text = GOOD.replace("location: exports/bill", "location: exports/bill\n    currency: EUR") + "currency: EUR\n"
    config, _ = load(written(tmp_path, text), ENVIRONMENT)
    assert config.currency == "EUR"


def test_a_bill_in_another_currency_is_taken_once_a_rate_is_given(tmp_path: Path) -> None:
    text = GOOD.replace("location: exports/bill", "location: exports/bill\n    currency: EUR")
    assert "nothing is converted" in complaint(tmp_path, text)
    rates = f"exchange_rates:\n  - {{{RATE}, rate: 1.083400001, restates: '1.08'}}\n"
    config, _ = load(written(tmp_path, text + rates), ENVIRONMENT)
    (rate,) = config.exchange_rates
    assert (str(rate.rate), str(rate.restates), rate.first_day) == ("1.083400001", "1.08", date(2026, 10, 1))


@pytest.mark.parametrize("account", ["main", "other"])
def test_two_names_for_the_same_bill_are_refused_before_it_is_counted_twice(tmp_path: Path, account: str) -> None:
    both = "".join(
        f"  - {{name: {name}, kind: focus, account: {kept}, location: bills}}\n"
        for name, kept in (("first", "main"), ("second", account))
    )
    message = complaint(tmp_path, GOOD.replace("teams:", f"{both}teams:", 1))
    assert "'second' reads what 'first' reads" in message
    assert "counted twice" in message


def test_sources_of_one_place_that_read_different_things_are_no_contradiction(tmp_path: Path) -> None:
    two = "  - {name: first, kind: focus, location: bills, layout: 'a/{year}-{month:02}/*'}\n  - {name: second, kind: focus, location: bills, layout: 'b/{year}-{month:02}/*'}\n"
    config, _ = load(written(tmp_path, GOOD.replace("teams:", f"{two}teams:", 1)), ENVIRONMENT)
    assert [source.name for source in config.sources][-2:] == ["first", "second"]


def test_prices_of_other_regions_or_context_bands_do_not_contradict_each_other(tmp_path: Path) -> None:
    apart = ("region: eu", "region: us", "input_tokens_to: 9", "input_tokens_from: 9")
    text = GOOD + "prices:\n" + "".join(f"  - {{{OWN}, {where}, {ONE}}}\n" for where in apart)
    config, _ = load(written(tmp_path, text), ENVIRONMENT)
    assert [(p.region, p.input_tokens_from, p.input_tokens_to) for p in config.prices] == [
        ("eu", 0, None),
        ("us", 0, None),
        (None, 0, 9),
        (None, 9, None),
    ]
