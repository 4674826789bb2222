"""A locked month stays as it was, to the byte; what is learned of it later is posted in an open month, with its cause."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from contracts import Contract, contract
from pipelines.assets.tables import COMPUTED
from pipelines.cli.close import CloseRequest, close_month
from pipelines.house import House, open_house
from pipelines.night.adjustments import adjustment_breaks
from pipelines.night.build import SLICE_SOURCE, build
from pipelines.night.close import CloseRefusedError, NotPublishedYetError, close, closings, findings
from pipelines.night.closings import posted_in
from pipelines.night.customers import customer_breaks
from pipelines.night.ledger import breaks
from pipelines.night.publish import publish
from pipelines.night.references import write_bill_sources, write_model_identity, write_references
from pipelines.night.stage import stage
from pipelines.night.statements import render_run
from tests.pipelines.conftest import published
from tests.pipelines.small_company import DAY, line, write_bill, write_company

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
INVOICES = """\
invoices:
  - {provider: Cloud, id: INV-1, month: 2026-10, currency: USD, total: 10.51}
  - {provider: Other, id: INV-2, month: 2026-10, currency: USD, total: 2}
close: {max_residual_share: 0.5}
"""


TABLES = (
    *("charge_groups", "postings", "restated_postings", "adjustments", "invoice_tie_out", "period_states"),
    *(
        "chargeback",
        "chargeback_by_customer",
        "focus_cost_and_usage",
        "period_adjustments",
        "bill_errata",
        "freshness",
        "restatements",
    ),
)


def night(config: Path, first: date, last: date | None = None, *, at: date | None = None) -> None:
    """The part of a night that makes the ledger and its statements; it balances before anything is published."""
    last = last or first
    now = at_noon(at or last + timedelta(days=1))
    with open_house(config, f"run-{now:%Y%m%d}", clock=lambda: now) as house:
        write_references(house)
        for delivery in stage(house, "focus", first, last):
            is_november = delivery.slice_date == NOVEMBER  # of which nothing has come yet
            assert is_november or delivery.status in ("committed", "unchanged"), delivery.message
        write_model_identity(house, first, last)
        write_bill_sources(house, first, last)
        for table in TABLES:
            compute = COMPUTED.get(table)
            compute(house, first, last) if compute else build(house, contract(table), first, last)
        assert breaks(house, first, last).is_empty()
        assert adjustment_breaks(house) == []
        assert customer_breaks(house, first, last) == []
        publish(house)
        render_run(house, first, last, [])


def company(folder: Path, invoices: str = INVOICES) -> Path:
    config = write_company(folder)
    config.write_text(config.read_text() + invoices)
    write_bill(folder / "bills", [line(InvoiceId="INV-1")])
    write_bill(
        folder / "other", [line(BilledCost="2", EffectiveCost="2", ProviderName="Other", Tags="", InvoiceId="INV-2")]
    )
    return config


def asked(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with published(folder / "lake") as database:
        return database.execute(sql).fetchall()


def locked(config: Path, at: date, reason: str | None = None) -> None:
    with open_house(config, "close", clock=lambda: at_noon(at)) as house:
        close(house, OCTOBER, by="ada", reason=reason)


def at_noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


def against(config: Path, at: date = date(2026, 11, 3)) -> dict[str, bool]:
    with open_house(config, "dry", clock=lambda: at_noon(at), writing=False) as house:
        return {finding.text: finding.can_be_accepted for finding in findings(house, OCTOBER)}


def pages(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((folder / "reports" / "2026-10").iterdir())}


def test_a_later_restatement_is_an_adjustment_and_the_locked_month_stays_as_it_was(tmp_path: Path) -> None:
    config = company(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    assert against(config) == {}
    locked(config, date(2026, 11, 3))
    kept = pages(tmp_path)
    october = "select * from {} where billing_period = '2026-10-01' order by all"
    before = {
        table: asked(tmp_path, october.format(table)) for table in ("postings", "chargeback", "chargeback_by_customer")
    }
    assert {row[0] for row in asked(tmp_path, "select period_state from chargeback")} == {"locked"}
    with open_house(config, "again", clock=lambda: at_noon(date(2026, 11, 4))) as house:
        close(house, OCTOBER, by="bob", reason=None)
        assert [(row["closed_by"], row["billing_period"]) for row in closings(house)] == [("ada", OCTOBER)]

    # the bill shrinks by 4.12, and moves to nobody in part: 10.50 for search becomes 6.38, of which 1 is untagged
    rows = [line(InvoiceId="INV-1", BilledCost="5.38", EffectiveCost="5.38")]
    rows.append(line(InvoiceId="INV-1", BilledCost="1", EffectiveCost="1", Tags=""))
    write_bill(tmp_path / "bills", rows)
    night(config, date(2026, 11, 3), date(2026, 11, 4))
    changed = asked(
        tmp_path,
        "select billing_period, corrected_period, account, cause, effective_cost, because from period_adjustments order by 3",
    )
    assert changed == [
        (NOVEMBER, OCTOBER, "residual:unallocated", "bill_restated", Decimal(1), "Cloud restated its bill"),
        (NOVEMBER, OCTOBER, "team:search", "bill_restated", Decimal("-5.12"), "Cloud restated its bill"),
    ]
    for table, rows_before in before.items():
        assert asked(tmp_path, october.format(table)) == rows_before
    # nothing is posted twice, and what is rendered again is what was kept
    night(config, date(2026, 11, 4), at=date(2026, 11, 6))
    assert len(asked(tmp_path, "select * from period_adjustments")) == 2
    for file in (tmp_path / "reports" / "2026-10").iterdir():
        file.unlink()
    night(config, date(2026, 11, 5))
    assert pages(tmp_path) == kept

    # restated back: nothing is left of the difference
    write_bill(tmp_path / "bills", [line(InvoiceId="INV-1")])
    night(config, date(2026, 11, 6))
    assert asked(tmp_path, "select * from period_adjustments") == []


def test_what_speaks_against_locking_is_said_and_only_what_can_be_is_accepted(tmp_path: Path) -> None:
    stated = INVOICES.replace("10.51", "10.52").replace(
        "total: 2}", "total: 2}\n  - {provider: Third, id: X, month: 2026-10, currency: USD, total: 1}"
    )
    config = company(
        tmp_path,
        stated.replace("  - {provider: Other, id: INV-2, month: 2026-10, currency: USD, total: 2}\n", "").replace(
            "0.5}", "0.1}"
        ),
    )
    assert list(against(config)) == ["2026-10 has no costs in the lake; pull its bills first: farthing run"]
    assert list(against(config, date(2026, 10, 31))) == ["2026-10 is not over"]
    night(config, DAY, date(2026, 11, 2))
    assert against(config) == {
        "Cloud: invoice INV-1 is not tied out: USD 10.50 on the bill, 10.52 stated, -0.02": False,
        "Other: invoice INV-2 (USD 2.00) is not tied out: nobody stated its total (invoices in the configuration)": True,
        "Third: invoice X is stated, and no line of the bill names it": False,
        "USD 2.00 of 12.50 (16.0%) rests with nobody, more than 10.0%": True,
    }
    with pytest.raises(CloseRefusedError, match=r"Third: invoice X.*"):
        locked(config, date(2026, 11, 3), reason="they said so")
    config.write_text(
        config.read_text()
        .replace("10.52", "10.49")
        .replace("  - {provider: Third, id: X, month: 2026-10, currency: USD, total: 1}\n", "")
    )
    night(config, date(2026, 11, 3))
    with pytest.raises(CloseRefusedError, match="nobody stated its total"):
        locked(config, date(2026, 11, 4))
    without = config.read_text()
    config.write_text(
        without.replace(
            "invoices:\n",
            "invoices:\n  - {provider: Other, id: INV-2, month: 2026-10, currency: USD, total: 2}\n",
        )
    )
    with pytest.raises(CloseRefusedError, match=r"INV-2 .* no night has held it against the bill yet; run one"):
        locked(config, date(2026, 11, 4), reason="it is stated")
    config.write_text(without)
    locked(config, date(2026, 11, 4), reason="the invoice comes by post")
    ((reason, accepted),) = asked(tmp_path, "select accepted_reason, accepted_findings from period_closings")
    assert reason == "the invoice comes by post"
    assert "nobody stated its total" in accepted


def test_a_month_with_a_bill_that_has_no_last_word_is_locked_for_a_reason(tmp_path: Path) -> None:
    bill_without_invoice = [line(InvoiceId="")]
    config = company(tmp_path, "close: {max_residual_share: 1}\n")
    write_bill(tmp_path / "bills", bill_without_invoice)
    night(config, DAY, date(2026, 11, 2))
    told = "Cloud is not final: 1 of 1 sources with a bill that may still change, or has not come"
    assert against(config)[told] is True
    with pytest.raises(CloseRefusedError, match="Cloud is not final"):
        locked(config, date(2026, 11, 4))
    locked(config, date(2026, 11, 4), reason="its provider knows no end")
    ((accepted,),) = asked(tmp_path, "select accepted_findings from period_closings")
    assert told in accepted


def test_an_adjustment_goes_to_the_first_month_that_is_not_locked() -> None:
    assert posted_in(OCTOBER, {OCTOBER}) == NOVEMBER
    assert posted_in(date(2026, 11, 1), {OCTOBER, NOVEMBER, date(2026, 12, 1)}) == date(2027, 1, 1)
    assert posted_in(OCTOBER, {OCTOBER, date(2026, 12, 1)}) == NOVEMBER


def test_what_no_check_held_of_is_not_published_by_locking(tmp_path: Path) -> None:
    config = company(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    assert against(config) == {}
    with open_house(config, "cut-short", clock=lambda: at_noon(date(2026, 11, 3))) as house:
        teams = house.lake.read("teams")
        (piece,) = house.lake.slices("teams")
        house.lake.replace_slice(
            "teams", piece.slice_date, piece.slice_source, teams.slice(1), "of a night that failed"
        )
    refusal = "teams changed since the last snapshot, of which every check held; run the night first: farthing run"
    assert against(config) == {refusal: False}
    with pytest.raises(CloseRefusedError, match=f"^{refusal}$"):
        locked(config, date(2026, 11, 3), reason="accepted")
    assert asked(tmp_path, "select * from period_closings") == []
    assert len(asked(tmp_path, "select * from teams")) == 2

    night(config, date(2026, 11, 3))
    locked(config, date(2026, 11, 4))
    with open_house(config, "cut-short", clock=lambda: at_noon(date(2026, 11, 5))) as house:
        house.lake.replace_slice("teams", piece.slice_date, piece.slice_source, teams.slice(1), "of another one")
        with pytest.raises(NotPublishedYetError, match=r"^2026-10 is locked; the next run publishes it.*teams changed"):
            close(house, OCTOBER, by="bob", reason=None)
    assert len(asked(tmp_path, "select * from teams")) == 2


def test_how_settled_a_month_is_must_hold_its_contract_before_it_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = company(tmp_path)
    night(config, DAY, date(2026, 11, 2))

    def broken(house: House, table: Contract, first: date, last: date) -> None:
        rows = house.lake.read(table.table, OCTOBER, NOVEMBER)
        place = rows.schema.get_field_index("period_state")
        shut = rows.set_column(place, rows.schema.field(place), pa.array(["shut"] * rows.num_rows))
        house.lake.replace_slice(table.table, OCTOBER, SLICE_SOURCE, shut, f"{first} {last}")

    monkeypatch.setattr("pipelines.night.close.build", broken)
    with pytest.raises(NotPublishedYetError, match=r"2026-10 is locked; the next run publishes it.*period_state.*shut"):
        locked(config, date(2026, 11, 3))
    assert {row[0] for row in asked(tmp_path, "select period_state from period_states")} == {"final"}
    monkeypatch.undo()
    locked(config, date(2026, 11, 3))
    assert {row[0] for row in asked(tmp_path, "select period_state from period_states")} == {"locked"}


def told(config: Path, request: CloseRequest) -> tuple[int, str]:
    console = Console(file=StringIO(), width=200)
    code = close_month(console, config, request)
    assert isinstance(console.file, StringIO)
    return code, console.file.getvalue()


def nobody() -> str:
    raise KeyError("getpwuid(): uid not found: 65000")


def test_who_locks_is_asked_only_of_whoever_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = company(tmp_path)
    monkeypatch.setattr("getpass.getuser", nobody)
    assert told(config, CloseRequest(None)) == (0, "No month is locked.\n")
    code, said = told(config, CloseRequest(OCTOBER, dry_run=True))
    assert (code, said.splitlines()[-1]) == (1, "2026-10 cannot be locked; nothing was changed.")
    unnamed = "nobody with a name is logged in: say who locks the month with --by\n"
    assert told(config, CloseRequest(OCTOBER)) == (2, unnamed)
    for blank in ("", " "):
        assert told(config, CloseRequest(OCTOBER, by=blank)) == (2, "--by needs a name: it is kept with the month\n")


def test_a_failure_after_the_record_says_that_the_month_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = company(tmp_path)
    config.write_text(config.read_text() + "reports: {formats: [pdf]}\n")
    monkeypatch.setattr("typst.compile", lambda *_, **__: b"%PDF-")
    now = datetime.now(UTC).date()
    night(config, DAY, date(2026, 11, 2), at=max(now, date(2026, 11, 3)))

    def full(_: House) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("pipelines.night.close.publish", full)
    assert told(config, CloseRequest(OCTOBER, by="ada")) == (
        1,
        "2026-10 is locked; the next run publishes it: farthing run (no space left on device)\n",
    )
    monkeypatch.undo()

    # the snapshot is published by the time that a statement fails: nobody is told to publish it
    def refused(*_: object, sys_inputs: dict[str, str], **__: object) -> bytes:
        if "Support" in sys_inputs["statement"]:
            raise RuntimeError("no such glyph")
        return b"%PDF-"

    def stopped(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.night.close.render_period", stopped)
        code, said = told(config, CloseRequest(OCTOBER, by="bob"))
    assert code == 1
    assert said == (
        "2026-10 is locked and published; its statements are not rendered: no space left on device; once that is "
        "mended: farthing report 2026-10\n"
    )
    assert asked(tmp_path, "select closed_by from period_closings") == [("ada",)]
    monkeypatch.setattr("typst.compile", refused)
    code, said = told(config, CloseRequest(OCTOBER, by="bob"))
    made, *problems, last = said.splitlines()
    assert (code, "2 statements written" in made, "kept" in made) == (3, True, False)
    (problem,) = problems
    assert problem.startswith("✗ October 2026, support: the PDF of Support cannot be typeset")
    assert last == (
        "2026-10 is locked and published; its statements are kept when all of them can be rendered; once that is "
        "mended: farthing report 2026-10"
    )
    monkeypatch.setattr("typst.compile", lambda *_, **__: b"%PDF-")
    code, said = told(config, CloseRequest(OCTOBER, by="bob"))
    assert code == 0
    assert said.startswith("2026-10 was locked before: 2 statements kept")
    (kept,) = (file for file in (tmp_path / "lake" / "closed").iterdir() if file.read_bytes() == b"%PDF-")
    kept.unlink()  # both teams' PDF, which is the same here
    code, said = told(config, CloseRequest(OCTOBER, by="bob"))
    assert code == 3
    assert said.startswith("2026-10 was locked before: 2 statements kept")
    assert said.count("is gone or was changed; restore it from a backup") == 2
    assert said.endswith("What is kept of 2026-10 is not all there; once that is mended: farthing report 2026-10\n")
