"""What counters rose by: exact, cut at intervals, through restarts and gaps. Numbers by hand."""

from datetime import date, datetime

from tests.connectors.serving.written import PROCESS, VLLM, by_start, counter, instant, line, parse, rows, scrape

PROMPT, GENERATED = "vllm:prompt_tokens_total", "vllm:generation_tokens_total"
FIVE = {"interval_seconds": 300}


def test_a_counter_rises_by_the_difference_of_its_samples() -> None:
    page = scrape(*counter(PROMPT, VLLM, [("10:00", 1000), ("10:01", 1600), ("10:05", 1700), ("10:07", 1900)]))
    found = rows(page)
    assert by_start(found, "prompt_tokens") == {"10:00": 700, "10:05": 200}
    assert by_start(found, "covered_seconds") == {"10:00": 300, "10:05": 120}
    assert by_start(found, "sample_count") == {"10:00": 2, "10:05": 2}
    assert by_start(found, "reset_count") == {"10:00": 0, "10:05": 0}


def test_what_is_counted_over_the_end_of_an_interval_is_shared_by_time_and_told() -> None:
    parsed = parse(scrape(*counter(PROMPT, VLLM, [("10:58", 0), ("11:01", 100)])))
    found = parsed.rows.to_pylist()
    assert by_start(found, "prompt_tokens") == {"10:55": 66, "11:00": 34}  # 2 of 3 minutes, whole tokens
    assert [row["x_extra"] for row in found] == ['{"shared_by_time":true}'] * 2
    assert parsed.notices[0].startswith("2 intervals have a part of what was counted between two samples")


def test_samples_at_the_ends_of_intervals_leave_nothing_to_share() -> None:
    found = rows(scrape(*counter(PROMPT, VLLM, [("10:55", 0), ("11:00", 70), ("11:05", 100)])))
    assert by_start(found, "prompt_tokens") == {"10:55": 70, "11:00": 30}
    assert [row["x_extra"] for row in found] == [None, None]


def test_a_counter_that_falls_began_again_at_zero() -> None:
    found = rows(scrape(*counter(PROMPT, VLLM, [("10:00", 900), ("10:01", 1000), ("10:02", 40), ("10:03", 90)])))
    assert by_start(found, "prompt_tokens") == {"10:00": 190}  # 100, then 40 and 50 since the restart
    assert by_start(found, "reset_count") == {"10:00": 1}


TIMES = ("10:00", "10:01", "10:02", "10:03", "10:04", "10:05")


def told(values: list[int], starts: list[int]) -> tuple[int, int]:
    """Tokens and restarts of a counter read at TIMES; without `starts` nobody says when the process began."""
    page = scrape(
        *counter(PROMPT, VLLM, list(zip(TIMES, values, strict=True))),
        *counter("process_start_time_seconds", PROCESS, list(zip(TIMES, starts, strict=False))),
    )
    (row,) = rows(page, interval_seconds=900)
    return row["prompt_tokens"], row["reset_count"]


def test_a_dip_of_a_counter_whose_process_goes_on_is_no_restart() -> None:
    """A billion tokens, one reading 500 too old: the counter rose by 5,000 and not by a billion."""
    dipped = [10**9, 10**9 + 1000, 10**9 + 500, 10**9 + 3000, 10**9 + 4000, 10**9 + 5000]
    assert told(dipped, [1_790_000_000] * 6) == (5000, 0)
    assert told(dipped, []) == (5000, 0)


def test_a_deep_fall_is_a_dip_only_where_the_process_says_that_it_goes_on_and_the_counter_comes_back() -> None:
    back, low = [1000, 1100, 3, 1200, 1300, 1400], [1000, 1100, 3, 203, 303, 403]
    assert told(back, [1_790_000_000] * 6) == (400, 0)
    assert told(back, []) == (100 + 3 + 1197 + 100 + 100, 1)
    assert told(low, [1_790_000_000] * 6) == (100 + 403, 1)  # set to zero without a restart: a model loaded anew
    assert told(low, []) == (100 + 403, 1)


def test_a_restart_is_seen_even_when_the_counter_overtakes_its_old_value() -> None:
    starts = [("10:00", 1_790_000_000), ("10:01", 1_790_000_000), ("10:02", 1_790_848_890), ("10:03", 1_790_848_890)]
    page = scrape(
        *counter(PROMPT, VLLM, [("10:00", 10), ("10:01", 20), ("10:02", 500), ("10:03", 510)]),
        *counter(GENERATED, VLLM, [("10:00", 10), ("10:01", 20), ("10:02", 7), ("10:03", 8)]),
        *counter("process_start_time_seconds", PROCESS, starts),
    )
    (row,) = rows(page)
    assert (row["prompt_tokens"], row["generated_tokens"]) == (10 + 500 + 10, 10 + 7 + 1)
    assert row["reset_count"] == 1
    assert row["engine_started_at"] == datetime(2026, 10, 1, 10, 1, 30)


def test_a_gap_keeps_its_tokens_and_is_not_covered() -> None:
    found = rows(scrape(*counter(PROMPT, VLLM, [("10:00", 0), ("10:05", 50), ("10:35", 650), ("10:40", 700)])))
    assert by_start(found, "prompt_tokens") == {
        "10:00": 50, "10:05": 100, "10:10": 100, "10:15": 100, "10:20": 100, "10:25": 100, "10:30": 100, "10:35": 50,
    }  # fmt: skip
    assert {at for at, seconds in by_start(found, "covered_seconds").items() if seconds} == {"10:00", "10:35"}


def test_a_counter_that_stands_still_while_another_rises_counts_nothing_even_in_a_gap() -> None:
    times = ("10:00", "10:05", "10:35")
    page = scrape(
        *counter(PROMPT, VLLM, [(at, 7) for at in times]),
        *counter(GENERATED, VLLM, list(zip(times, (0, 0, 600), strict=True))),
    )
    found = rows(page)
    assert by_start(found, "generated_tokens") == {
        "10:00": 0, "10:05": 100, "10:10": 100, "10:15": 100, "10:20": 100, "10:25": 100, "10:30": 100,
    }  # fmt: skip
    assert {row["prompt_tokens"] for row in found} == {0}


def test_tokens_over_midnight_are_shared_between_the_days() -> None:
    page = scrape(line(PROMPT, VLLM, 1000, "23:58", date(2026, 9, 30)), line(PROMPT, VLLM, 1400, "00:02"))
    found = rows(page)
    assert by_start(found, "prompt_tokens") == {"00:00": 200}
    assert by_start(found, "covered_seconds") == {"00:00": 120}


def test_a_neighbours_file_may_end_with_the_midnight_that_closes_its_day() -> None:
    day = (counter(PROMPT, VLLM, [("10:03", 30), ("10:04", 50)]), line(PROMPT, VLLM, 90, "00:00", date(2026, 10, 3)))
    (row,) = rows(scrape(*day[0], day[1]))
    assert row["prompt_tokens"] == 20
    assert parse(scrape(*day[0], line(PROMPT, VLLM, 90, "00:01", date(2026, 10, 3)))).rejects


def test_an_engine_that_says_when_it_started_counted_everything_since_then() -> None:
    process = {name: VLLM[name] for name in ("namespace", "pod", "instance")}
    started = 1_790_848_860  # 10:01:00
    page = scrape(
        *counter(PROMPT, VLLM, [("10:03", 30), ("10:04", 50)]),
        *counter("process_start_time_seconds", process, [("10:03", started), ("10:04", started)]),
    )
    (row,) = rows(page)
    assert (row["prompt_tokens"], row["covered_seconds"], row["reset_count"]) == (50, 180, 0)
    assert row["engine_started_at"] == instant("10:01:00")


def test_intervals_before_the_first_reading_name_the_process_that_it_tells_of() -> None:
    process = {name: VLLM[name] for name in ("namespace", "pod", "instance")}
    page = scrape(
        *counter(PROMPT, VLLM, [("10:12", 60), ("10:13", 90)]),
        *counter("process_start_time_seconds", process, [(at, 1_790_848_860) for at in ("10:12", "10:13")]),
    )
    started = {row["interval_start"]: row["engine_started_at"] for row in rows(page)}
    assert started == {instant(at): instant("10:01:00") for at in ("10:00", "10:05", "10:10")}


def test_an_engine_that_does_not_say_when_it_started_is_told() -> None:
    parsed = parse(scrape(*counter(PROMPT, VLLM, [("10:03", 30), ("10:04", 50)])))
    assert parsed.rows["prompt_tokens"].to_pylist() == [20]
    assert parsed.notices == (
        "1 engines came into sight within the day and do not say since when they run: what they counted before lacks",
    )


def test_a_counter_that_is_made_with_its_first_event_began_at_zero() -> None:
    page = scrape(
        *counter(PROMPT, VLLM, [("10:00", 100), ("10:01", 100), ("10:02", 160)]),
        *counter(
            "vllm:request_success_total",
            {**VLLM, "finished_reason": "stop"},
            [("10:00", 5), ("10:01", 5), ("10:02", 6)],
        ),
        *counter("vllm:request_success_total", {**VLLM, "finished_reason": "abort"}, [("10:02", 3)]),
    )
    (row,) = rows(page)
    assert (row["finished_requests"], row["aborted_requests"]) == (4, 3)


def test_a_counter_that_was_left_out_until_now_is_not_taken_for_a_new_one() -> None:
    parsed = parse(
        scrape(
            *counter(GENERATED, VLLM, [("10:00", 0), ("10:01", 10), ("10:02", 20), ("10:03", 30)]),
            *counter(PROMPT, VLLM, [("10:02", 90_000_000), ("10:03", 90_000_500)]),
        )
    )
    assert parsed.rows["prompt_tokens"].to_pylist() == [500]
    assert "1 counters came into sight late in engines that ran: what they had counted before lacks" in parsed.notices


def test_a_long_first_prompt_of_a_new_counter_counts() -> None:
    page = scrape(
        *counter(GENERATED, VLLM, [("10:00", 0), ("10:01", 0), ("10:02", 9)]),
        *counter(PROMPT, VLLM, [("10:02", 900_000)]),
    )
    assert rows(page)[0]["prompt_tokens"] == 900_000


def test_new_labels_on_an_old_counter_do_not_count_it_again() -> None:
    page = scrape(
        *counter(PROMPT, VLLM, [("10:00", 5000), ("10:01", 5100)]),
        *counter(PROMPT, {**VLLM, "chart": "2"}, [("10:02", 5200), ("10:03", 5300)]),
    )
    (row,) = rows(page)
    assert row["prompt_tokens"] == 300


def test_two_scrapers_of_one_engine_count_it_once() -> None:
    parsed = parse(
        scrape(
            *counter(PROMPT, {**VLLM, "job": "a"}, [("10:00", 0), ("10:02", 200), ("10:04", 400)]),
            *counter(PROMPT, {**VLLM, "job": "b"}, [("10:01", 90), ("10:03", 290)]),
        )
    )
    assert parsed.rows["prompt_tokens"].to_pylist() == [400]
    assert parsed.notices[0].startswith("1 series were copies of others")


def test_a_value_that_is_no_count_is_refused_and_the_counter_goes_on() -> None:
    parsed = parse(scrape(*counter(PROMPT, VLLM, [("10:00", 0), ("10:01", "NaN"), ("10:02", -5), ("10:03", 30)])))
    assert parsed.rows["prompt_tokens"].to_pylist() == [30]
    assert [reject.reason for reject in parsed.rejects] == ["out_of_range", "out_of_range"]


def test_gauges_are_the_most_that_one_sample_saw() -> None:
    page = scrape(
        *counter("vllm:num_requests_running", VLLM, [("10:00", 3), ("10:01", 17), ("10:05", 2)]),
        *counter("vllm:num_requests_waiting", VLLM, [("10:00", 0), ("10:01", 4), ("10:05", 0)]),
        *counter("vllm:kv_cache_usage_perc", VLLM, [("10:00", 0.5), ("10:01", 0.25), ("10:05", 0)]),
    )
    found = rows(page)
    assert by_start(found, "running_requests_max") == {"10:00": 17.0}
    assert by_start(found, "waiting_requests_max") == {"10:00": 4.0}
    assert found[0]["x_extra"] == '{"kv_cache_ratio_max":0.5}'
    assert {row["prompt_tokens"] for row in found} == {None}
