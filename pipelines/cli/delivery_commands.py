"""`farthing alerts` and `farthing outbox`: what there is to tell, and what became of all that was sent."""

from typing import Annotated

import typer
from rich.markup import escape

from pipelines.cli.options import DEFAULT_FILE, ConfigFile, console

_ACTIONS = {"failed": "came back", "delayed": "delayed, and still tried"}


def alerts(
    config: ConfigFile = DEFAULT_FILE,
    send: Annotated[bool, typer.Option("--send", help="Tell what nobody was told of yet, budgets included.")] = False,
) -> None:
    """What there is to tell of anomalies, late sources, budgets and the month, and who would be told."""
    from pipelines.cli.commands import OK, WITH_PROBLEMS, refused
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.budget_alerts import deliver_alerts, recipients
    from pipelines.night.notices import deliver_notices
    from pipelines.night.run import new_run_id
    from reports.outbox import NotSentError

    try:
        with open_house(config, new_run_id(), writing=send) as house:
            budgets, told = deliver_alerts(house, dry_run=not send), deliver_notices(house, dry_run=not send)
            lines = [(a.said, f"budget {a.budget_id}", ", ".join(recipients(house, a))) for a in budgets.due]
    except (ConfigError, LakeError, NotSentError) as error:
        raise typer.Exit(refused(console(), error)) from None
    lines += [(due.notice.safe_title(), due.notice.kind, due.place()) for due in told.due]
    for said, kind, place in lines:
        _say(f"{kind}: {said} -> {place or 'nobody'}")
    for note in filter(None, (budgets.note, told.note)):
        _say(note)
    _say(f"{budgets.sent + told.sent} sent, {len(lines)} due" if send else f"{len(lines)} due, nobody was told")
    problems = (*budgets.problems, *told.problems)
    for problem in problems:
        console().print(f"[red]✗[/] {escape(problem)}", highlight=False, soft_wrap=True)
    raise typer.Exit(WITH_PROBLEMS if problems else OK)


def outbox(
    config: ConfigFile = DEFAULT_FILE,
    everything: Annotated[bool, typer.Option("--all", help="Also what was sent and taken by everybody.")] = False,
) -> None:
    """What was begun and never confirmed, and whom a mail server refused: exit code 3 where there is any."""
    from pipelines.cli.commands import OK, WITH_PROBLEMS, refused
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.bounces import CameBack, came_back
    from pipelines.night.posting import outbox_of

    try:
        with open_house(config, "outbox", writing=False) as house:
            entries = outbox_of(house).entries()
            back = came_back(house, entries)
    except (ConfigError, LakeError) as error:
        raise typer.Exit(refused(console(), error)) from None
    returned = {name for name, _ in back.bounces}
    doubtful = [entry for entry in entries if not entry.is_sent or entry.refused]
    shown = [entry for entry in entries if entry in doubtful or entry.name in returned]
    for entry in entries if everything else shown:
        _say(f"{entry.name}: {'sent' if entry.is_sent else 'UNCERTAIN'}, message id {entry.message_id}")
        for who, why in entry.refused.items():
            _say(f"  refused: {who}: {why}")
        for name, bounce in back.bounces:
            if name == entry.name:
                _say(f"  {_ACTIONS[bounce.action]}: {bounce.recipient}: {bounce.reason}")
    uncertain = sum(not entry.is_sent for entry in entries)
    _say(f"{len(entries) - uncertain} sent, {uncertain} uncertain, {len(doubtful) - uncertain} with refused recipients")
    failed = sum(bounce.action == "failed" for _, bounce in back.bounces)
    if back != CameBack():
        others = f"{back.unknown} of other mails, {back.unread} mails that are no report: read those there"
        _say(back.problem or f"{failed} came back; {others}")
    raise typer.Exit(WITH_PROBLEMS if doubtful or failed or back.problem else OK)


def _say(text: str) -> None:
    console().print(escape(text), highlight=False, soft_wrap=True)
