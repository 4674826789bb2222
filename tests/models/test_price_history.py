"""What was known of prices and when: rules worked out by hand, and half a year of real changes against plain Python."""

import random
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

import polars as pl
import pytest

from models.frames import schema_of
from models.price_history import as_known, learn
from models.price_lines import ANY_INPUT_TO, FOREVER, PriceLine, price_frame
from tests.models.price_log import LOG, Event, events, lines_of

D = Decimal
MAY, JUNE, JULY = datetime(2026, 5, 1), datetime(2026, 6, 1), datetime(2026, 7, 1)
NOTHING = pl.DataFrame(schema=schema_of("prices"))


def line(price="10", model="m", start=MAY, end=FOREVER, source="genai-prices", token_class="output_text", region=""):
    who = ("p", model, "default", region, token_class)
    return PriceLine(*who, 0, ANY_INPUT_TO, start, end, JULY, D(price), source, "own")


def listed(*lines):
    return price_frame(lines)


def known_lines(prices):
    columns = ("model_id", "valid_from", "valid_to", "known_from", "usd_per_mtok")
    return sorted(prices.select(columns).rows())


def test_a_line_keeps_the_instant_at_which_it_was_first_learned():
    first = learn(NOTHING, listed(line()), MAY)
    second = learn(first, listed(line(), line(model="n")), JUNE)
    assert known_lines(second) == [("m", MAY, FOREVER, MAY, D(10)), ("n", MAY, FOREVER, JUNE, D(10))]


def test_a_list_that_says_the_same_adds_nothing():
    first = learn(NOTHING, listed(line(), line(region="eu")), MAY)
    assert learn(first, listed(line(), line(region="eu")), JUNE).equals(first)


def test_a_changed_line_stands_beside_the_one_before_which_is_as_it_was():
    prices = learn(learn(NOTHING, listed(line("10")), MAY), listed(line("8")), JUNE)
    assert known_lines(prices) == [("m", MAY, FOREVER, MAY, D(10)), ("m", MAY, FOREVER, JUNE, D(8))]
    assert known_lines(as_known(prices, JUNE - timedelta(microseconds=1))) == [("m", MAY, FOREVER, MAY, D(10))]
    assert known_lines(as_known(prices, JUNE)) == [("m", MAY, FOREVER, JUNE, D(8))]
    assert as_known(prices, datetime(2026, 4, 30)).is_empty()


def test_a_price_that_ends_is_a_correction_of_its_end_and_a_new_line():
    ended = listed(line(end=JUNE), line("8", start=JUNE))
    prices = learn(learn(NOTHING, listed(line()), MAY), ended, JULY)
    assert known_lines(as_known(prices, JULY)) == [("m", MAY, JUNE, JULY, D(10)), ("m", JUNE, FOREVER, JULY, D(8))]
    assert known_lines(as_known(prices, JUNE)) == [("m", MAY, FOREVER, MAY, D(10))]


def test_a_withdrawn_line_is_closed_and_may_come_back():
    withdrawn = learn(learn(NOTHING, listed(line(), line(model="n")), MAY), listed(line(model="n")), JUNE)
    assert known_lines(withdrawn)[:2] == [("m", MAY, FOREVER, MAY, D(10)), ("m", MAY, FOREVER, JUNE, None)]
    assert as_known(withdrawn, JUNE)["model_id"].to_list() == ["n"]
    again = learn(withdrawn, listed(line(), line(model="n")), JULY)
    assert again.height == withdrawn.height + 1
    assert known_lines(as_known(again, JULY))[0] == ("m", MAY, FOREVER, JULY, D(10))
    assert as_known(again, JUNE).equals(as_known(withdrawn, JUNE))


def test_another_source_of_the_same_price_is_knowledge_too():
    prices = learn(learn(NOTHING, listed(line()), MAY), listed(line(source="contract")), JUNE)
    assert as_known(prices, JUNE)["price_source"].to_list() == ["contract"]
    assert as_known(prices, MAY)["price_source"].to_list() == ["genai-prices"]


def test_of_two_lists_at_the_same_instant_the_later_counts():
    twice = learn(learn(learn(NOTHING, listed(line()), MAY), listed(line("9")), JUNE), listed(line("8")), JUNE)
    assert known_lines(twice) == [("m", MAY, FOREVER, MAY, D(10)), ("m", MAY, FOREVER, JUNE, D(8))]
    back = learn(twice, listed(line()), JUNE)
    assert back.equals(learn(NOTHING, listed(line()), MAY))


def test_nothing_is_learned_before_what_is_known():
    with pytest.raises(ValueError, match="known from 2026-06-01"):
        learn(learn(NOTHING, listed(line()), JUNE), listed(line()), MAY)


def oracle(history: list[Event], token_class: str, valid_at: datetime, known_at: datetime, reading: str):
    """The price as a reader of the log would say it who stops reading at `known_at`."""
    answer, start, before = None, None, None
    for event in history:
        if event.at > known_at:
            break
        is_correction = reading == "corrected" and before is not None and (event.at - before).total_seconds() < 86400
        start = start if is_correction else event.at
        before = event.at
        if reading == "undated" or start <= valid_at:
            answer = event.prices
    return answer.get(token_class) if answer else None


def replayed(log: list[Event], reading: str) -> pl.DataFrame:
    """The log learned commit by commit, each time as the whole list."""
    histories: dict[tuple[str, str], list[Event]] = defaultdict(list)
    said: dict[tuple[str, str], list[PriceLine]] = {}
    prices = NOTHING
    for at, commit in groupby(log, key=lambda event: event.at):
        for event in commit:
            who = (event.provider, event.model)
            histories[who].append(event)
            said[who] = list(lines_of(histories[who], reading))
        prices = learn(prices, price_frame(entry for lines in said.values() for entry in lines), at)
    return prices


@pytest.mark.skipif(not LOG.exists(), reason="needs the shared data sets beside the checkout (../shared/data)")
@pytest.mark.parametrize("reading", ["undated", "dated", "corrected"])
def test_half_a_year_of_real_changes_gives_each_price_on_any_date_as_known_on_any_other(reading):
    log = events()
    assert len(log) == 2846
    histories: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in log:
        histories[event.provider, event.model].append(event)
    changing = sorted(who for who, history in histories.items() if len(history) > 1)
    removed = sorted(who for who, history in histories.items() if history[-1].prices is None)
    assert len(removed) > 100
    prices = replayed(log, reading)
    chance = random.Random(2846)
    first, span = log[0].at - timedelta(days=3), (log[-1].at - log[0].at).total_seconds() + 6 * 86400
    moments = [event.at for event in log[:: len(log) // 40]]
    answers = {True: 0, False: 0}
    for _ in range(60):
        known_at = chance.choice([*moments, first + timedelta(seconds=int(chance.random() * span))])
        book = as_known(prices, known_at)
        by_line = defaultdict(list)
        for row in book.iter_rows(named=True):
            by_line[row["provider_id"], row["model_id"], row["token_class"]].append(row)
        for who in chance.sample(changing, 60) + chance.sample(removed, 20) + chance.sample(sorted(histories), 20):
            ats = [event.at for event in histories[who]]
            valid_at = chance.choice([*ats, *moments, first + timedelta(seconds=int(chance.random() * span))])
            for token_class in ("input_uncached", "cache_read", "output_text"):
                holding = [
                    row["usd_per_mtok"]
                    for row in by_line[*who, token_class]
                    if row["valid_from"] <= valid_at < row["valid_to"]
                ]
                assert len(holding) <= 1
                expected = oracle(histories[who], token_class, valid_at, known_at, reading)
                assert (holding[0] if holding else None) == expected, (who, token_class, valid_at, known_at)
                answers[expected is not None] += 1
    assert min(answers.values()) > 2000
