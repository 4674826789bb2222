"""`farthing.yml`: every mistake is reported with file, line, what was expected and the nearest valid name."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.config import ConfigError, load

GOOD = """\
company: Acme
lake: lake
sources:
  - name: bill
    kind: focus
    location: exports/bill
  - name: gateway
    kind: litellm
    location: exports/litellm
    hash_key: env:HASH_KEY
teams:
  - {id: search, name: Search, recipients: [a@example.com]}
  - {id: support, name: Support}
owners:
  - {id: search-key, gateway_key: sk-search, team: search, from: 2026-01-01}
  - {id: serving, namespace: serving, pool: llm}
pools:
  - {id: llm, model: llama, token_weights: {input_uncached: 1, output_text: 4.25}}
models:
  - {provider: hosted_vllm, model: llama-8b, id: llama, self_hosted: true}
"""
ENVIRONMENT = {"HASH_KEY": "a-very-secret-value"}


def written(folder: Path, text: str) -> Path:
    file = folder / "farthing.yml"
    file.write_text(text, encoding="utf-8")
    return file


def complaint(folder: Path, text: str, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text), ENVIRONMENT if environment is None else environment)
    return str(caught.value)


def line_of(text: str, needle: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if needle in line)


def test_a_good_file_is_typed_and_its_paths_start_at_the_file(tmp_path: Path) -> None:
    config, _ = load(written(tmp_path, GOOD), ENVIRONMENT)
    assert config.lake == str(tmp_path / "lake")
    assert config.owners[0].valid_from == date(2026, 1, 1)
    assert config.pools[0].token_weights["output_text"] == Decimal("4.25")
    assert [source.kind for source in config.sources] == ["focus", "litellm"]


CASES = [
    # a mistake, where it stands, and what the message must say
    ("company: Acme", "compny: Acme", "compny: Acme", ["compny", "company"]),
    ("kind: focus", "kind: focuss", "kind: focuss", ["focuss", "focus"]),
    ("team: search,", "team: serch,", "team: serch,", ["serch", "search"]),
    ("pool: llm}", "pool: lml}", "pool: lml}", ["lml", "llm"]),
    ("from: 2026-01-01", "from: 2026-13-01", "from: 2026-13-01", ["from", "2026-13-01"]),
    ("location: exports/bill", "locaton: exports/bill", "locaton: exports/bill", ["locaton", "location"]),
    ("output_text: 4.25", "output_txt: 4.25", "output_txt: 4.25", ["output_txt", "output_text"]),
    ("recipients: [a@example.com]", "recipients: [nobody]", "recipients: [nobody]", ["recipients", "nobody"]),
    ("id: support, name: Support", "id: ../../etc, name: Support", "../../etc", ["../../etc"]),
    ("namespace: serving, pool: llm}", "pool: llm}", "{id: serving, pool: llm}", ["exactly one"]),
    ("  - {id: support, name: Support}", "  - {id: search, name: Support}", "name: Support}", ["search"]),
]


@pytest.mark.parametrize(("good", "bad", "place", "words"), CASES, ids=[case[1].strip()[:30] for case in CASES])
def test_a_mistake_is_named_with_its_line_and_the_nearest_name(
    tmp_path: Path, good: str, bad: str, place: str, words: list[str]
) -> None:
    assert good in GOOD
    text = GOOD.replace(good, bad, 1)
    message = complaint(tmp_path, text)
    assert f"farthing.yml:{line_of(text, place)}" in message
    for word in words:
        assert word in message


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("kind: focus", "kind: focuss").replace("team: search,", "team: serch,")
    message = complaint(tmp_path, text)
    assert "focuss" in message
    text = GOOD.replace("team: search,", "team: serch,").replace("pool: llm}", "pool: lml}")
    message = complaint(tmp_path, text)
    assert "serch" in message
    assert "lml" in message


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("\n  - from: EUR\n    to: USD\n    month: 2026-10\n    rate: 1,10\n    source: ECB\n", "found '1,10'. "),
        (" [{from: EUR, to: USD, month: 2026-10, rate: 1,10, source: ECB}]\n", "found '10'. "),
    ],
)
def test_a_decimal_comma_is_told_with_what_to_write(entry: str, told: str, tmp_path: Path) -> None:
    text = f"{GOOD}exchange_rates:{entry}"
    found = complaint(tmp_path, text)
    assert f"farthing.yml:{line_of(text, '1,10')}:" in found
    assert f"{told}Decimals have a point and no separator of thousands: write 1.10, say." in found


def test_a_missing_secret_names_the_variable_and_the_line(tmp_path: Path) -> None:
    message = complaint(tmp_path, GOOD, {})
    assert "HASH_KEY" in message
    assert f"farthing.yml:{line_of(GOOD, 'hash_key')}" in message


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    message = complaint(tmp_path, GOOD.replace("env:HASH_KEY", "hunter2hunter2"))
    assert "hash_key" in message
    assert "env:NAME" in message
    assert "hunter2" not in message


def test_a_secret_never_shows_in_the_configuration_or_its_hash(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    config, digest = load(file, ENVIRONMENT)
    other, other_digest = load(file, {"HASH_KEY": "another-very-secret-value"})
    assert "a-very-secret-value" not in repr(config)
    assert "another-very" not in repr(other)
    assert digest == other_digest


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    text = GOOD + "company: Twice\n"
    message = complaint(tmp_path, text)
    assert f"farthing.yml:{line_of(text, 'Twice')}" in message
    assert "twice" in message


@pytest.mark.parametrize("text", ["company: [", "- a\n- b\n", "", "\x00"])
def test_a_file_that_is_not_a_configuration_is_named(tmp_path: Path, text: str) -> None:
    assert "farthing.yml:1" in complaint(tmp_path, text)


def test_an_absent_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="farthing init"):
        load(tmp_path / "nowhere.yml", {})


def test_the_starter_file_is_valid(tmp_path: Path) -> None:
    from pipelines.cli.init import STARTER

    config, _ = load(written(tmp_path, STARTER.read_text(encoding="utf-8")), {"FARTHING_HASH_KEY": "k" * 32})
    assert [source.kind for source in config.sources] == ["focus", "litellm", "dcgm"]


def test_what_is_expected_is_told_once(tmp_path: Path) -> None:
    message = complaint(tmp_path, GOOD.replace("exports/bill", "exports/bill\n    manifests: each"))
    assert "found 'each', expected 'all' or 'last'." in message
    assert "Expected one of" not in message


def test_a_question_ends_in_its_own_sign(tmp_path: Path) -> None:
    mapped = """\
  - name: other
    kind: mapped_bill
    location: x
    period: day
    columns: {billed_cost: Amount, charge_period_start: Day, charge_categry: Kind}
teams:"""
    message = complaint(tmp_path, GOOD.replace("teams:", mapped, 1))
    assert message.endswith("did you mean 'charge_category'?")


def test_the_field_that_begins_with_a_name_is_meant_before_one_that_looks_like_it(tmp_path: Path) -> None:
    log = """\
  - name: other
    kind: mapped_log
    location: x
    hash_key: env:HASH_KEY
    fields: {start: at, status: s}
teams:"""
    assert "did you mean 'started_at'?" in complaint(tmp_path, GOOD.replace("teams:", log, 1))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("reports: reports", "reports: is a section. Write its settings on lines of their own below it, further in: "),
        ("owners: search", "owners: is a list. Write its entries on lines of their own, each after '- '."),
    ],
)
def test_a_section_that_is_written_as_one_value_says_how_to_write_it(tmp_path: Path, written: str, told: str) -> None:
    file = tmp_path / "farthing.yml"
    file.write_text(f"company: Small\n{written}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(file)
    assert told in str(refused.value)
