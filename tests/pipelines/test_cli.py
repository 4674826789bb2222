"""The command line in a process of its own: what it prints, and the exit codes that a scheduler goes by."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.small_company import line as bill_line
from tests.pipelines.small_company import write_bill, write_company, write_log

FARTHING = Path(sys.executable).with_name("farthing")


def farthing(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "COLUMNS": "200"}
    return subprocess.run(
        [str(FARTHING), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=600,
    )


@pytest.fixture
def company(tmp_path: Path) -> Path:
    write_company(tmp_path)
    return tmp_path


def test_help_names_every_command(tmp_path: Path) -> None:
    shown = farthing("--help", cwd=tmp_path)
    assert shown.returncode == 0
    for command in ("demo", "run", "check", "report", "board", "close", "query", "what-if", "init", "ui"):
        assert command in shown.stdout


def test_a_night_then_a_question_then_its_report(company: Path) -> None:
    ran = farthing("run", "2026-10-31", cwd=company)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "every unit of the bill is posted" in ran.stdout
    assert ran.stderr == ""
    assert "\x1b[" not in ran.stdout  # colour is for terminals

    asked = farthing("query", "select sum(effective_cost) as usd from chargeback", "--format", "json", cwd=company)
    assert asked.returncode == 0
    assert json.loads(asked.stdout) == [{"usd": "12.500000000000"}]
    wide = farthing("query", f"select '{'x' * 200}' as long, cast(0 as decimal(38, 12)) as nothing", cwd=company).stdout
    assert "x" * 200 in wide  # a pipe cuts no column
    assert "0.000000000000" in wide  # money has no exponent
    assert farthing("query", "select nothing from nowhere", cwd=company).returncode == 1
    meant = farthing("query", "select day from usage_daily", cwd=company)
    assert meant.returncode == 1
    assert "usage_daily has no column day; did you mean usage_date?" in meant.stdout
    refused = farthing("query", "delete from chargeback", cwd=company)
    assert refused.returncode == 1
    assert "read-only" in refused.stdout

    for outside in ("select * from read_text('/etc/hostname')", "copy chargeback to 'here.csv'", "set threads = 1"):
        kept_in = farthing("query", outside, cwd=company)
        assert kept_in.returncode == 1, kept_in.stdout
    assert not (company / "here.csv").exists()
    assert farthing("query", " ", cwd=company).returncode == 2

    again = farthing("report", "2026-10", cwd=company)
    assert again.returncode == 0
    assert "reports/2026-10/index.html" in again.stdout

    of_the_night = (company / "reports" / "2026-10" / "board.html").read_bytes()
    drawn = farthing("board", cwd=company)
    assert drawn.returncode == 0, drawn.stdout + drawn.stderr
    assert "reports/2026-10/board.html" in drawn.stdout
    assert (company / "reports" / "2026-10" / "board.html").read_bytes() == of_the_night
    without = farthing("board", "2026-09", cwd=company)
    assert without.returncode == 1
    assert "no costs of 2026-09 in USD" in without.stdout


def test_problems_of_a_source_have_an_exit_code_of_their_own(company: Path) -> None:
    write_bill(company / "bills", [bill_line(BillingCurrency="EUR"), bill_line()])
    ran = farthing("run", "2026-10-31", cwd=company)
    assert ran.returncode == 3
    assert "1 row refused" in ran.stdout
    assert "wrong_currency" in ran.stdout
    assert "EUR" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "yesterday"], "2026-10-31"),
        (["run", "2026-10-31..2026-10-01"], "backwards"),
        (["run", "2999-01-01"], "has not ended"),
        (["run", "2026-10-31", "--source", "bil"], "bill"),
        (["run", "-c", "nowhere.yml"], "farthing init"),
        (["query", "select 1", "--format", "xml"], "csv"),
        (["report", "2026-13"], "not a month such as 2026-10"),
    ],
)
def test_a_wrong_call_says_what_was_expected(company: Path, arguments: list[str], words: str) -> None:
    ran = farthing(*arguments, cwd=company)
    assert ran.returncode == 2
    assert words in ran.stdout + ran.stderr


def test_a_question_before_the_first_night_names_the_remedy(company: Path) -> None:
    asked = farthing("query", "select 1", cwd=company)
    assert asked.returncode == 1
    assert "farthing run" in asked.stdout


def test_a_question_needs_no_secret_of_any_source(company: Path) -> None:
    assert farthing("run", "2026-10-31", cwd=company).returncode == 0
    file = company / "farthing.yml"
    text = file.read_text(encoding="utf-8")
    secret = "\n  - {name: usage, kind: openai_usage, admin_key: env:NOWHERE_SET}\n"
    file.write_text(text.replace("sources:\n", f"sources:{secret}", 1), encoding="utf-8")
    assert farthing("check", "--offline", cwd=company).returncode == 2
    asked = farthing("query", "select count(*) as n from teams", "--format", "json", cwd=company)
    assert asked.returncode == 0, asked.stdout + asked.stderr


def test_check_tries_every_source(company: Path) -> None:
    sound = farthing("check", cwd=company)
    assert sound.returncode == 0, sound.stdout
    for name in ("bill", "other-bill", "gateway"):
        assert name in sound.stdout
    for file in (company / "log").rglob("*.jsonl"):
        file.unlink()
    (company / "log").rename(company / "log-elsewhere")
    broken = farthing("check", cwd=company)
    assert broken.returncode == 3
    assert "✗ gateway" in broken.stdout
    assert farthing("check", "--offline", cwd=company).returncode == 0


def test_init_writes_a_file_once(tmp_path: Path) -> None:
    assert farthing("init", cwd=tmp_path).returncode == 0
    written = (tmp_path / "farthing.yml").read_bytes()
    assert farthing("init", cwd=tmp_path).returncode == 2
    assert (tmp_path / "farthing.yml").read_bytes() == written


def test_an_unknown_model_is_no_problem_of_a_source(company: Path) -> None:
    write_log(company, model="nobody-knows-this-model")
    assert farthing("run", "2026-10-31", cwd=company).returncode == 0
