"""What a check says of a mapped bill before the first night: the mapping is held against the latest file."""

import json
from pathlib import Path

import pytest

from connectors.base import SourceError
from connectors.focus import SOURCE as FOCUS
from connectors.focus.mapped import SOURCE
from tests.connectors.focus.bills import csv_bill, line, settings
from tests.connectors.focus.mapped import mapped, used, written


def bill(folder: Path, month: str, content: bytes, name: str = "bill.csv") -> None:
    (folder / month).mkdir()
    (folder / month / name).write_bytes(content)


def test_a_mapping_that_fits_the_latest_file_is_said_to_be_there(tmp_path: Path) -> None:
    bill(tmp_path, "2026-08", b"Other,Columns\n1,2\n")
    bill(tmp_path, "2026-09", written(used()))
    assert SOURCE.probe(mapped(location=str(tmp_path))).endswith("2 bill files, 2026-08 to 2026-09")


def test_a_column_that_the_latest_file_lacks_is_told_with_the_nearest(tmp_path: Path) -> None:
    bill(tmp_path, "2026-09", written(used()).replace(b"Amount", b"Amounts"))
    with pytest.raises(SourceError, match=r"2026-09/bill.csv.*no column 'Amount'.*mean 'Amounts'"):
        SOURCE.probe(mapped(location=str(tmp_path)))


def test_what_no_record_of_json_names_is_told_where_a_charge_may_lack_it(tmp_path: Path) -> None:
    line = {name: value for name, value in used().items() if name != "Machine"}
    bill(tmp_path, "2026-09", json.dumps([line]).encode(), "bill.json")
    assert "2026-09/bill.json says nothing under Machine" in SOURCE.probe(mapped(location=str(tmp_path)))


def test_a_layout_that_fits_no_file_is_told(tmp_path: Path) -> None:
    bill(tmp_path, "2026-09", written(used()))
    with pytest.raises(SourceError, match="no file for any month"):
        SOURCE.probe(mapped(location=str(tmp_path), layout="bills/{year}-{month:02}/*"))


def test_a_bill_in_another_currency_than_the_settings_say_is_told_with_line_and_remedy(tmp_path: Path) -> None:
    chosen = settings(location=str(tmp_path), currency="EUR")
    bill(tmp_path, "2026-08", csv_bill(line(BillingCurrency="EUR")))
    assert FOCUS.probe(chosen).endswith("1 bill files, 2026-08 to 2026-08")
    bill(tmp_path, "2026-09", csv_bill(line(BillingCurrency="USD"), line(BillingCurrency="USD")))
    told = r"2026-09/bill\.csv, line 1 of its records: BillingCurrency is 'USD'.*`currency`.*'EUR'.*first 2: .*Set `currency`"
    with pytest.raises(SourceError, match=told):
        FOCUS.probe(chosen)
    bill(tmp_path, "2026-10", csv_bill(line(BillingCurrency="USD"), line(BillingCurrency="EUR")))
    assert FOCUS.probe(chosen).endswith("3 bill files, 2026-08 to 2026-10")


def test_a_focus_bill_without_its_cost_is_told_before_the_first_night(tmp_path: Path) -> None:
    bill(tmp_path, "2026-09", csv_bill(line()).replace(b"BilledCost", b"Cost"))
    with pytest.raises(SourceError, match=r"2026-09/bill\.csv.*BilledCost"):
        FOCUS.probe(settings(location=str(tmp_path)))
