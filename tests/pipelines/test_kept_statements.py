"""What was locked is served and mailed as it was, whatever settings, names and the lake's files are by now."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipelines.house import open_house
from pipelines.night.delivery import Delivered, deliver_period, to_be_sent
from pipelines.night.kept import KEPT
from pipelines.night.statements import render_run
from tests.pipelines.mailbox import Mailbox
from tests.pipelines.small_company import DAY
from tests.pipelines.test_close import OCTOBER, at_noon, company, locked, night, pages

LATER = date(2026, 11, 5)


def kept_files(config: Path) -> dict[str, Path]:
    with open_house(config, "look", clock=lambda: at_noon(LATER), writing=False) as house:
        rows = house.lake.read(KEPT).to_pylist()
    return {row["name"]: config.parent / "lake" / "closed" / row["sha256"] for row in rows}


def delivered(config: Path) -> Delivered:
    with open_house(config, "mail", clock=lambda: at_noon(LATER)) as house:
        return deliver_period(house, OCTOBER)


def promised(config: Path) -> list[str]:
    with open_house(config, "look", clock=lambda: at_noon(LATER), writing=False) as house:
        return to_be_sent(house, OCTOBER)


def test_a_dry_run_promises_nothing_of_a_month_without_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = SimpleNamespace(view=SimpleNamespace(chargeback=pl.DataFrame(), state="final"))
    monkeypatch.setattr("pipelines.night.delivery.edition_of", lambda *_: nothing)
    assert promised(company(tmp_path)) == ["2026-10 has no costs: nobody would be mailed"]


def test_a_locked_month_is_served_and_mailed_as_it_was(tmp_path: Path) -> None:
    config = company(tmp_path)
    night(config, DAY, date(2026, 11, 2))
    locked(config, date(2026, 11, 3))
    shown = pages(tmp_path)
    files = kept_files(config)
    # the rows behind the overview's machines and entries are kept, too, and a mail for each team
    rows = {name for name in files if name.startswith("rows/")}
    assert rows >= {"rows/chargeback.parquet", "rows/gpu_unjoined.parquet", "rows/host_matches.parquet"}
    assert {name for name in files if name.startswith("mail/")} == {"mail/search.eml", "mail/support.eml"}
    assert not any(".eml" in name for name in shown)
    assert isinstance(pl.from_arrow(pq.read_table(files["rows/host_matches.parquet"])), pl.DataFrame)

    # another currency, another name, a team that came later, and a mail server at last
    with Mailbox() as box:
        later = config.read_text().replace("name: Support}", "name: Care, recipients: [care@example.com]}")
        later = later.replace("teams:\n", "teams:\n  - {id: young, name: Young, recipients: [young@example.com]}\n")
        mail = f"mail: {{from: farthing@example.com, host: 127.0.0.1, port: {box.port}, security: none}}\n"
        rate = "exchange_rates:\n  - {from: USD, to: EUR, month: 2026-10, rate: 0.9, source: ECB}\n"
        config.write_text(later.replace("company: Small", "company: Small\ncurrency: EUR") + mail + rate)
        for file in (tmp_path / "reports" / "2026-10").iterdir():
            file.unlink()
        with open_house(config, "again", clock=lambda: at_noon(LATER)) as house:
            (rendered,) = render_run(house, OCTOBER, LATER, [])
        assert (rendered.count, rendered.problems) == (2, ())
        assert pages(tmp_path) == shown

        later_team = "young: no mail was kept: it came after the month was locked"
        assert promised(config) == [
            later_team,
            "search: to nobody: it has no recipients",
            "support: to care@example.com",
        ]
        found = delivered(config)
        assert found == Delivered(
            1,
            0,
            ("search: has no recipients, its statement is only in the report folder",),
            without_mail=(later_team,),
        )
        assert found.text() == f"1 sent, 0 sent before; {later_team}"
        assert promised(config)[2] == "support: sent before"
        (message,) = box.messages
        assert message["To"] == "care@example.com"
        assert message["Subject"] == "AI costs of Support, October 2026: $0.00"
        assert message["Message-ID"] == "<statement-2026-10-support-final@example.com>"
        text = message.get_body(("plain",))
        assert text is not None
        page = shown["statement-2026-10-support.txt"].decode()
        assert text.get_content().replace("\r\n", "\n") == page
        assert delivered(config).already_sent == 1

        # one lost page keeps no other page and no other month from being served; a lost mail is told, and not made up
        files["index.html"].unlink()
        files["mail/support.eml"].write_bytes(b"changed")
        (tmp_path / "reports" / "2026-10" / "index.html").unlink()
        with open_house(config, "again", clock=lambda: at_noon(LATER)) as house:
            (rendered,) = render_run(house, OCTOBER, LATER, [])
        (told,) = rendered.problems
        assert told.startswith("index.html of the locked month 2026-10 is not what was kept: ")
        assert pages(tmp_path) == {name: page for name, page in shown.items() if name != "index.html"}
        for receipt in (tmp_path / "lake" / "outbox").rglob("*support*"):
            receipt.unlink()
        found = delivered(config)
        assert (found.sent, len(box.messages)) == (0, 1)
        assert (
            "support: not sent: mail/support.eml of the locked month 2026-10 is not what was kept" in found.problems[1]
        )
