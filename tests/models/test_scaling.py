"""Starts, releases and queues of serving pods: instants and money worked by hand."""

from datetime import date, timedelta
from decimal import Decimal

from models.frames import schema_of
from models.scaling import scaling_costs
from tests.models.conftest import DAY

D = Decimal
TODAY, MINUTE, HOUR = DAY.date(), timedelta(minutes=1), timedelta(hours=1)
MIDNIGHT = DAY + timedelta(days=1)


def held(start, end, **given):
    row = dict.fromkeys(schema_of("gpu_allocations"), "")
    row |= {
        "allocation_date": start.date(),
        "started_at": start,
        "ended_at": end,
        "cluster": "c1",
        "namespace": "llm",
        "pod": "p1",
        "holder_kind": "pod",
        "allocated_gpus": D(1),
        "is_shared": False,
        "gpu_index": -1,
        "labels": None,
        "x_extra": None,
        "x_slice_date": start.date(),
        "x_row": 1,
    }
    return row | given


def spent(hour, cost, **given):
    row = dict.fromkeys(schema_of("gpu_costs_hourly"), "")
    row |= {
        "billing_period": date(2026, 10, 1),
        "hour_start": hour,
        "usage_date": hour.date(),
        "cluster": "c1",
        "namespace": "llm",
        "pod": "p1",
        "gpu_state": "effective",
        "is_warm_standby": False,
        "team_id": None,
        "holder_team_id": None,
        "gpu_seconds": 3600,
        "observed_seconds": 3600,
        "effective_cost": D(cost),
        "under_used_cost": D(0),
        "billing_currency": "USD",
    }
    return row | given


def sighted(start, end):
    row = dict.fromkeys(schema_of("node_sightings"))
    row |= {"sighting_date": start.date(), "seen_from": start, "seen_to": end, "cluster": "c1", "hostname": "n1"}
    return row | {"provider_id": "", "x_source": "k", "x_slice_date": start.date(), "x_page": "p", "x_row": 1}


def events(rows, allocations, serving, costs, days=(TODAY,), sightings=()):
    found = scaling_costs(
        allocations=rows.frame("gpu_allocations", allocations),
        sightings=rows.frame("node_sightings", list(sightings)),
        serving=rows.serving(*serving),
        gpu_costs=rows.frame("gpu_costs_hourly", costs),
        days=days,
    )
    return [
        tuple(row[name] for name in ("event_kind", "began_at", "ended_at", "event_seconds", "effective_cost"))
        for row in found.to_dicts()
    ]


def test_a_start_costs_from_holding_to_the_first_request_and_a_release_from_the_last_request_on(rows):
    """Held 10:30 to 13:00. First request 11:15: half of ten's cost is all of what was held, and a quarter of eleven's.

    Last request 12:45: a quarter of twelve's.
    """
    ten, eleven, twelve = (DAY + n * HOUR for n in (10, 11, 12))
    serving = [
        {"hour_start": eleven, "first_busy_at": eleven + 15 * MINUTE, "last_busy_at": twelve},
        {"hour_start": twelve, "first_busy_at": twelve, "last_busy_at": twelve + 45 * MINUTE},
    ]
    costs = [spent(ten, 2), spent(eleven, 4), spent(twelve, 3, gpu_state="allocated_idle"), spent(twelve, 5)]
    assert events(rows, [held(ten + 30 * MINUTE, twelve + HOUR)], serving, costs) == [
        ("cold_start", ten + 30 * MINUTE, eleven + 15 * MINUTE, 2700, D(3)),
        ("late_release", twelve + 45 * MINUTE, twelve + HOUR, 900, D(2)),
    ]


def test_a_start_names_the_engines_first_process_though_it_began_in_an_idle_hour_or_anew_later_on(rows):
    """Held from 9:50, process from 9:58, first request at 11:05; a process from 11:40 on hides in the same hour."""
    nine, ten, eleven = (DAY + n * HOUR for n in (9, 10, 11))
    serving = [
        {"hour_start": nine, "first_engine_started_at": nine + 58 * MINUTE, "engine_started_at": nine + 58 * MINUTE},
        {"hour_start": ten, "first_engine_started_at": nine + 58 * MINUTE, "engine_started_at": nine + 58 * MINUTE},
        {
            "hour_start": eleven,
            "first_busy_at": eleven + 5 * MINUTE,
            "last_busy_at": eleven + HOUR,
            "first_engine_started_at": eleven + 2 * MINUTE,
            "engine_started_at": eleven + 40 * MINUTE,
        },
    ]
    found = scaling_costs(
        allocations=rows.frame("gpu_allocations", [held(nine + 50 * MINUTE, MIDNIGHT)]),
        sightings=rows.frame("node_sightings", []),
        serving=rows.serving(*serving),
        gpu_costs=rows.frame("gpu_costs_hourly", [spent(ten, 4)]),
        days=[TODAY],
    )
    starts = [row for row in found.to_dicts() if row["event_kind"] == "cold_start"]
    assert [row["engine_started_at"] for row in starts] == [nine + 58 * MINUTE]


def test_a_pod_that_lives_over_midnight_neither_starts_nor_ends_there(rows):
    before, after = MIDNIGHT - HOUR, MIDNIGHT
    serving = [
        {"hour_start": before, "first_busy_at": before, "last_busy_at": MIDNIGHT},
        {"hour_start": after, "first_busy_at": after + 30 * MINUTE, "last_busy_at": after + HOUR},
    ]
    pieces = [held(before, MIDNIGHT), held(MIDNIGHT, after + HOUR)]
    costs = [spent(before, 1), spent(after, 1)]
    assert events(rows, pieces, serving, costs, [TODAY, MIDNIGHT.date()]) == []


def test_a_start_before_midnight_belongs_to_its_day_though_the_first_request_comes_after(rows):
    before = MIDNIGHT - HOUR
    serving = [{"hour_start": MIDNIGHT, "first_busy_at": MIDNIGHT + 30 * MINUTE, "last_busy_at": MIDNIGHT + HOUR}]
    pieces = [held(before, MIDNIGHT), held(MIDNIGHT, MIDNIGHT + HOUR)]
    costs = [spent(before, 6), spent(MIDNIGHT, 8)]
    expected = [("cold_start", before, MIDNIGHT + 30 * MINUTE, 5400, D(10))]
    assert events(rows, pieces, serving, costs) == expected
    assert events(rows, pieces, serving, costs, [TODAY, MIDNIGHT.date()]) == expected


def test_what_begins_or_ends_with_what_its_cluster_tells_of_is_no_event(rows):
    serving = [{"hour_start": DAY + HOUR, "first_busy_at": DAY + HOUR, "last_busy_at": DAY + 2 * HOUR}]
    costs = [spent(DAY + n * HOUR, 1) for n in range(24)]
    whole = held(DAY, MIDNIGHT)
    assert events(rows, [whole], serving, costs) == []
    other = held(DAY - HOUR, DAY, pod="p9")
    assert events(rows, [other, whole], serving, costs) == [("cold_start", DAY, DAY + HOUR, 3600, D(1))]
    after = held(MIDNIGHT, MIDNIGHT + HOUR, pod="p9")
    assert events(rows, [whole, after], serving, costs) == [("late_release", DAY + 2 * HOUR, MIDNIGHT, 79200, D(22))]


def test_a_pod_that_never_served_and_one_without_a_scheduler_have_no_events(rows):
    assert events(rows, [held(DAY, DAY + HOUR)], [{"first_busy_at": None}], [spent(DAY, 1)]) == []
    busy = {"first_busy_at": DAY + MINUTE, "last_busy_at": DAY + 2 * MINUTE}
    assert events(rows, [], [busy], [spent(DAY, 1)]) == []


def three_days(**given):
    """A pod's three days as a cluster tells them that is read at half past each minute: a minute lacks at midnight."""
    half = timedelta(seconds=30)
    days = [DAY + n * timedelta(days=1) for n in (-1, 0, 1)]
    return [held(day + half, day + timedelta(days=1) - half, **given) for day in days], [
        sighted(day + half, day + timedelta(days=1) - half) for day in days
    ]


BUSY = [
    {"hour_start": DAY + n * HOUR, "first_busy_at": DAY + n * HOUR, "last_busy_at": DAY + (n + 1) * HOUR}
    for n in (9, 11)
]
ALL_DAY = [spent(DAY + n * HOUR, 3) for n in range(24)]


def test_a_pod_that_lives_for_days_starts_and_ends_on_none_of_them_though_minutes_lack_at_midnight(rows):
    allocations, sightings = three_days(allocation_id="u1")
    assert events(rows, allocations, BUSY, ALL_DAY, sightings=sightings) == []
    unnamed, _ = three_days()
    assert events(rows, unnamed, BUSY, ALL_DAY) == []
    first_day = allocations[1:], sightings[1:]
    assert events(rows, first_day[0], BUSY, ALL_DAY, sightings=first_day[1]) == []


def test_a_silence_of_the_cluster_neither_ends_a_pod_nor_starts_it_anew(rows):
    """Ten minutes of silence at 8:00, requests from 9:00 on: one life of one uid."""
    eight, whole = DAY + 8 * HOUR, timedelta(days=1)
    days = [
        held(DAY - whole, DAY),
        held(DAY, eight),
        held(eight + 10 * MINUTE, MIDNIGHT),
        held(MIDNIGHT, MIDNIGHT + whole),
    ]
    named = [row | {"allocation_id": "u1"} for row in days]
    assert events(rows, named, BUSY, ALL_DAY) == []
    anew = [*named[:2], *(row | {"allocation_id": "u2"} for row in named[2:])]
    expected = [("cold_start", eight + 10 * MINUTE, DAY + 9 * HOUR, 3000, D(3))]
    assert events(rows, anew, BUSY, ALL_DAY) == expected  # another pod of the same name


def test_a_start_that_nobody_can_have_seen_is_no_cold_start(rows):
    """The cluster was silent from 7:00 to 8:10, and the pod is there when it speaks again: since when, nobody knows."""
    spoke = [sighted(DAY, DAY + 7 * HOUR), sighted(DAY + 8 * HOUR + 10 * MINUTE, MIDNIGHT)]
    after = held(DAY + 8 * HOUR + 10 * MINUTE, DAY + 13 * HOUR, allocation_id="u1")
    released = ("late_release", DAY + 12 * HOUR, DAY + 13 * HOUR, 3600, D(3))
    assert events(rows, [after], BUSY, ALL_DAY, sightings=spoke) == [released]
    assert events(rows, [after], BUSY, ALL_DAY, sightings=[sighted(DAY, MIDNIGHT)])[0][0] == "cold_start"


def test_an_hours_money_is_shared_by_what_was_told_of_it(rows):
    """Held from 10:00, silent from 10:15 to 10:45; the half hour that was told costs 4. First request 10:50."""
    ten = DAY + 10 * HOUR
    told = [held(ten, ten + 15 * MINUTE), held(ten + 45 * MINUTE, ten + 2 * HOUR)]
    busy = {"hour_start": ten + HOUR, "first_busy_at": ten + 50 * MINUTE, "last_busy_at": ten + 2 * HOUR}
    found = events(rows, [row | {"allocation_id": "u1"} for row in told], [busy], [spent(ten, 4)])
    assert found == [("cold_start", ten, ten + 50 * MINUTE, 3000, D("2.666666666667"))]  # 20 of 30 minutes


def test_two_lives_under_one_name_share_the_money_of_their_hour(rows):
    """One life is busy to 9:50 and held to 10:20, the next held from then on and first asked at 10:40; 10:00 costs 4.

    A third of the hour each: 20 minutes of release and 20 of a start.
    """
    ten = DAY + 10 * HOUR
    lives = [
        held(DAY + 9 * HOUR, ten + 20 * MINUTE, allocation_id="u1"),
        held(ten + 20 * MINUTE, ten + 2 * HOUR, allocation_id="u2"),
    ]
    busy = [
        {"hour_start": DAY + 9 * HOUR, "first_busy_at": DAY + 9 * HOUR, "last_busy_at": DAY + 9 * HOUR + 50 * MINUTE},
        {"hour_start": ten, "first_busy_at": ten + 40 * MINUTE, "last_busy_at": ten + HOUR},
        {"hour_start": ten + HOUR, "first_busy_at": ten + HOUR, "last_busy_at": ten + 2 * HOUR},
    ]
    found = {row[0]: row[-1] for row in events(rows, lives, busy, [spent(ten, 4)])}
    assert (found["late_release"], found["cold_start"]) == (D("1.333333333333"), D("1.333333333333"))


def test_waiting_costs_time_and_no_money(rows):
    assert events(rows, [], [{"waiting_seconds": 240}], []) == [("waiting", DAY, DAY + HOUR, 240, None)]
    assert events(rows, [], [{"waiting_seconds": 240}], [spent(DAY, 4)])[0][-1] is None


def waited(rows, allocations, costs, **serving):
    """What one more pod would have cost, by hour and currency."""
    found = scaling_costs(
        allocations=rows.frame("gpu_allocations", allocations),
        sightings=rows.frame("node_sightings", []),
        serving=rows.serving(serving),
        gpu_costs=rows.frame("gpu_costs_hourly", costs),
        days=[TODAY],
    )
    return found.sort("billing_currency")["replica_cost"].to_list()


def test_one_more_pod_while_requests_waited_costs_what_this_one_does(rows):
    """240 of 3,600 held seconds of an hour that cost 4 and 2; without a bill, or of a start, nobody knows."""
    ten = DAY + 10 * HOUR
    found = scaling_costs(
        allocations=rows.frame("gpu_allocations", [held(ten, ten + HOUR)]),
        sightings=rows.frame("node_sightings", []),
        serving=rows.serving(
            {"hour_start": ten, "waiting_seconds": 240, "covered_seconds": 1800}
            | {"first_busy_at": ten + 30 * MINUTE, "last_busy_at": ten + HOUR},
            {"hour_start": ten + HOUR, "waiting_seconds": 60, "covered_seconds": 3600},
        ),
        gpu_costs=rows.frame("gpu_costs_hourly", [spent(ten, 4), spent(ten, 2, billing_currency="EUR")]),
        days=[TODAY],
    )
    assert sorted(found.select("event_kind", "began_at", "billing_currency", "replica_cost").rows(), key=str) == [
        ("cold_start", ten, "EUR", None),
        ("cold_start", ten, "USD", None),
        ("waiting", ten, "EUR", D("0.133333333333")),
        ("waiting", ten, "USD", D("0.266666666667")),
        ("waiting", ten + HOUR, "", None),
    ]


def test_one_more_pod_costs_by_the_time_that_was_held_and_not_by_what_the_counters_cover(rows):
    """Held for the hour for 4.00, engine from 10:50 on, requests waited 300 s: 4 * 300 / 3,600. Two GPUs likewise."""
    ten = DAY + 10 * HOUR
    late = {"hour_start": ten, "waiting_seconds": 300, "covered_seconds": 600}
    assert waited(rows, [held(ten, ten + HOUR)], [spent(ten, 4)], **late) == [D("0.333333333333")]
    two = [held(ten, ten + HOUR, hostname=name) for name in ("n1", "n2")]
    both = [spent(ten, 4, gpu_uuid=name) for name in ("GPU-1", "GPU-2")]
    assert waited(rows, two, both, **late) == [D("0.666666666667")]


def test_one_more_pod_costs_the_rate_of_a_pod_that_held_its_gpus_for_part_of_the_hour(rows):
    """Held 10:30 to 11:00 for 2.00, requests waited 300 s: 2 * 300 / 1,800; and again under another uid from 10:50."""
    ten = DAY + 10 * HOUR
    wait = {"hour_start": ten, "waiting_seconds": 300, "covered_seconds": 1800}
    half = [held(ten + 30 * MINUTE, ten + HOUR)]
    assert waited(rows, half, [spent(ten, 2)], **wait) == [D("0.333333333333")]
    anew = [
        held(ten + 30 * MINUTE, ten + 40 * MINUTE, allocation_id="u1"),
        held(ten + 50 * MINUTE, ten + HOUR, allocation_id="u2"),
    ]
    assert waited(rows, anew, [spent(ten, 2)], **wait) == [D("0.5")]  # 300 of 1,200 told seconds


def test_nobody_knows_what_one_more_pod_would_have_cost_where_the_cluster_tells_of_less_than_the_wait(rows):
    ten = DAY + 10 * HOUR
    wait = {"hour_start": ten, "waiting_seconds": 300, "covered_seconds": 3600}
    assert waited(rows, [], [spent(ten, 4)], **wait) == [None]
    assert waited(rows, [held(ten, ten + 4 * MINUTE)], [spent(ten, 4)], **wait) == [None]
    assert waited(rows, [held(ten, ten + 5 * MINUTE)], [spent(ten, 4)], **wait) == [D(4)]


def test_how_much_of_an_event_was_seen_stands_beside_it(rows):
    """Held from 10:00, silent from 10:15 to 10:45, first request at 11:00."""
    ten = DAY + 10 * HOUR
    told = [held(ten, ten + 15 * MINUTE, allocation_id="u1"), held(ten + 45 * MINUTE, MIDNIGHT, allocation_id="u1")]
    found = scaling_costs(
        allocations=rows.frame("gpu_allocations", told),
        sightings=rows.frame("node_sightings", []),
        serving=rows.serving({"first_busy_at": ten + HOUR, "last_busy_at": MIDNIGHT, "waiting_seconds": 60}),
        gpu_costs=rows.frame("gpu_costs_hourly", [spent(ten, 4)]),
        days=[TODAY],
    )
    seen = found.select("event_kind", "event_seconds", "observed_seconds").rows()
    assert sorted(seen) == [("cold_start", 3600, 1800), ("waiting", 60, 3600)]


def test_money_of_two_currencies_stays_apart(rows):
    ten = DAY + 10 * HOUR
    busy = {"hour_start": ten, "first_busy_at": ten + 30 * MINUTE, "last_busy_at": ten + HOUR}
    costs = [spent(ten, 4), spent(ten, 2, billing_currency="EUR")]
    found = scaling_costs(
        allocations=rows.frame("gpu_allocations", [held(ten, ten + HOUR)]),
        sightings=rows.frame("node_sightings", []),
        serving=rows.serving(busy),
        gpu_costs=rows.frame("gpu_costs_hourly", costs),
        days=[TODAY],
    )
    assert found.select("billing_currency", "effective_cost").rows() == [("EUR", D(1)), ("USD", D(2))]
