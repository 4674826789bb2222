"""Anomalies, late sources and the digest: told once, to the right people, never in quiet hours, and harmless in chats."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner

from models.frames import frame_of
from pipelines.cli.main import app
from pipelines.config import ConfigError, load
from pipelines.config.delivery import Channel, Delivery, QuietHours
from pipelines.house import House, open_house
from pipelines.night import budget_alerts, notices
from pipelines.night.notices import deliver_notices
from pipelines.night.posting import outbox_of
from reports.chat import send_chat
from reports.notice import Notice, chat_text, notice_message
from reports.notices import Apart, anomaly_notices, digest_month, digest_notice, stale_notices
from reports.outbox import NotSentError
from tests.pipelines.mailbox import Mailbox
from tests.pipelines.small_company import write_company
from tests.pipelines.test_budget_alerts import row as budget_row
from tests.sql.golden import filled

NOON = datetime(2026, 10, 17, 12)
SETTINGS = """\
mail: {{from: farthing@example.com, host: 127.0.0.1, port: {port}, security: none}}
delivery:
  roles: {{finance: [finance@example.com], engineering: [platform@example.com, finance@example.com]}}
  anomalies: [team, finance]
  stale: [engineering]
  digest: {{every: week, to: [finance]}}
  quiet_hours: {{from: "20:00", to: "07:00", time_zone: Europe/Berlin}}
  channels:
    - {{name: all, secret_url: "env:CHAT_URL", tells: [anomaly, stale, digest, budget]}}
    - {{name: support, secret_url: "env:CHAT_URL", tells: [anomaly], team: support}}
"""


class Chat:
    """A service that takes JSON on this machine; `answer` is its status."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.answer = 200
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                chat.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(chat.answer)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"json://user:hunter2@127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def chat() -> Iterator[Chat]:
    served = Chat()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as box:
        yield box


@pytest.fixture
def opened(
    tmp_path: Path, mailbox: Mailbox, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[datetime], House]]:
    monkeypatch.setenv("CHAT_URL", chat.url)
    file = write_company(tmp_path)
    file.write_text(file.read_text() + SETTINGS.format(port=mailbox.port))
    held: list[Any] = []

    def at(now: datetime) -> House:
        while held:
            held.pop().__exit__(None, None, None)
        held.append(open_house(file, "run", clock=lambda: now))
        return held[-1].__enter__()

    def given(_: House, *__: object) -> list[Notice]:
        return []

    for name in ("_stale", "_digest", "due_budget_notices"):
        monkeypatch.setattr(notices, name, given)

    def two(_: House) -> list[Notice]:
        return [of("support"), of(None)]

    monkeypatch.setattr(notices, "_anomalies", two)
    yield at
    for one in held:
        one.__exit__(None, None, None)


def of(team: str | None) -> Notice:
    return Notice(f"notice/anomaly/{team}", "anomaly", f"Unusual cost of {team}", ("a line",), team)


def test_each_role_and_channel_is_told_once_and_a_team_s_channel_of_its_team_alone(
    opened: Callable[[datetime], House], mailbox: Mailbox, chat: Chat
) -> None:
    house = opened(NOON)
    first = deliver_notices(house)
    assert first.problems == ()
    assert first.sent == len(first.due) == 5  # two mails, two to the company's channel, one to the team's
    assert sorted((m["To"], m["Subject"]) for m in mailbox.messages) == [
        ("finance@example.com", "Unusual cost of None"),
        *sorted((to, "Unusual cost of support") for to in [_support(house)]),
    ]
    assert sorted(told["title"] for told in chat.got) == ["Unusual cost of None", *["Unusual cost of support"] * 2]
    again = deliver_notices(house)
    assert (again.due, again.sent) == ((), 0)
    assert len(chat.got) == 3


def _support(house: House) -> str:
    (team,) = [team for team in house.config.teams if team.id == "support"]
    return ", ".join((*team.recipients, "finance@example.com"))


def test_a_channel_that_was_told_of_four_fifths_of_a_budget_is_not_told_of_half_afterwards(
    opened: Callable[[datetime], House], chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reached(threshold: str, month: date = date(2026, 10, 1)) -> int:
        row = budget_row(spent_threshold=threshold, billing_period=month)
        monkeypatch.setattr(budget_alerts, "status_rows", lambda _: [row])
        return deliver_notices(house).sent

    def no_anomalies(_: House) -> list[Notice]:
        return []

    house = opened(NOON)
    house.file.write_text(house.file.read_text() + "budgets: [{id: all, amount: 20, recipients: [a@example.com]}]\n")
    house = opened(NOON)
    monkeypatch.setattr(notices, "_anomalies", no_anomalies)
    monkeypatch.setattr(notices, "due_budget_notices", budget_alerts.due_budget_notices)
    # a credit comes after the second: half is no news any more, all of it is
    assert [reached(threshold) for threshold in ("0.5", "0.8", "0.5", "1", "0.8")] == [1, 1, 0, 1, 0]
    assert reached("0.5", date(2026, 11, 1)) == 1
    assert len(chat.got) == 4


def test_in_quiet_hours_nobody_is_told_and_nothing_is_lost(
    opened: Callable[[datetime], House], mailbox: Mailbox, chat: Chat
) -> None:
    quiet = deliver_notices(opened(datetime(2026, 10, 17, 4, 59)))  # 06:59 in Berlin
    assert (quiet.sent, quiet.note) == (0, "quiet hours: 5 notices wait for the next run after them")
    assert (mailbox.messages, chat.got) == ([], [])
    assert deliver_notices(opened(datetime(2026, 10, 17, 5))).sent == 5


def test_a_dry_run_tells_nobody_and_a_refusing_service_is_tried_again(
    opened: Callable[[datetime], House], mailbox: Mailbox, chat: Chat
) -> None:
    house = opened(NOON)
    assert len(deliver_notices(house, dry_run=True).due) == 5
    assert chat.got == []
    chat.answer = 503
    failed = deliver_notices(house)
    assert (failed.sent, len(failed.problems)) == (2, 3)
    assert "refused it (status 503)" in failed.problems[0]
    assert "hunter2" not in repr(failed)
    chat.answer = 200
    assert deliver_notices(house).sent == 3


def test_roles_that_no_mail_can_reach_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: House) -> list[Notice]:
        return []

    monkeypatch.setattr(notices, "_all", none)
    file = write_company(tmp_path)
    settings = "delivery: {roles: {finance: [a@example.com]}, anomalies: [team, finance], stale: [finance]}\n"
    file.write_text(file.read_text() + settings)
    with open_house(file, "run", clock=lambda: NOON) as house:
        said = deliver_notices(house).note
    assert said == "no mail server is configured: team, finance under `delivery` are told of nothing"


def test_what_nobody_knows_of_stays_in_the_outbox_and_is_told(
    opened: Callable[[datetime], House], chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(message: EmailMessage, name: str, secret_url: str) -> dict[str, str]:
        raise ConnectionError(name)

    house = opened(NOON)
    monkeypatch.setattr(notices, "send_chat", hangs)
    assert "never confirmed" in deliver_notices(house).problems[0]
    assert deliver_notices(house).sent == 0
    doubtful = [entry for entry in outbox_of(house).entries() if not entry.is_sent]
    assert len(doubtful) == 3
    shown = CliRunner().invoke(app, ["outbox", "-c", str(house.file)], env={"COLUMNS": "200"})
    assert shown.exit_code == 3
    assert "2 sent, 3 uncertain" in shown.output


def test_no_service_is_certainly_not_told(tmp_path: Path) -> None:
    message = notice_message(of("a"), "Example", "a@example.com", ["b@example.com"], "<x@example.com>", NOON)
    with pytest.raises(NotSentError, match="channel 'chat' cannot be reached"):
        send_chat(message, "chat", "json://user:hunter2@127.0.0.1:9/hook")
    with pytest.raises(NotSentError, match="no address that Apprise knows") as refused:
        send_chat(message, "chat", "nosuch://hunter2")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "<!channel> @here <@U123>",
        "[x](http://evil.example/)",
        "a\r\nBcc: thief@example.com",
        "*b* `c` _d_",
        "=?utf-8?q?a?=",
        "~~a~~ #b",
    ],
)
def test_a_hostile_name_calls_nobody_and_adds_no_header(name: str, chat: Chat) -> None:
    notice = Notice("notice/x", "anomaly", name, (name, name))
    message = notice_message(notice, name, "a@example.com", ["b@example.com"], "<x@example.com>", NOON)
    assert message["To"] == "b@example.com"
    assert message["Bcc"] is None
    assert "\n" not in message["Subject"]
    send_chat(message, "chat", chat.url)
    (told,) = chat.got
    for text in (told["title"], told["message"]):
        assert not set(text) & set("<>@`*[]|~#")
        assert "://" not in text
    assert chat_text("<!here> https://x") == "\u2039!here\u203a https:\u00a0//x"


def anomaly(**more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "anomaly_id": "a1",
        "level": "team",
        "team_id": "support",
        "account": "team:support",
        "model_id": "gpt-5",
        "metric": "cost",
        "onset_date": date(2026, 10, 10),
        "found_date": date(2026, 10, 11),
        "last_alarm_date": date(2026, 10, 12),
        "settled_date": date(2026, 10, 14),
        "state": "ongoing",
        "is_alert": True,
        "excess_cost": Decimal(120),
        "currency": "USD",
        "cause": "new_model",
        "evidence": "gpt-5 is new",
        "runbook": None,
    }
    return row | more


def test_alerts_that_last_and_were_found_within_a_week_are_told() -> None:
    rows = [
        anomaly(),
        anomaly(state="resolved"),
        anomaly(is_alert=False),
        anomaly(anomaly_id="a2", found_date=date(2026, 10, 8)),
        anomaly(anomaly_id="a3", found_date=date(2026, 10, 7)),
    ]
    told = list(anomaly_notices(rows))
    of = "notice/anomaly/team/team:support/gpt-5/cost"
    assert [notice.key for notice in told] == [f"{of}/2026-10-11", f"{of}/2026-10-08"]
    # later figures move the day it began, and its id with it: it is told once all the same
    (moved,) = anomaly_notices([anomaly(anomaly_id="a9", onset_date=date(2026, 10, 9))])
    assert moved.key == told[0].key
    assert told[0].title == "Unusual cost of support: Cost of gpt-5, 10–12 Oct, +$120.00 beyond expectation"
    assert told[0].lines[1] == "A new model: gpt-5 is new. It goes on."


def fresh(day: int, *, status: str = "committed", served: bool = True, source: str = "log", fact: str = "x") -> Any:
    slice_date = date(2026, 10, day)
    row = {"x_source": source, "x_account": "", "fact": fact, "slice_date": slice_date, "status": status}
    return row | {"delivery_id": "d" if served else None, "message": None, "answered_at": None}


def bill(month: int, status: str, answered: int | None, *, message: str | None = None) -> Any:
    """A month of a bill that arrived, of which the last good answer was on that day of October."""
    at = None if answered is None else datetime(2026, 10, answered, 5, 30)
    row = fresh(1, status=status, source="bill", fact="charges", served=answered is not None)
    return row | {"slice_date": date(2026, month, 1), "answered_at": at, "message": message}


def test_each_outage_of_a_monthly_bill_is_told_once() -> None:
    def key(day: int, status: str, answered: int) -> str | None:
        rows = [bill(9, status, answered), bill(10, status, answered)]
        return next((notice.key for notice in stale_notices(rows, date(2026, 10, day), 2)), None)

    first, still = key(4, "failed", 3), key(5, "incomplete", 3)
    assert key(6, "committed", 6) is None
    second = key(10, "failed", 9)
    assert first is not None
    assert first == still != second
    # a bill that never came: one outage, which the next month does not make another
    never = [bill(10, "failed", None), bill(11, "failed", None)]
    (october,), (november,) = (list(stale_notices(never[:n], date(2026, 11, n), 2)) for n in (1, 2))
    assert (october.key, october.title) == (november.key, "Source bill failed: October 2026")


def test_an_outage_is_known_by_the_last_good_answer_that_the_lake_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_company(tmp_path)
    file.write_text(file.read_text() + SETTINGS.format(port=1))
    monkeypatch.setenv("CHAT_URL", "json://127.0.0.1:1/hook")
    row = {**bill(10, "failed", 1), "x_account": "main"}
    del row["answered_at"]

    class Snapshot:
        def read(self, _: str) -> pa.Table:
            return pa.Table.from_pylist([row])

    def published(_: object) -> Snapshot:
        return Snapshot()

    def asked(_: object, source: str) -> dict[date, datetime]:
        return {date(2026, 10, 1): datetime(2026, 10, 9, 5, 30)} if source == "bill" else {}

    def none(_: House, *__: object) -> list[Notice]:
        return []

    for name in ("_anomalies", "_digest", "due_budget_notices"):
        monkeypatch.setattr(notices, name, none)
    with open_house(file, "run", clock=lambda: NOON) as house:
        monkeypatch.setattr(type(house.lake), "published", published)
        monkeypatch.setattr(type(house.lake), "asked", asked)
        keys = {due.notice.key for due in notices.due_notices(house)}
    assert keys == {"notice/stale/bill/main/after-2026-10-09"}


def test_a_slice_that_is_not_the_newest_is_told_once_as_well() -> None:
    """September fails while October comes; a day before the newest; one beyond what anybody still looks at does not."""
    months = [bill(9, "failed", 3, message="no manifest"), bill(10, "committed", 16)]
    (told,) = stale_notices(months, date(2026, 10, 16), 2)
    assert told.lines == (
        "Source bill failed: September 2026",
        "The newest that arrived is of October 2026.",
        "no manifest",
    )
    (later,) = stale_notices([months[0], bill(10, "committed", 17)], date(2026, 10, 17), 2)
    assert later.key == told.key
    days = [fresh(12, status="incomplete"), fresh(13, status="failed"), fresh(14), fresh(15)]
    (older,) = stale_notices(days, date(2026, 10, 16), 2)
    assert (older.title, older.lines[2]) == ("Source log failed: 13 Oct", "In trouble as well: 12 Oct.")
    (down,) = stale_notices([*days, fresh(16, status="failed", served=False)], date(2026, 10, 16), 2)
    assert (down.title, down.key != older.key) == ("Source log failed: 16 Oct", True)
    assert list(stale_notices(days, date(2027, 3, 1), 365)) == []


def test_of_two_outages_of_a_source_each_is_told_once() -> None:
    """September fails since the 3rd and October since the 9th, together or one after the other."""
    last = date(2026, 10, 16)

    def keys(*months: Any) -> list[str]:
        return [notice.key.removeprefix("notice/stale/bill//") for notice in stale_notices(months, last, 2)]

    september, october = bill(9, "failed", 3), bill(10, "failed", 9)
    assert keys(bill(9, "committed", 3), october) == ["after-2026-10-09"]
    assert keys(september, october) == ["after-2026-10-09", "after-2026-10-03"]
    assert keys(september, bill(10, "committed", 10)) == ["after-2026-10-03"]
    # what began in one night is one, however many of it are left
    later = {**october, "slice_date": date(2026, 9, 1), "answered_at": datetime(2026, 10, 9, 5, 28)}
    assert keys(later, october) == keys(later, bill(10, "committed", 10)) == ["after-2026-10-09"]
    assert keys(later, bill(10, "failed", None)) == ["never-2026-10-01", "after-2026-10-09"]
    # of a hundred nobody wants a hundred mails
    many = [bill(month, "failed", month) for month in range(7, 13)]
    found = list(stale_notices(many, last, 2))
    assert len(found) == 3
    assert found[0].lines[2].startswith("In trouble as well: November 2026, October 2026")


def test_a_source_is_late_after_its_days_or_in_trouble_at_once() -> None:
    last = date(2026, 10, 16)
    assert list(stale_notices([fresh(15)], last, 2)) == []
    (late,) = stale_notices([fresh(13), fresh(14)], last, 2)
    assert (late.title, late.lines[1]) == ("Source log is late: 14 Oct", "The newest that arrived is of 14 Oct.")
    (failed,) = stale_notices([fresh(14), fresh(16, status="failed", served=False)], last, 9)
    assert failed.title == "Source log failed: 16 Oct"
    # the same outage is told once, the next one anew
    (longer,) = stale_notices([fresh(14), fresh(16, status="failed", served=False)], last + timedelta(days=1), 2)
    (later,) = stale_notices([fresh(15), fresh(16, status="failed", served=False)], last, 2)
    assert failed.key == longer.key == late.key != later.key
    assert list(stale_notices([fresh(1, fact="charges")], last, 2)) == []


def test_a_digest_is_one_a_week_and_names_what_holds() -> None:
    costs = {"support": Decimal("2.50"), "search": Decimal("10.25")}

    def of_day(day: int) -> Notice:
        return digest_notice("week", date(2026, 10, day), costs, "USD", [], [of(None)], date(2026, 10, 1))

    assert of_day(12).key == of_day(18).key != of_day(19).key
    assert of_day(12).lines == (
        "AI costs of October 2026: $12.75",
        "search: $10.25",
        "support: $2.50",
        "Unusual cost of None",
    )


def test_a_digest_tells_what_has_no_rate_keeps_a_team_from_a_residual_and_is_bounded() -> None:
    costs = {"team:idle": Decimal(2), "residual:idle": Decimal(3), "team:b": Decimal(-1)}
    told = digest_notice(
        "week",
        date(2026, 10, 12),
        costs,
        "USD",
        [],
        [],
        date(2026, 10, 1),
        Apart((("CHF", Decimal(12)), ("GBP", Decimal(3)))),
    )
    assert told.lines[1:4] == ("idle (of no team): $3.00", "idle: $2.00", "b: \u2212$1.00")
    assert told.lines[4].startswith("Not in it, for want of an exchange rate: CHF")
    assert "GBP" in told.lines[4]
    many = {f"team:t{at:03}": Decimal(1) for at in range(50)}
    long = digest_notice("week", date(2026, 10, 12), many, "USD", [], [of(None)] * 42, date(2026, 10, 1))
    assert (long.lines[41], long.lines[-1], len(long.lines)) == ("and 10 more: $10.00", "and 2 more", 1 + 41 + 41)


def test_a_digest_of_a_month_that_was_closed_in_another_currency_is_told_in_that_and_drops_nothing() -> None:
    of_search = {"account": "team:search", "effective_cost": "10", "reporting_effective_cost": "12"}
    dollars = of_search | {"billing_currency": "EUR", "reporting_currency": "USD"}
    no_rate = dollars | {"billing_currency": "CHF", "reporting_effective_cost": None}
    euros = of_search | {"billing_currency": "EUR", "reporting_currency": "EUR", "reporting_effective_cost": "10"}

    def told(*rows: dict[str, Any]) -> object:
        return notices.month_costs(frame_of(filled("chargeback", list(rows))), "USD")

    no_francs, in_euros = (("CHF", Decimal(10)),), (("EUR", Decimal(10)),)
    assert told(dollars, no_rate) == ("USD", {"team:search": Decimal(12)}, (no_francs, ()))
    assert told(euros, euros) == ("EUR", {"team:search": Decimal(20)}, ((), ()))
    assert told(dollars, no_rate, euros) == ("USD", {"team:search": Decimal(12)}, (no_francs, in_euros))
    # of two others that of most rows
    pounds = euros | {"reporting_currency": "GBP", "reporting_effective_cost": "9"}
    assert told(euros, pounds, pounds) == ("GBP", {"team:search": Decimal(18)}, ((), in_euros))
    assert told() == ("USD", {}, ((), ()))


def test_a_digest_says_of_what_is_not_in_it_why() -> None:
    costs, apart = {"team:b": Decimal(1)}, (("CHF", Decimal(12)),)
    of = ("week", date(2026, 10, 12), costs, "USD", [], [], date(2026, 10, 1))
    assert digest_notice(*of, Apart((), (("EUR", Decimal(3)),))).lines[2:] == (
        "Not in it, as it was converted to another currency: EUR\xa03.00",
    )
    assert len(digest_notice(*of, Apart(apart, (("EUR", Decimal(3)),))).lines) == 4


def test_a_month_s_digest_is_of_the_month_before_and_a_week_s_of_the_newest() -> None:
    september, october, november = (date(2026, month, 1) for month in (9, 10, 11))
    months = [september, october, november]
    assert digest_month("month", date(2026, 11, 1), months) == october
    assert digest_month("week", date(2026, 11, 1), months) == november
    assert digest_month("week", date(2026, 10, 31), months) == october
    assert digest_month("month", date(2026, 9, 30), months) is None
    assert digest_month("month", date(2026, 11, 30), [september]) == september


def test_quiet_hours_may_pass_midnight_and_follow_their_zone() -> None:
    night = QuietHours.model_validate({"from": "20:00", "to": "07:00", "time_zone": "Europe/Berlin"})
    # summer: 20:00 there is 18:00 UTC; winter: 19:00
    told = [night.hold(datetime(2026, month, 1, hour)) for month, hour in ((7, 17), (7, 18), (12, 18), (12, 19))]
    assert told == [False, True, False, True]
    lunch = QuietHours.model_validate({"from": "12:00", "to": "13:00"})
    assert [lunch.hold(datetime(2026, 7, 1, 11, 59)), lunch.hold(datetime(2026, 7, 1, 12))] == [False, True]
    assert not lunch.hold(datetime(2026, 7, 1, 13))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"anomalies": ["nobody"]}, "role 'nobody' is not among 'roles'"),
        ({"stale": ["team"]}, "of all teams"),
        ({"digest": {"to": ["team"]}}, "of all teams"),
        ({"roles": {"team": ["a@example.com"]}}, "cannot be listed"),
        ({"quiet_hours": {"from": "07:00", "to": "07:00"}}, "are the same"),
        ({"quiet_hours": {"from": "25:00", "to": "07:00"}}, "pattern"),
        ({"quiet_hours": {"from": "20:00", "to": "07:00", "time_zone": "Mars"}}, "no time zone"),
        ({"channels": [{"name": "a", "secret_url": "x", "tells": ["digest"], "team": "b"}]}, "every team"),
        ({"channels": [{"name": "a", "secret_url": "x", "tells": ["stale"]}] * 2}, "same 'name'"),
        ({"channels": [{"name": "a", "secret_url": "x", "tells": []}]}, "at least 1"),
        ({"channels": [{"name": "a", "secret_url": "x", "tells": ["digest"]}]}, "nothing makes one: add 'digest"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Delivery.model_validate(given)


def test_a_channel_of_an_unknown_team_and_an_open_address_are_refused(tmp_path: Path) -> None:
    file = write_company(tmp_path)
    text = file.read_text()
    channel = "delivery: {{channels: [{{name: a, secret_url: {url}, tells: [anomaly], team: {team}}}]}}\n"
    file.write_text(text + channel.format(url='"env:CHAT"', team="nosuch"))
    with pytest.raises(ConfigError, match="nosuch"):
        load(file, {"CHAT": "json://localhost"})
    file.write_text(text + channel.format(url='"json://localhost"', team="support"))
    with pytest.raises(ConfigError, match="secret_url"):
        load(file, {})
    assert "hunter2" not in repr(Channel(name="a", secret_url=SecretStr("hunter2"), tells=("anomaly",)))
