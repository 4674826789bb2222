"""The schema of `farthing.yml`. Field descriptions are the documentation: `farthing init` and the docs print them."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, SecretStr, StringConstraints, model_validator

from connectors.base import SourceSettings, StoreOptions, revealed
from models.outcome_kinds import OutcomeKind
from models.pools import Pool as SharedPool
from pipelines.config.budgets import Budget, BudgetAlerts
from pipelines.config.changes import RegisteredChange
from pipelines.config.closing import Close, Currency, Invoice
from pipelines.config.delivery import Delivery
from pipelines.config.errata import Erratum
from pipelines.config.gpus import GpuIdleness, GpuWork, WarmStandby
from pipelines.config.metrics import Metric
from pipelines.config.outcomes import Outcome
from pipelines.config.pools import Pool
from pipelines.config.prices import Price
from pipelines.config.rates import ExchangeRate
from pipelines.config.reports import Reports
from pipelines.config.self_hosting import SelfHosting
from pipelines.config.strict import Dated, Slug, Strict, Words
from pipelines.config.teams import Address, LedgerAccount, Placement, Product, Team
from pipelines.config.unused import PromptCache, TokenLog, UnusedCapacity
from pipelines.limits import Limits

# What DuckDB understands as an amount of memory, with the unit said.
Memory = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}(\.[0-9]{1,3})? ?[KMGT]i?B$")]


class TagMatch(Strict):
    """A tag on a bill line, or a label of a pod or node."""

    key: Words = Field(description="Its key, as the bill or the cluster writes it.")
    value: Words = Field(description="The value that it must have.")


GPU_KINDS = ("namespace", "pod_label", "node_label")
OWNER_KINDS = ("gateway_key", "gateway_team", "feature", *GPU_KINDS, "sub_account", "resource", "commitment", "tag")


class Owner(Dated):
    """A rule: what matches belongs to a team or to a shared pool. The first match in the file's order wins."""

    id: Slug = Field(description="Kept on every posting that the rule makes.")
    gateway_key: Words | None = Field(default=None, description="Virtual key: its alias or its hash.")
    gateway_team: Words | None = Field(default=None, description="Team id in the gateway.")
    feature: Words | None = Field(default=None, description="Feature named in request metadata.")
    namespace: Words | None = Field(default=None, description="Kubernetes namespace that holds GPUs.")
    cluster: Words | None = Field(
        default=None,
        description="Beside `namespace`, `pod_label` or `node_label`: the one cluster where it matches.",
    )
    pod_label: TagMatch | None = Field(
        default=None, description="Label of a pod, or of a batch job, that holds GPUs: {key: team, value: search}."
    )
    node_label: TagMatch | None = Field(
        default=None,
        description="Label of a node with GPUs, which is its owner's also while nobody holds them: "
        "{key: karpenter.sh/nodepool, value: search}.",
    )
    sub_account: Words | None = Field(default=None, description="Sub-account, project or workspace on a bill.")
    resource: Words | None = Field(default=None, description="Resource id on a bill.")
    commitment: Words | None = Field(
        default=None, description="Reservation, savings plan or committed use: what nobody used of it is its owner's."
    )
    tag: TagMatch | None = Field(default=None, description="Tag on a bill line: {key: team, value: search}.")
    team: str | None = Field(default=None, description="Team that owns what matches.")
    pool: str | None = Field(default=None, description="Shared pool that what matches belongs to.")

    @property
    def match_kind(self) -> str:
        """Which of the kinds this rule matches by."""
        return next(kind for kind in OWNER_KINDS if getattr(self, kind) is not None)

    @property
    def match(self) -> tuple[str, str]:
        """What must match: the key of a tag or label, else nothing; and the value."""
        found: TagMatch | str = getattr(self, self.match_kind)
        return ("", found) if isinstance(found, str) else (found.key, found.value)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        given = [kind for kind in OWNER_KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"must match by exactly one of {', '.join(OWNER_KINDS)}; found {given or 'none'}")
        if self.cluster is not None and given[0] not in GPU_KINDS:
            raise ValueError(f"'cluster' goes with {', '.join(GPU_KINDS)}, not with {given[0]}")
        if (self.team is None) == (self.pool is None):
            raise ValueError("must name exactly one of 'team' and 'pool'")
        return self


class Model(Strict):
    """What a model's name in a log or on a bill means, where the price book cannot know."""

    provider: str = Field(description="Provider as the log writes it, such as hosted_vllm.")
    model: str = Field(description="Model as the log writes it.")
    id: str = Field(description="Model identity that figures are grouped by.")
    provider_id: str | None = Field(default=None, description="Provider in the price book; needed unless self_hosted.")
    self_hosted: bool = Field(default=False, description="Runs on the company's own GPUs: its cost is theirs.")

    @model_validator(mode="after")
    def _priced_somewhere(self) -> Self:
        if not self.self_hosted and self.provider_id is None:
            raise ValueError("needs 'provider_id', unless it is 'self_hosted: true'")
        return self


class Host(Dated):
    """A GPU node: what the bill calls it and what the GPU exporter calls it."""

    resource_id: str = Field(description="Resource on the bill, such as an instance id.")
    hostname: str = Field(description="Hostname label of the GPU exporter.")
    cluster: str
    gpus: int = Field(gt=0, le=1024, description="Physical GPUs.")
    gpu_model: str | None = None
    vcpus: int | None = Field(default=None, gt=0, le=4096, description="Cores: what splits the node's price.")
    memory_gib: Decimal | None = Field(
        default=None, gt=0, le=1_000_000, decimal_places=6, description="Memory, in GiB: likewise."
    )


class Mail(Strict):
    """How statements leave the house."""

    sender: Address = Field(alias="from")
    host: str
    port: int = Field(gt=0, lt=65536)
    security: Literal["tls", "starttls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = Field(default=None, description="A reference: env:NAME or file:path.")
    timeout_seconds: int = Field(default=30, gt=0, le=600)
    bounces: str | None = Field(
        default=None,
        min_length=1,
        description="Where mail to that sender is delivered: a Maildir, an mbox file or a folder of .eml files, "
        "relative to this file. What came back is told from it; it is only read.",
    )

    @model_validator(mode="after")
    def _login_can_be_sent(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("'username' and 'password' go together: give both or neither")
        if self.username is not None and self.security == "none":
            raise ValueError("a password is never sent unencrypted: set 'security' to tls or starttls")
        return self


class Restatements(Strict):
    """How far a bill may change what it said before without anybody being asked: beyond that it needs `--confirm`."""

    least_share: Annotated[Decimal, Field(ge=0, le=1, decimal_places=6)] = Field(
        default=Limits().least_share, description="Of the rows and the money that were there, what must come again."
    )
    most_share: Annotated[Decimal, Field(ge=1, le=1000, decimal_places=6)] = Field(
        default=Limits().most_share,
        description="Of the rows and the money of days that had settled, what may come at most.",
    )


class Config(Strict):
    """The whole file."""

    company: str = Field(min_length=1, max_length=200, description="Name on every statement.")
    currency: Currency = Field(default="USD", description="Currency of the statements.")
    lake: str = Field(description="Folder relative to this file, or s3://bucket/prefix.")
    storage: StoreOptions = Field(
        default={},
        repr=False,
        description="Options of the lake's object store; `credentials: ambient` uses the machine's own role. "
        "Secrets by reference.",
    )
    engine: Literal["duckdb", "spark"] = Field(default="duckdb", description="What runs the SQL.")
    spark_remote: str | None = Field(default=None, description="Spark Connect address, sc://host:port, for spark.")
    memory_limit: Memory = Field(default="4GB", description="DuckDB's memory limit, such as 4GB, 512MB or 2GiB.")
    sources: tuple[SourceSettings, ...] = Field(description="Where bills, logs and samples come from.")
    teams: tuple[Team, ...]
    hierarchy: tuple[Placement, ...] = ()
    products: tuple[Product, ...] = ()
    ledger_accounts: tuple[LedgerAccount, ...] = ()
    owners: tuple[Owner, ...] = ()
    pools: tuple[Pool, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    metrics: tuple[Metric, ...] = ()
    unused: tuple[UnusedCapacity, ...] = ()
    prompt_cache: PromptCache = PromptCache()
    token_log: TokenLog = TokenLog()
    models: tuple[Model, ...] = ()
    hosts: tuple[Host, ...] = ()
    gpu_idleness: GpuIdleness = GpuIdleness()
    gpu_work: tuple[GpuWork, ...] = ()
    warm_standby: tuple[WarmStandby, ...] = ()
    prices: tuple[Price, ...] = ()
    exchange_rates: tuple[ExchangeRate, ...] = ()
    restatements: Restatements = Restatements()
    invoices: tuple[Invoice, ...] = ()
    errata: tuple[Erratum, ...] = ()
    close: Close = Close()
    budgets: tuple[Budget, ...] = ()
    budget_alerts: BudgetAlerts = BudgetAlerts()
    changes: tuple[RegisteredChange, ...] = ()
    self_hosting: tuple[SelfHosting, ...] = ()
    delivery: Delivery = Delivery()
    reports: Reports = Reports()
    mail: Mail | None = None

    @property
    def store_options(self) -> dict[str, str]:
        """The options of the lake's object store in clear, for the store alone."""
        return revealed(self.storage)

    @property
    def shared_pools(self) -> list[SharedPool]:
        """The shared pools as the ledger takes them."""
        return [pool.resolved([team.id for team in self.teams]) for pool in self.pools]

    @property
    def outcome_kinds(self) -> list[OutcomeKind]:
        """The kinds of outcomes as they are computed with."""
        return [outcome.resolved() for outcome in self.outcomes]

    @model_validator(mode="after")
    def _engine_has_address(self) -> Self:
        if self.engine == "spark" and not self.spark_remote:
            raise ValueError("'engine: spark' needs 'spark_remote: sc://host:port'")
        return self


def settings_fields(model: type[BaseModel]) -> dict[str, Any]:
    """The names under which a model's fields are written in the file, each with its field."""
    return {field.alias or name: field for name, field in model.model_fields.items()}
