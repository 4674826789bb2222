"""The sample company's `farthing.yml`, commented for people who read one for the first time, and its secret."""

import hashlib
from pathlib import Path

from sample.company import (
    COMPANY,
    DOMAIN,
    HOSTS,
    OWNERS,
    POOL_WEIGHTS,
    SELF_HOSTED,
    SHARED_SUBSCRIPTION,
    TEAMS,
    OwnerRule,
)
from sample.engines import ENGINE_MODEL

HEAD = f"""\
# Farthing's one file, here for an invented company. Days are UTC days; paths start at this file.
company: {COMPANY}
currency: USD
# Tables, landed files and the journal. A folder, or a bucket such as s3://finops-lake/farthing.
lake: lake

# Where the facts come from: bills, gateway logs, GPUs. Each source has a name of its own.
sources:
  # What the API providers charge and count. With a key instead of saved answers, their API is asked itself:
  #   admin_key: env:OPENAI_ADMIN_KEY
  - name: openai-costs
    kind: openai_costs
    account: org-alder-finch
    location: exports/openai
  - name: openai-usage
    kind: openai_usage
    account: org-alder-finch
    location: exports/openai
    endpoints: [completions]
  - name: anthropic-costs
    kind: anthropic_costs
    account: alder-finch
    location: exports/anthropic
  - name: anthropic-usage
    kind: anthropic_usage
    account: alder-finch
    location: exports/anthropic
  # A bill in FOCUS, whatever the version and file format.
  - name: nimbus-bill
    kind: focus
    account: NC-1847
    location: exports/gpucloud
  # The three large clouds, each in its own export: a folder here, or a bucket (s3://, gs://, az://).
  - name: aws-bill
    kind: aws_bill
    account: "111122223333"
    location: exports/aws/alder-finch-cur2
  - name: google-cloud-bill
    kind: gcp_bill
    account: 018A47-F1AC40-2D5E8B
    location: exports/gcp
  - name: azure-bill
    kind: azure_bill
    account: "18471847"
    location: exports/azure
    actual: actual-daily
    amortized: amortized-daily
  # What the clouds say of commitments: terms, scopes, prices, deployed units. Saved answers here, their APIs else.
  - name: azure-commitments
    kind: azure_commitments
    location: exports/azure-terms
    subscriptions: [{SHARED_SUBSCRIPTION}]
  - name: google-cloud-commitments
    kind: gcp_commitments
    location: exports/gcp-terms
  # Logs of the two gateways. Users become keyed hashes; the key is a reference, never the secret itself.
  - name: gateway-us
    kind: litellm
    account: us
    location: exports/litellm-us
    hash_key: file:secrets/hash_key
    outcome_keys: [ticket_id, document_id]
  - name: gateway-eu
    kind: litellm
    account: eu
    location: exports/litellm-eu
    hash_key: file:secrets/hash_key
    outcome_keys: [ticket_id, document_id]
  # What came of requests: the helpdesk's own export, whose columns are named here.
  - name: helpdesk
    kind: outcomes_file
    location: exports/helpdesk
    layout: "tickets-{{date}}.csv"
    hash_key: file:secrets/hash_key
    constants: {{outcome_kind: ticket-resolved}}
    fields: {{outcome_id: ticket, occurred_at: changed_at, result: status, quality_value: csat}}
  # GPU samples: scrapes of the DCGM exporter, one cluster each.
  - name: gpus-serving
    kind: dcgm
    account: serving
    scrapes: exports/dcgm/serving
  - name: gpus-research
    kind: dcgm
    account: research
    scrapes: exports/dcgm/research
  # Who holds GPUs, and which machine a node is: scrapes of kube-state-metrics.
  - name: pods-serving
    kind: kubernetes_allocations
    account: serving
    scrapes: exports/kube-state-metrics/serving
  - name: nodes-serving
    kind: kubernetes_nodes
    account: serving
    scrapes: exports/kube-state-metrics/serving
  # What the engines of one's own models count: scrapes of vLLM.
  - name: engines-serving
    kind: serving
    account: serving
    scrapes: exports/vllm/serving

# Who gets a statement.
teams:
"""
OWNERS_HEAD = """
# What belongs to whom. The first rule that matches wins; each matches by exactly one thing and names a team or a pool.
# 'from' is the first day on which a rule holds, 'to' the first on which it no longer does.
owners:
"""
POOLS_HEAD = """
# Costs that teams share by use: the serving GPUs, by the weighted tokens of the model that runs on them.
pools:
"""
MODELS_HEAD = """
# What the price list cannot know: models of one's own, as the gateways and as the engines call them.
models:
"""
HOSTS_HEAD = """
# GPU nodes: what the bill calls them and what the exporter calls them.
hosts:
"""
OUTCOMES = """
# What requests are made for, and when it is a success: what one costs is in unit_costs.
outcomes:
  - name: ticket-resolved
    features: [reply-draft, ticket-triage]
    trace: ticket_id
    successes: [resolved]
    reversals: [reopened]
    quality: {from: 1, to: 5}
    maturity_days: 5
    human_cost_usd: 4.80
  # Without events of their own: the log knows which documents were tried, and which attempts succeeded.
  - name: document-parsed
    from: gateway
    trace: document_id
"""
BUDGETS = f"""
# What a month may come to: the company's, teams', a model's in tokens. Whoever is about to exceed one is told.
budgets:
  - {{id: company, amount: 36_000, recipients: [finance@{DOMAIN}]}}
  - {{id: product, business_unit: Product, amount: 13_000, recipients: [product-lead@alder-finch.example]}}
  - {{id: search, team: search, amount: 9_000}}
  - {{id: support, team: support, amount: 3_000}}
  - {{id: support-mini, team: support, model: gpt-5-mini, tokens: 5_000_000}}
  - {{id: research, team: research, amount: 9_000}}
"""
DECISIONS = """
# What was done to spend less, and what it was to save: verified_savings says what came of it, once days suffice.
changes:
  - id: shorter-digests
    what: Digests of papers are asked for in half the words
    switched_on: 2026-10-23
    touches: {team: research, feature: paper-digest}
    claimed_usd: 150
    evidence: merge request 88
    reviewed_by: ada

# What might be served on GPUs of one's own: break_even holds it against today's API and others that serve the weights.
self_hosting:
  - id: research-on-own-gpus
    model: claude-opus-4-5
    weights: llama-3.3-70b
    gpu: H100 SXM
    machines: [{instance_type: nimbus-h100-8x, gpus: 8, hour_cost: 19.92, provider: Nimbus Compute}]
    prefill_rate: 20_000    # as measured; without both, a published peak stands in
    decode_rate: 1_000
    people_monthly_cost: 4_000
    setup_cost: 20_000
"""
TAIL = """
# Prices that differ from the list would stand here:
# prices:
#   - {provider: openai, model: gpt-5, from: 2026-11-01, usd_per_mtok: {input_uncached: 1.10, output_text: 9.00}}

reports:
  directory: reports
  contact: finops@alder-finch.example
"""


def write_configuration(directory: Path, seed: int, mail_port: int | None) -> Path:
    """Writes `farthing.yml` and the secret that it refers to. With `mail_port`, mail goes to a local server."""
    secret = directory / "secrets" / "hash_key"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text(hashlib.sha256(f"alder-finch:{seed}".encode()).hexdigest() + "\n", encoding="utf-8")
    secret.chmod(0o600)
    config = directory / "farthing.yml"
    config.write_text(configuration_text(mail_port), encoding="utf-8")
    return config


def configuration_text(mail_port: int | None = None) -> str:
    """The file's text."""
    teams = "".join(
        f"  - id: {team.team_id}\n    name: {team.name}\n    business_unit: {team.business_unit}\n"
        f"    cost_centre: {team.cost_centre}\n    recipients: [{team.team_id}-lead@{DOMAIN}]\n"
        for team in TEAMS
    )
    weights = ", ".join(f"{name}: {weight}" for name, weight in POOL_WEIGHTS.items())
    pools = f"  - id: serving\n    model: {SELF_HOSTED}\n    token_weights: {{{weights}}}\n"
    models = "".join(
        f"  - {{provider: {provider}, model: {model}, id: {SELF_HOSTED}, self_hosted: true}}\n"
        for provider, model in (("hosted_vllm", SELF_HOSTED), ("vllm", ENGINE_MODEL))
    )
    hosts = "".join(
        f"  - {{resource_id: {host.resource_id}, hostname: {host.hostname}, cluster: {host.cluster}, "
        f"gpus: {host.gpus}, gpu_model: {host.gpu_model}, vcpus: {host.vcpus}, memory_gib: {host.memory_gib}}}\n"
        for host in HOSTS
    )
    sections = (HEAD + teams, OWNERS_HEAD + "".join(map(_owner, OWNERS)), POOLS_HEAD + pools)
    return "".join(
        [*sections, MODELS_HEAD + models, HOSTS_HEAD + hosts, OUTCOMES, BUDGETS, DECISIONS, TAIL, _mail(mail_port)]
    )


def _owner(rule: OwnerRule) -> str:
    kind, value, key = rule.match
    matcher = f"{{key: {key}, value: {value}}}" if kind == "tag" else f'"{value}"' if value.isdigit() else value
    holder, name = rule.account.split(":")
    dates = f", from: {rule.valid_from}" if rule.valid_from.year > 1970 else ""
    dates += f", to: {rule.valid_to}" if rule.valid_to.year < 9999 else ""
    return f"  - {{id: {rule.rule_id}, {kind}: {matcher}, {holder}: {name}{dates}}}\n"


def _mail(port: int | None) -> str:
    if port is None:
        return ""
    return f"\nmail:\n  from: finops@{DOMAIN}\n  host: 127.0.0.1\n  port: {port}\n  security: none\n"
