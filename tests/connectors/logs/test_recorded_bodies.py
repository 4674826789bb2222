"""The recorded answers of real providers split and price as an independent library split and priced them.

The recordings are not copied into the project; where they are not beside the checkout, these tests are skipped.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors.logs.usage_bodies import NativeUsage, read_body
from connectors.mapped_log import SOURCE
from models.identity import identity_rows
from models.pricing import price_rows
from tests.connectors.stored_log import LogFolder

RECORDINGS = Path(__file__).resolve().parents[3] / "../shared/data/provider_usage_bodies/usages_every_fifth.json"

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_file(), reason="the usage bodies of real providers are not beside this checkout"
)

PRICED_AT = datetime(2026, 6, 1)
"""A day at which the library's prices were those of the recording: later ones carry dates of their own."""

FIGURES: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("input_total_tokens",),
    "output_tokens": ("output_total_tokens",),
    "cache_read_tokens": ("cache_read_tokens",),
    "cache_write_tokens": ("cache_write_5m_tokens", "cache_write_1h_tokens"),
    "cache_write_1h_tokens": ("cache_write_1h_tokens",),
    "input_audio_tokens": ("input_audio_tokens",),
    "output_reasoning_tokens": ("output_reasoning_tokens",),
    "output_audio_tokens": ("output_audio_tokens",),
}
"""The library's words (totals include their parts), and the buckets that together say the same."""

BESIDE = (
    "web_searches",
    "input_tool_tokens",
    "input_image_tokens",
    "input_video_tokens",
    "output_image_tokens",
)

INPUT = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio")
OUTPUT = ("output_text", "output_reasoning", "output_audio")


@cache
def samples() -> list[dict[str, Any]]:
    return json.loads(RECORDINGS.read_text())


def answer(sample: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sample["body"].items() if name != "file"}


def source_of(sample: Mapping[str, Any]) -> tuple[str, str]:
    """Provider and surface that gave the answer, in the library's words: by the recording's name and its model."""
    file, model, names = sample["body"]["file"], str(sample.get("model")), set(sample["body"].get("usage", ()))
    by_hint = (
        ("usageMetadata" in sample["body"], ("google", "default")),
        ("inputTokens" in names, ("aws", "default")),
        ("billed_units" in names, ("cohere", "default")),
        ("claude" in model and "input_tokens" in names, ("anthropic", "default")),
        ("openrouter" in file, ("openrouter", "chat")),
        ("huggingface" in file, ("huggingface_novita", "chat")),
        ("mistral" in model, ("mistral", "default")),
        ("groq" in file, ("groq", "default")),
        ("cerebras" in file, ("cerebras", "chat")),
        ("deepseek" in file, ("deepseek", "chat")),
        ("zai" in file, ("zhipuai", "chat")),
        ("embedding" in model, ("openai", "embeddings")),
        ("prompt_tokens" in names, ("openai", "chat")),
        ("input_tokens" in names, ("openai", "responses")),
    )
    return next(source for is_so, source in by_hint if is_so)


def extraction(sample: Mapping[str, Any], source: tuple[str, str]) -> Mapping[str, int]:
    return next(
        found["usage"]
        for found in sample["extracted"]
        if source in [(user["provider_id"], user["api_flavor"]) for user in found["extractors"]]
    )


def figures(used: NativeUsage) -> dict[str, int]:
    counted = used.buckets._asdict()
    said = {name: sum(counted[column] for column in columns) for name, columns in FIGURES.items()}
    return {name: count for name, count in said.items() if count}


def test_every_recorded_answer_splits_as_the_library_splits_it() -> None:
    agreed = 0
    for sample in samples():
        used, expected = read_body(answer(sample)), extraction(sample, source_of(sample))
        assert figures(used) == {name: expected[name] for name in FIGURES if expected.get(name)}, sample["body"]
        for name in BESIDE:
            assert used.beside.get(name, 0) == expected.get(name, 0), sample["body"]
        agreed += 1
    assert agreed == 316


def test_every_recorded_answer_names_its_model() -> None:
    for sample in samples():
        assert read_body(answer(sample)).model == sample.get("model")


DIFFERENT_BY_DESIGN = {
    "advisor": "Anthropic bills an advisor's iteration at the advisor's own model, beside the totals: it is `further`.",
    "engine cache": "Mistral's `num_cached_tokens` are hits of its engine and no billed class: they are `beside`.",
}
"""What the recordings hold that the library leaves out altogether, and we keep."""


def test_what_the_library_leaves_out_is_kept_beside_and_changes_no_bucket() -> None:
    found = dict.fromkeys(DIFFERENT_BY_DESIGN, 0)
    for sample in samples():
        used = read_body(answer(sample))
        usage = sample["body"].get("usage", {})
        if used.further:
            advisors = [item for item in usage["iterations"] if item["type"] == "advisor_message"]
            assert [part.model for part in used.further] == [item["model"] for item in advisors]
            assert [(part.buckets.input_total_tokens, part.buckets.output_total_tokens) for part in used.further] == [
                (item["input_tokens"], item["output_tokens"]) for item in advisors
            ]
            found["advisor"] += 1
        if used.beside.get("engine_cached_tokens"):
            assert used.beside["engine_cached_tokens"] == usage["num_cached_tokens"]
            assert used.buckets.cache_read_tokens == 0
            found["engine cache"] += 1
    assert found == {"advisor": 2, "engine cache": 7}


def test_the_rows_of_recorded_answers_are_all_that_the_library_reads_and_the_advisors(tmp_path: Path) -> None:
    """What is published, and not what the parser says: every answer is a row, and every advisor's part another."""
    fields = {"request_id": "id", "started_at": "at", "status": "ok", "provider": "by", "usage": "answer"}
    log = LogFolder(tmp_path, SOURCE, {"fields": fields})
    at, said = "2026-11-21T02:00:00Z", enumerate(samples())
    log.file(
        "2026-11-21/a.jsonl",
        [{"id": f"b{n}", "at": at, "ok": "success", "by": "any", "answer": answer(sample)} for n, sample in said],
    )
    rows = {row["request_id"]: row for row in log.rows()}
    for number, sample in enumerate(samples()):
        row, expected = rows.pop(f"b{number}"), extraction(sample, source_of(sample))
        counted = {name: sum(row[column] or 0 for column in columns) for name, columns in FIGURES.items()}
        assert counted == {name: expected.get(name, 0) for name in FIGURES}, sample["body"]
    advisors = {"claude-opus-4-8": (2529, 38), "claude-fable-5": (2564, 99)}
    found = {row["billed_model"]: (row["input_total_tokens"], row["output_total_tokens"]) for row in rows.values()}
    assert (len(rows), found) == (2, advisors)


OTHER_PRICES: Mapping[str, tuple[tuple[str, str, str], str, Decimal | None, Decimal | None]] = {
    "image output": (
        ("google", "default", "gemini-2.5-flash-image"),
        "The book has no class for image output, 30 USD a million: 1,290 image tokens are priced as text, 2.50 USD.",
        Decimal(0),
        Decimal(1290) * (Decimal("2.5") - Decimal(30)) / 1_000_000,
    ),
    "long context": (
        ("google", "anthropic", "claude-sonnet-4-5-20250929"),
        "The list has learned since that Google asks double for input, half more for output, above 200,000 tokens.",
        Decimal(494_549) * 3 / 1_000_000,
        Decimal(1245) * Decimal("7.5") / 1_000_000,
    ),
    "price by the hour": (
        ("deepseek", "chat", "deepseek-v4-flash"),
        "The price depends on the time of day, which a dated book refuses to say: it is unknown, not wrong.",
        None,
        None,
    ),
}
"""Case: (provider, surface, model), why our price differs from the recorded, and by exactly what in USD."""


def test_every_recorded_price_is_the_price_of_our_book_or_differs_as_a_named_case_says() -> None:
    seen, agreed = set[str](), 0
    for sample, used, user in priced():
        ours = cost(user["provider_id"], sample["model"], used)
        theirs = Decimal(user["input_price"]), Decimal(user["output_price"])
        case = named_case(sample, used, user)
        if case is None:
            assert ours == theirs, (user, sample["body"])
            agreed += 1
        else:
            _, _, *difference = OTHER_PRICES[case]
            got = (None, None) if ours is None else (ours[0] - theirs[0], ours[1] - theirs[1])
            assert got == tuple(difference), (case, ours, theirs)
            seen.add(case)
    assert seen == OTHER_PRICES.keys()
    assert agreed == 590


def named_case(sample: Mapping[str, Any], used: NativeUsage, user: Mapping[str, Any]) -> str | None:
    where = (user["provider_id"], user["api_flavor"], sample["model"])
    is_different = {
        "image output": "output_image_tokens" in used.beside,
        "long context": (used.buckets.input_total_tokens or 0) > 200_000,
        "price by the hour": True,
    }
    return next((case for case, is_so in is_different.items() if is_so and OTHER_PRICES[case][0] == where), None)


def priced() -> Iterator[tuple[dict[str, Any], NativeUsage, dict[str, Any]]]:
    """Every price in the recordings, whichever provider's rules the library tried, where its split is also ours."""
    for sample in samples():
        used = read_body(answer(sample))
        for found in sample["extracted"]:
            said = {name: found["usage"][name] for name in FIGURES if found["usage"].get(name)}
            if said == figures(used):
                yield from ((sample, used, user) for user in found["extractors"] if "input_price" in user)


def cost(provider: str, model: str, used: NativeUsage) -> tuple[Decimal, Decimal] | None:
    """Input and output in USD by our book, or None where the book has no price."""
    found = identity_rows([(provider, model)], {}).row(0, named=True)
    prices = {
        token_class: usd_per_mtok
        for token_class, tokens_from, tokens_to, usd_per_mtok in book().get(
            (found["provider_id"], found["model_id"]), ()
        )
        if tokens_from <= (used.buckets.input_total_tokens or 0) < tokens_to
    }
    if not prices:
        return None
    counts = {name: getattr(used.buckets, f"{name}_tokens") for name in INPUT + OUTPUT}
    spent = {name: Decimal(count) * prices[name] / 1_000_000 for name, count in counts.items() if count}
    return sum((spent.get(name, Decimal(0)) for name in INPUT), Decimal(0)), sum(
        (spent.get(name, Decimal(0)) for name in OUTPUT), Decimal(0)
    )


@cache
def book() -> dict[tuple[str, str], list[tuple[str, int, int, Decimal]]]:
    lines: dict[tuple[str, str], list[tuple[str, int, int, Decimal]]] = {}
    frame, _ = price_rows(datetime(2026, 1, 1))
    for line in frame.iter_rows(named=True):
        if line["service_tier"] == "default" and line["valid_from"] <= PRICED_AT < line["valid_to"]:
            band = (line["token_class"], line["input_tokens_from"], line["input_tokens_to"], line["usd_per_mtok"])
            lines.setdefault((line["provider_id"], line["model_id"]), []).append(band)
    return lines
