"""The section `delivery`: who is told of anomalies, late sources and the week, by mail or chat, and when nobody is."""

from datetime import datetime, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from pipelines.config.strict import Slug, Strict
from pipelines.config.teams import Address

TEAM = "team"
Kind = Literal["anomaly", "budget", "stale", "digest"]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone such as Europe/Berlin") from None
    return name


class QuietHours(Strict):
    """Hours in which nobody is told of anything but statements: what is due waits for the next run after them."""

    start: Clock = Field(alias="from", description='First minute of them, in quotes: "20:00".')
    end: Clock = Field(alias="to", description='First minute after them, in quotes: "07:00"; may be the next day\'s.')
    time_zone: Annotated[str, AfterValidator(_is_zone)] = Field(default="UTC", description="Such as Europe/Berlin.")

    @model_validator(mode="after")
    def _some_hours(self) -> Self:
        if self.start == self.end:
            raise ValueError("'from' and 'to' are the same: nobody would ever be told, or always")
        return self

    def hold(self, now: datetime) -> bool:
        """Whether they hold at an instant (UTC, without a zone)."""
        there = now.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(self.time_zone)).time()
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        return start <= there < end if start < end else there >= start or there < end


class Digest(Strict):
    """The company's month so far in one mail: cost by team, budgets, what is unusual, what is late."""

    every: Literal["week", "month"] = Field(default="week", description="From Monday on, or from the first on.")
    to: tuple[Slug, ...] = Field(default=(), description="Roles that get it. It names every team.")


class Channel(Strict):
    """A chat or another service, as Apprise reaches it: Slack, Teams, Mattermost, PagerDuty, a webhook and others."""

    name: Slug = Field(description="How it is called in the outbox.")
    secret_url: SecretStr = Field(description="Apprise's address of it, such as slack://...; a reference.")
    tells: tuple[Kind, ...] = Field(min_length=1, description="Of what it is told.")
    team: Slug | None = Field(
        default=None, description="Only of this team's anomalies and budgets; without, of every team's and the digest."
    )

    @model_validator(mode="after")
    def _nothing_of_others(self) -> Self:
        if self.team is not None and {"digest", "stale"} & set(self.tells):
            raise ValueError("a team's channel is told of 'anomaly' and 'budget' alone: the others name every team")
        return self


class Delivery(Strict):
    """Who is told of what, beside statements: `team` is a team's recipients, every other role is listed here."""

    roles: dict[Slug, tuple[Address, ...]] = Field(
        default={}, description="Roles such as finance and engineering, each with its mail addresses."
    )
    anomalies: tuple[Slug, ...] = Field(
        default=(), description="Roles that are told of an anomaly while it lasts; `team`: its own. Each once."
    )
    stale: tuple[Slug, ...] = Field(default=(), description="Roles that are told of a source that is late or failing.")
    stale_days: int = Field(default=2, ge=1, le=60, description="Days without delivery after which a source is late.")
    digest: Digest | None = None
    quiet_hours: QuietHours | None = None
    channels: tuple[Channel, ...] = ()

    @model_validator(mode="after")
    def _roles_are_known(self) -> Self:
        if TEAM in self.roles:
            raise ValueError("'team' is each team's own recipients and cannot be listed under 'roles'")
        of_all = {*self.stale, *(self.digest.to if self.digest else ())}
        if TEAM in of_all:
            raise ValueError("'team' can be told of 'anomalies' alone: late sources and the digest are of all teams")
        unknown = sorted({*self.anomalies, *of_all} - {TEAM, *self.roles})
        if unknown:
            raise ValueError(f"role '{unknown[0]}' is not among 'roles' ({', '.join(sorted(self.roles)) or 'none'})")
        names = [channel.name for channel in self.channels]
        if len(set(names)) < len(names):
            raise ValueError("two channels have the same 'name': the outbox could not tell them apart")
        waiting = [channel.name for channel in self.channels if "digest" in channel.tells]
        if waiting and self.digest is None:
            raise ValueError(
                f"channel '{waiting[0]}' is told of 'digest', and nothing makes one: add 'digest: {{every: week}}'"
            )
        return self

    def is_quiet(self, now: datetime) -> bool:
        """Whether nobody is to be told of anything at an instant (UTC)."""
        return self.quiet_hours is not None and self.quiet_hours.hold(now)
