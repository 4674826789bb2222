"""What every connector must survive, as one suite that each connector inherits.

How to use it::

    from tests.connectors.conformance import ConnectorConformance
    from tests.connectors.faulty_server import Answer, Clock, FaultyServer, json_answer, serve_bucket

    class TestAcme(ConnectorConformance):              # the name begins with Test: pytest collects it
        source = AcmeSource(sleep=Clock().sleep)       # must not really sleep between tries
        unknown_name = "x_from_the_future"             # what `add_unknown_column` adds
        inapplicable = {"page_loop": "one request holds the whole window: there are no cursors"}
        ...

Required of the adapter (parsing): `source`, `settings()`, `window()`, `pages()`, `count_source_rows()`, `add_unknown_column()`,
`break_one_row()`, `truncate()`, `empty_pages()`.
Required of the adapter (fetching): `served()`, which scripts the good answers on the faulty server and returns settings that
point there; or `inapplicable["fetch"]` with the reason why nothing is fetched over HTTP.
Optional: `served_loop()` (a server whose cursor repeats), `page_names()`, `secrets`, `rows_lost_by_breaking`, `max_tries`.

`inapplicable` maps a topic of `TOPICS` to the reason; its tests then show up as skipped, with that reason. An unknown topic or an
empty reason fails. Topics: see `TOPICS` below.

A landed delivery is content-addressed: the suite's `land()` gives each content one page, whatever it was called.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
import pytest

from connectors.base import (
    AuthenticationError,
    Bytes,
    IncompleteDeliveryError,
    LandedPage,
    Reject,
    Source,
    SourceError,
    SourceSettings,
    Window,
)
from contracts import Severity, contract
from tests.connectors.faulty_server import (
    HTML_PAGE,
    SERVICE_UNAVAILABLE,
    UNAUTHORIZED,
    FaultyServer,
    cut_in_half,
    reset_in_half,
    too_many_requests,
)

TOPICS: Mapping[str, str] = {
    "fetch": "everything below that asks a server",
    "rate_limit": "429 with Retry-After",
    "server_errors": "5xx, once, as a storm, and beyond the budget",
    "truncated_response": "a body shorter than announced, a connection reset half-way",
    "authentication": "401 ends at once",
    "html_answer": "200 with a sign-in page instead of data",
    "page_loop": "a cursor that repeats",
    "truncated_page": "a landed page that is cut off",
    "unknown_kept": "unknown columns are kept in x_extra",
    "unknown_notice": "unknown columns are told",
    "bad_row": "one unreadable row among good ones",
    "reordered_pages": "pages in another order",
}


@dataclass(frozen=True)
class Delivery:
    """All chunks of one parse, together."""

    rows: pa.Table
    rejects: tuple[Reject, ...]
    duplicate_count: int
    notices: tuple[str, ...]

    def refused_count(self) -> int:
        """Source rows that were refused: a reject about one value of a row that was staged does not count."""
        staged = set(zip(self.rows["x_page"].to_pylist(), self.rows["x_row"].to_pylist(), strict=True))
        return len({(r.page_id, r.row) for r in self.rejects} - staged)


def land(pages: Sequence[bytes], names: Sequence[str] | None = None) -> list[LandedPage]:
    """Lands page bodies the way the lake does: identity is the SHA-256 of the content, the same content lands once."""
    landed: dict[str, LandedPage] = {}
    for index, content in enumerate(pages):
        digest = hashlib.sha256(content).hexdigest()
        name = names[index] if names else f"page-{index:04d}"
        landed.setdefault(digest, LandedPage(name=name, digest=digest, body=Bytes(content)))
    return list(landed.values())


def canonical_rows(rows: pa.Table, *, without: tuple[str, ...] = ()) -> list[str]:
    """Every row as text, sorted: equal lists are equal sets of rows, in any order."""
    kept = [name for name in rows.column_names if name not in without]
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows.select(kept).to_pylist())


def digest_of(rows: pa.Table) -> str:
    """A digest of the set of rows that does not depend on their order."""
    return hashlib.sha256("\n".join(canonical_rows(rows)).encode()).hexdigest()


OF_A_BUCKET = dict.fromkeys(
    ("rate_limit", "server_errors", "truncated_response"),
    "the object store's own client waits, for real: tests/connectors/test_storage.py",
)
"""What does not apply to connectors that read files out of a bucket, and why."""


class ConnectorConformance:
    """Inherit, name it `Test...`, supply the adapter."""

    source: ClassVar[Source]
    unknown_name: ClassVar[str] = "x_from_the_future"
    inapplicable: ClassVar[Mapping[str, str]] = {}
    secrets: ClassVar[tuple[str, ...]] = ()  # values in the settings that no message may hold
    rows_lost_by_breaking: ClassVar[int] = 1
    max_tries: ClassVar[int] = 8  # requests that a storm may cost before the connector gives up

    # ---- the adapter -------------------------------------------------------------------------------------------------
    def settings(self, **over: Any) -> SourceSettings:
        """Valid settings of the source."""
        raise NotImplementedError

    def window(self) -> Window:
        """The window that `pages` belong to."""
        raise NotImplementedError

    def pages(self) -> list[bytes]:
        """Page bodies of a good delivery for that window, in order, as `fetch` yields them: no rejects in it."""
        raise NotImplementedError

    def page_names(self) -> list[str] | None:
        """What the source calls them, where parsing needs it (a time stamp in a file name); None otherwise."""
        return None

    def count_source_rows(self, pages: list[bytes]) -> int:
        """How many source rows those pages hold, counted without the connector's code."""
        raise NotImplementedError

    def add_unknown_column(self, page: bytes) -> bytes:
        """The page, with a column (field, label, metric) named `unknown_name` that no contract knows."""
        raise NotImplementedError

    def break_one_row(self, page: bytes) -> bytes:
        """The page, with one row become unreadable and the others as they were."""
        raise NotImplementedError

    def truncate(self, page: bytes) -> bytes:
        """The page, cut off so that a reader can tell."""
        raise NotImplementedError

    def empty_pages(self) -> list[bytes]:
        """What an empty delivery looks like: often one page without rows, sometimes no page at all."""
        raise NotImplementedError

    def served(self, server: FaultyServer) -> SourceSettings:
        """Scripts `server` to deliver `pages` and returns settings that point there."""
        raise NotImplementedError

    def served_loop(self, server: FaultyServer) -> SourceSettings:
        """Scripts `server` to repeat a cursor for ever and returns settings that point there."""
        raise NotImplementedError

    # ---- helpers -----------------------------------------------------------------------------------------------------
    def applies(self, *topics: str) -> None:
        """Skips, saying why, where the adapter declared a topic inapplicable."""
        for topic in topics:
            if topic in self.inapplicable:
                pytest.skip(f"{self.source.kind}, {topic}: {self.inapplicable[topic]}")

    def parse(self, pages: Sequence[bytes], names: Sequence[str] | None = None) -> Delivery:
        """Lands and parses pages."""
        return self.parse_landed(land(pages, names or self._names(len(pages))))

    def parse_landed(self, landed: Sequence[LandedPage]) -> Delivery:
        """Parses landed pages and puts the chunks together."""
        chunks = list(self.source.parse(self.settings(), self.window(), landed))
        schema = contract(self.source.fact).arrow_schema()
        for chunk in chunks:
            assert chunk.rows.schema.equals(schema), "a chunk departs from the contract's Arrow schema"
        return Delivery(
            rows=pa.concat_tables([schema.empty_table(), *(chunk.rows for chunk in chunks)]),
            rejects=tuple(reject for chunk in chunks for reject in chunk.rejects),
            duplicate_count=sum(chunk.duplicate_count for chunk in chunks),
            notices=tuple(notice for chunk in chunks for notice in chunk.notices),
        )

    def fetch(self, settings: SourceSettings) -> list[bytes]:
        """The bodies of the pages that the source fetches."""
        bodies = list[bytes]()
        for page in self.source.fetch(settings, self.window()):
            with page.body.open() as stream:
                bodies.append(stream.read())
        return bodies

    def _names(self, count: int) -> list[str] | None:
        names = self.page_names()
        return names[:count] if names else None

    # ---- declaration -------------------------------------------------------------------------------------------------
    def test_the_declaration_is_coherent(self) -> None:
        settings = self.settings()
        assert isinstance(settings, self.source.settings_model)
        assert settings.kind == self.source.kind
        assert contract(self.source.fact).layer == "staged"
        assert set(self.inapplicable) <= set(TOPICS), "a topic that this suite does not know"
        assert all(len(reason) >= 15 for reason in self.inapplicable.values()), "say why a topic is inapplicable"

    def test_the_windows_of_a_night_end_with_its_day_and_do_not_overlap(self) -> None:
        day = self.window().slice_date
        windows = self.source.windows(self.settings(), day)
        assert windows == sorted(windows)
        assert windows[-1].start.date() <= day < windows[-1].end.date()
        for before, after in itertools.pairwise(windows):
            assert before.end <= after.start
        assert all(w.start < w.end and w.start.tzinfo is None and w.end.tzinfo is None for w in windows)

    # ---- parsing -----------------------------------------------------------------------------------------------------
    def test_a_good_delivery_gives_rows_and_no_rejects(self) -> None:
        delivery = self.parse(self.pages())
        assert delivery.rows.num_rows > 0
        assert delivery.rejects == ()

    def test_rows_match_the_contract(self) -> None:
        shape, rows = contract(self.source.fact), self.parse(self.pages()).rows
        for column in shape.columns:
            if not column.nullable:
                assert rows[column.name].null_count == 0, f"{column.name} holds NULLs"
            if column.values:
                assert set(rows[column.name].to_pylist()) <= {*column.values, None}
        assert set(rows["x_source"].to_pylist()) == {self.settings().name}
        assert set(rows["x_page"].to_pylist()) <= {page.page_id for page in land(self.pages())}
        assert min(rows["x_row"].to_pylist()) >= 1
        keys = rows.select(list(shape.key)).to_pylist()
        assert len({json.dumps(key, default=str) for key in keys}) == len(keys), f"{shape.key} is not unique"

    def test_rows_pass_the_blocking_checks_of_the_contract(self) -> None:
        batch = self.parse(self.pages()).rows
        with duckdb.connect() as engine:
            engine.register("batch", batch)
            for check in contract(self.source.fact).checks:
                if check.severity is Severity.FAIL:
                    broken = engine.sql(check.sql.replace("{batch}", "batch")).fetchall()
                    assert broken == [], check.name

    def test_every_source_row_is_a_row_a_reject_or_a_duplicate(self) -> None:
        for pages in (self.pages(), self._with_first(self.break_one_row)):
            delivery = self.parse(pages)
            accounted = delivery.rows.num_rows + delivery.refused_count() + delivery.duplicate_count
            assert accounted == self.count_source_rows(pages)

    def test_an_empty_window_is_a_valid_delivery_of_no_rows(self) -> None:
        for pages in (self.empty_pages(), []):
            delivery = self.parse(pages)
            assert delivery.rows.num_rows == 0
            assert delivery.rejects == ()

    def test_the_same_pages_give_the_same_rows_twice(self) -> None:
        assert canonical_rows(self.parse(self.pages()).rows) == canonical_rows(self.parse(self.pages()).rows)

    def test_the_same_content_under_other_names_gives_the_same_rows(self) -> None:
        pages = self.pages()
        renamed = [f"again/{name}" for name in self._names(len(pages)) or [f"other-{i}" for i in range(len(pages))]]
        first, again = land(pages, self._names(len(pages))), land(pages, renamed)
        assert [page.digest for page in first] == [page.digest for page in again]
        assert digest_of(self.parse_landed(first).rows) == digest_of(self.parse_landed(again).rows)

    def test_reordered_pages_give_the_same_set_of_rows(self) -> None:
        self.applies("reordered_pages")
        landed = land(self.pages(), self._names(len(self.pages())))
        assert len(landed) > 1, "give the suite a delivery of several pages, or declare reordered_pages inapplicable"
        expected = digest_of(self.parse_landed(landed).rows)
        assert digest_of(self.parse_landed(landed[::-1]).rows) == expected
        assert digest_of(self.parse_landed([*landed[1:], landed[0]]).rows) == expected

    def test_an_unknown_column_is_kept(self) -> None:
        self.applies("unknown_kept")
        before, after = self.parse(self.pages()), self.parse(self._with_first(self.add_unknown_column))
        assert after.rows.num_rows == before.rows.num_rows
        assert after.rejects == ()
        assert any(self.unknown_name in (extra or "") for extra in after.rows["x_extra"].to_pylist())

    def test_an_unknown_column_is_told(self) -> None:
        self.applies("unknown_notice")
        assert not any(self.unknown_name in notice for notice in self.parse(self.pages()).notices)
        notices = self.parse(self._with_first(self.add_unknown_column)).notices
        assert any(self.unknown_name in notice for notice in notices)

    def test_a_bad_row_is_rejected_with_its_payload_and_the_others_are_kept(self) -> None:
        self.applies("bad_row")
        before, pages = self.parse(self.pages()), self._with_first(self.break_one_row)
        after = self.parse(pages)
        assert len(after.rejects) >= 1
        for reject in after.rejects:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", reject.reason)
            assert reject.detail.strip()
            assert reject.payload.strip()
            assert reject.page_id in {page.page_id for page in land(pages)}
        assert after.rows.num_rows == before.rows.num_rows - self.rows_lost_by_breaking
        unmoved = set(canonical_rows(after.rows, without=("x_page",)))
        changed = unmoved - set(canonical_rows(before.rows, without=("x_page",)))
        assert len(changed) <= 1, "breaking one row changed others"

    def test_a_truncated_page_is_an_incomplete_delivery(self) -> None:
        self.applies("truncated_page")
        pages = self.pages()
        with pytest.raises(IncompleteDeliveryError):
            self.parse([*pages[:-1], self.truncate(pages[-1])])

    def _with_first(self, change: Any) -> list[bytes]:
        first, *rest = self.pages()
        return [change(first), *rest]

    # ---- fetching ----------------------------------------------------------------------------------------------------
    def test_fetch_yields_what_the_source_serves(self, server: FaultyServer) -> None:
        self.applies("fetch")
        assert self.fetch(self.served(server)) == self.pages()

    def test_fetched_pages_parse_into_the_same_rows(self, server: FaultyServer) -> None:
        self.applies("fetch")
        settings = self.served(server)
        fetched = list(self.source.fetch(settings, self.window()))
        contents = []
        for page in fetched:
            with page.body.open() as stream:
                contents.append(stream.read())
        rows = self.parse(contents, [page.name for page in fetched]).rows
        assert canonical_rows(rows) == canonical_rows(self.parse(self.pages()).rows)

    def test_a_rate_limit_is_waited_out(self, server: FaultyServer) -> None:
        self.applies("fetch", "rate_limit")
        settings = self.served(server)
        server.inject(too_many_requests("1"))
        assert self.fetch(settings) == self.pages()

    def test_a_storm_of_server_errors_is_survived(self, server: FaultyServer) -> None:
        self.applies("fetch", "server_errors")
        settings = self.served(server)
        server.inject(*[SERVICE_UNAVAILABLE] * 3)
        assert self.fetch(settings) == self.pages()

    def test_a_storm_beyond_the_budget_fails_and_does_not_hammer(self, server: FaultyServer) -> None:
        self.applies("fetch", "server_errors")
        settings = self.served(server)
        server.inject_always(SERVICE_UNAVAILABLE)
        with pytest.raises(SourceError) as failure:
            self.fetch(settings)
        assert 1 < len(server.requests) <= self.max_tries
        self.holds_no_secret(failure.value)

    def test_a_response_cut_short_is_asked_for_again(self, server: FaultyServer) -> None:
        self.applies("fetch", "truncated_response")
        settings = self.served(server)
        server.inject(cut_in_half, reset_in_half)
        assert self.fetch(settings) == self.pages()

    def test_responses_always_cut_short_fail(self, server: FaultyServer) -> None:
        self.applies("fetch", "truncated_response")
        settings = self.served(server)
        server.inject_always(cut_in_half)
        with pytest.raises(SourceError):
            self.fetch(settings)

    def test_refused_credentials_end_at_once_and_are_not_repeated_in_the_message(self, server: FaultyServer) -> None:
        self.applies("fetch", "authentication")
        settings = self.served(server)
        server.inject_always(UNAUTHORIZED)
        with pytest.raises(AuthenticationError) as failure:
            self.fetch(settings)
        assert len(server.requests) == 1
        self.holds_no_secret(failure.value)

    def test_a_web_page_instead_of_data_fails(self, server: FaultyServer) -> None:
        self.applies("fetch", "html_answer")
        settings = self.served(server)
        server.inject_always(HTML_PAGE)
        with pytest.raises(SourceError):
            self.fetch(settings)

    def test_a_cursor_that_repeats_is_an_incomplete_delivery(self, server: FaultyServer) -> None:
        self.applies("fetch", "page_loop")
        settings = self.served_loop(server)
        with pytest.raises(IncompleteDeliveryError):
            self.fetch(settings)
        assert len(server.requests) <= 2 * len(self.pages()) + 3, "a loop is noticed after a few pages"

    def test_the_probe_says_what_it_found(self, server: FaultyServer) -> None:
        self.applies("fetch")
        line = self.source.probe(self.served(server))
        assert line.strip()
        assert "\n" not in line
        assert not any(secret in line for secret in self.secrets)

    def holds_no_secret(self, error: BaseException | None) -> None:
        """No secret of the settings in an error, nor in what caused it."""
        while error is not None:
            text = f"{error} {error!r}"
            assert not any(secret in text for secret in self.secrets), "a secret stands in an error message"
            error = error.__cause__ or error.__context__
