"""Budgets as LiteLLM takes them: the text by hand, and LiteLLM itself, which starts with them and knows every call."""

import json
import os
import subprocess
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from pipelines.cli.litellm_budgets import exported
from pipelines.cli.main import app
from pipelines.config.load import load
from tests.connectors.litellm.proxy import litellm_environment

FILE = """\
company: Small
lake: lake
teams: [{id: search, name: Search, business_unit: Web}, {id: chat, name: Chat}, {id: bare, name: Bare}]
sources: [{name: bill, kind: focus, account: main, location: bills}]
owners:
  - {id: a, gateway_team: search-prod, team: search}
  - {id: b, gateway_team: chat-1, team: chat}
  - {id: c, gateway_team: chat-2, team: chat}
  - {id: d, gateway_key: bare, team: bare}
budgets:
  - {id: company, amount: 50000.75}
  - {id: old, team: search, amount: 1, to: 2026-10-01}
  - {id: search, team: search, amount: 12000, from: 2026-10-01}
  - {id: chat, team: chat, amount: 10}
  - {id: bare, team: bare, amount: 10}
  - {id: openai, provider: OpenAI, amount: 20_000}
  - {id: aws, provider: AWS, amount: 20_000}
  - {id: bot, feature: support-bot, amount: 300}
  - {id: gpt, model: gpt-5, amount: 300}
  - {id: search-gpt, team: search, model: gpt-5, amount: 300}
  - {id: tokens, tokens: 300}
  - {id: web, business_unit: Web, amount: 300}
"""
MONTH = date(2026, 10, 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "farthing.yml"
    written.write_text(FILE)
    return written


def test_what_the_gateway_is_given_and_what_it_cannot_be(file: Path) -> None:
    found = exported(load(file)[0], MONTH)
    assert yaml.safe_load(found.config) == {
        "litellm_settings": {"max_budget": 50000.75, "budget_duration": "1mo"},
        "router_settings": {"provider_budget_config": {"openai": {"budget_limit": 20000, "time_period": "1mo"}}},
    }
    calls = json.loads(found.requests, parse_float=Decimal)
    assert [(call["path"], call["body"]) for call in calls] == [
        ("/team/update", {"team_id": "search-prod", "max_budget": Decimal(12000), "budget_duration": "1mo"}),
        ("/tag/new", {"name": "support-bot", "max_budget": Decimal(300), "budget_duration": "1mo"}),
    ]
    named = [told.split(":")[0].removeprefix("budget ") for told in found.left_out]
    assert named == ["chat", "bare", "aws", "gpt", "search-gpt", "tokens", "web"]
    assert "LiteLLM knows no business units; give its teams budgets of their own" in found.left_out[-1]
    assert all(f"# Left out: {told}" in found.config for told in found.left_out)
    assert "as 2 teams (chat-1, chat-2)" in found.left_out[0]


HANDED_OVER = """\
company: Small
lake: lake
teams: [{id: search, name: Search}, {id: ads, name: Ads}]
sources: [{name: bill, kind: focus, account: main, location: bills}]
owners:
  - {id: a, gateway_team: gt1, team: search, to: HANDED}
  - {id: b, gateway_team: gt1, team: ads, from: HANDED}
budgets:
  - {id: search, team: search, amount: 100}
  - {id: ads, team: ads, amount: 200}
"""


@pytest.mark.parametrize(
    ("handed", "team_budget", "left_out"),
    [
        ("2026-01-01", 200, ["search: no owner rule"]),
        ("2026-10-01", 200, ["search: no owner rule"]),  # nothing of October is search's
        ("2026-11-01", 100, ["ads: no owner rule"]),  # all of October still is
        ("2026-10-02", None, ["search: the gateway's team gt1 is ads", "ads: the gateway's team gt1 is search"]),
    ],
)
def test_a_gateway_team_has_the_budget_of_whose_it_is_in_that_month(
    file: Path, handed: str, team_budget: int | None, left_out: list[str]
) -> None:
    file.write_text(HANDED_OVER.replace("HANDED", handed))
    found = exported(load(file)[0], MONTH)
    calls = json.loads(found.requests)
    assert [call["body"]["max_budget"] for call in calls] == ([team_budget] if team_budget else [])
    assert len(found.left_out) == len(left_out)
    for told, expected in zip(found.left_out, left_out, strict=True):
        assert told.startswith(f"budget {expected}")


def test_other_money_than_dollars_is_refused(file: Path) -> None:
    config = load(file)[0].model_copy(update={"currency": "EUR"})
    with pytest.raises(ValueError, match="LiteLLM counts dollars"):
        exported(config, MONTH)


def test_the_command_writes_both_files_and_says_what_is_left_out(file: Path) -> None:
    target = file.parent / "gateway.yaml"
    arguments = ["budgets", str(target), "--export", "litellm", "--month", "2026-10", "-c", str(file)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 3  # something was left out
    assert "budget tokens: LiteLLM limits tokens by the minute" in " ".join(result.output.split())
    assert json.loads((file.parent / "gateway.requests.json").read_text())
    assert CliRunner().invoke(app, ["budgets", "--export", "kong", "-c", str(file)]).exit_code == 2


def test_the_gateway_is_given_the_month_that_runs_whatever_is_billed_so_far(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.clock.utc_now", lambda: datetime(2026, 12, 1, 0, 5))
    target = file.parent / "gateway.yaml"
    assert CliRunner().invoke(app, ["budgets", str(target), "--export", "litellm", "-c", str(file)]).exit_code == 3
    assert "budgets of 2026-12 for LiteLLM" in target.read_text()


# LiteLLM's own reading: its configuration with the file included, its router, and the calls' own models
ASK = """
import asyncio, json, os, sys
from litellm.proxy import proxy_server
from litellm.proxy._types import UpdateTeamRequest
from litellm.types.tag_management import TagNewRequest
import litellm

async def main():
    router, models, settings = await proxy_server.ProxyConfig().load_config(router=None, config_file_path=sys.argv[1])
    known = {"/team/update": UpdateTeamRequest, "/tag/new": TagNewRequest}
    calls = json.load(open(sys.argv[2]))
    for call in calls:
        assert not set(call["body"]) - set(known[call["path"]].model_fields), call
    print(json.dumps({
        "max_budget": litellm.max_budget,
        "budget_duration": litellm.budget_duration,
        "providers": {name: dict(limit) for name, limit in router.router_budget_logger.provider_budget_config.items()},
        "calls": [known[call["path"]](**call["body"]).max_budget for call in calls],
    }))
    sys.stdout.flush()
    os._exit(0)

asyncio.run(main())
"""
GATEWAY: dict[str, Any] = {
    "include": ["budgets.yaml"],
    "model_list": [
        {
            "model_name": "gpt-4o",
            "litellm_params": {"model": "openai/gpt-4o", "api_key": "sk-none", "api_base": "http://x"},
        }
    ],
}


def test_litellm_itself_reads_what_is_exported(file: Path) -> None:
    python = litellm_environment() / "bin/python"
    found = exported(load(file)[0], MONTH)
    folder = file.parent
    (folder / "budgets.yaml").write_text(found.config)
    (folder / "calls.json").write_text(found.requests)
    (folder / "config.yaml").write_text(yaml.safe_dump(GATEWAY))
    (folder / "ask.py").write_text(ASK)
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    command = [str(python), "ask.py", "config.yaml", "calls.json"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["max_budget"], told["budget_duration"]) == (50000.75, "1mo")
    (limit,) = told["providers"].values()
    assert limit["max_budget"] == 20000
    assert limit["budget_duration"] == "1mo"
    assert told["calls"] == [12000, 300]
