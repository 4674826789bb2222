"""Time is neither lost nor invented between samples and intervals."""

from array import array
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connectors.kubernetes.marks import Marks
from connectors.kubernetes.stretches import LONGEST_SILENCE_MS, Stretch, segments, stretches

BEAT = 60_000
MINUTES = st.sets(st.integers(0, 200), min_size=1, max_size=60)
STRETCHES = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 20), st.sampled_from("abc")).map(
        lambda drawn: (Stretch(drawn[0], drawn[0] + drawn[1], 1), drawn[2])
    ),
    max_size=12,
)


def marks(minutes: set[int]) -> Marks:
    instants = [minute * BEAT for minute in sorted(minutes, reverse=True)]
    return Marks(array("q", instants), array("q", range(len(instants))))


@given(MINUTES)
def test_every_sample_is_covered_and_nothing_beyond_five_minutes_of_silence(minutes: set[int]) -> None:
    spoken = sorted(minute * BEAT for minute in minutes)
    found = stretches(marks(minutes), BEAT, spoken)
    assert all(any(one.start <= instant and instant + BEAT <= one.end for one in found) for instant in spoken)
    assert sum(one.end - one.start for one in found) <= len(spoken) * LONGEST_SILENCE_MS
    assert all(later.start - earlier.end > LONGEST_SILENCE_MS - BEAT for earlier, later in pairwise(found))


@given(MINUTES)
def test_where_the_source_spoke_every_minute_time_is_exactly_that_of_the_samples(minutes: set[int]) -> None:
    spoken = [minute * BEAT for minute in range(201)]
    found = stretches(marks(minutes), BEAT, spoken)
    assert sum(one.end - one.start for one in found) == len(minutes) * BEAT


@given(STRETCHES)
def test_segments_say_of_each_instant_what_the_stretches_say(held: list[tuple[Stretch, str]]) -> None:
    found = list(segments(held))
    for instant in range(75):
        said = {fact for stretch, fact in held if stretch.start <= instant < stretch.end}
        of_segments = [segment.facts for segment in found if segment.start <= instant < segment.end]
        assert of_segments == ([said] if said else [])
    assert all(
        earlier.end < later.start or (earlier.end == later.start and earlier.facts != later.facts)
        for earlier, later in pairwise(found)
    )
