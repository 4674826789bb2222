"""Which sources there are: one line for each. A connector's folder is imported when it is first asked for.

Here belongs: the names. Here does not belong: anything that a source knows about itself.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from connectors.base import Source

SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "focus": "connectors.focus",  # any FOCUS bill: AWS, Azure, Google Cloud, Oracle, others
        "mapped_bill": "connectors.focus.mapped",  # any other bill in a file, by a declared mapping of its columns
        "litellm": "connectors.litellm",  # the LiteLLM gateway's request log
        "litellm_database": "connectors.litellm.database",  # the same log in the gateway's own PostgreSQL
        "mapped_log": "connectors.mapped_log",  # any other log of requests, by a declared mapping of its fields
        "portkey": "connectors.portkey",  # Portkey: the gateway's log, exported by its API
        "portkey_files": "connectors.portkey.files",  # the same as files of a private cloud
        "azure_api_management": "connectors.azure_api_management",  # Azure API Management's log, from Log Analytics
        "azure_api_management_export": "connectors.azure_api_management.export",  # the same as a data export
        "openrouter_log": "connectors.openrouter.log",  # OpenRouter: single requests, as Broadcast stores them
        "bedrock_log": "connectors.bedrock",  # Amazon Bedrock: the log of model invocations
        "otel_genai": "connectors.otel",  # traces in files: OpenTelemetry's GenAI spans, and OpenInference's
        "phoenix": "connectors.phoenix",  # Phoenix: spans of a project, by its REST interface
        "envoy_ai_gateway": "connectors.envoy",  # Envoy AI Gateway: its access log
        "kong_ai": "connectors.kong",  # Kong AI Gateway: entries of its logging plugins
        "cloudflare_ai_gateway": "connectors.cloudflare",  # Cloudflare AI Gateway: its log, by API
        "langfuse": "connectors.langfuse",  # Langfuse: calls that a project observed, by its public API
        "langfuse_export": "connectors.langfuse.export",  # the same as files of Langfuse's blob export
        "langfuse_scores": "connectors.langfuse.scores",  # Langfuse: what traces were scored, as outcomes
        "outcomes_file": "connectors.outcomes",  # what came out of requests, in files: by a declared mapping of fields
        "outcomes_sql": "connectors.outcomes.database",  # the same in a table of a PostgreSQL database
        "helicone": "connectors.helicone",  # Helicone: requests that an organisation made, by its API
        "helicone_table": "connectors.helicone.table",  # the same as rows that an own Helicone's ClickHouse exports
        "openai_usage": "connectors.openai.usage",  # OpenAI: what an organisation's projects, keys and models used
        "openai_costs": "connectors.openai.costs",  # OpenAI: what that cost, by project and line item
        "anthropic_usage": "connectors.anthropic.usage",  # Anthropic: tokens by key, workspace, model and tier
        "anthropic_costs": "connectors.anthropic.costs",  # Anthropic: what that cost, by workspace and description
        "openrouter_usage": "connectors.openrouter.usage",  # OpenRouter: what each model used
        "openrouter_costs": "connectors.openrouter.costs",  # OpenRouter: the credits that it cost
        "dcgm": "connectors.dcgm",  # NVIDIA GPU telemetry: Prometheus, or scrape files
        "nvml": "connectors.nvml",  # NVIDIA GPUs by Farthing's own sampler: the files of its spools
        "serving": "connectors.serving",  # vLLM, SGLang, TGI, Triton, Ray Serve, NIM: what serving engines counted
        "slurm": "connectors.slurm",  # Slurm: batch jobs that held GPUs, from sacct's output
        "kubernetes_allocations": "connectors.kubernetes.allocations",  # pods that held GPUs, by kube-state-metrics
        "kubernetes_nodes": "connectors.kubernetes.nodes",  # nodes with GPUs, by kube-state-metrics
        "aws_bill": "connectors.aws.bill",  # AWS: CUR 2.0, FOCUS and legacy CUR exports
        "aws_spot_prices": "connectors.aws.spot",  # AWS: changes of EC2's spot prices
        "aws_prices": "connectors.aws.prices",  # AWS: list prices of machines with GPUs, and of Bedrock's tokens
        "aws_commitments": "connectors.aws.commitments",  # AWS: terms of reserved instances and savings plans
        "aws_gpu_metrics": "connectors.aws.gpu_metrics",  # CloudWatch: what the agent and EKS say of GPUs
        "azure_bill": "connectors.azure.bill",  # Azure: Cost Management exports and reports
        "azure_usage": "connectors.azure.usage",  # Azure Monitor: tokens and utilisation of model deployments
        "azure_prices": "connectors.azure.prices",  # Azure: retail list prices of machines and models
        "azure_commitments": "connectors.azure.commitments",  # Azure: reservations, savings plans, deployments
        "azure_gpu_metrics": "connectors.azure.gpu_metrics",  # Azure Monitor: GPUs of Machine Learning, and Telegraf's
        "gcp_bill": "connectors.gcp.bill",  # Google Cloud: the billing export, as files or from BigQuery
        "gcp_commitments": "connectors.gcp.terms",  # Google Cloud: committed use of Compute Engine's resources
        "gcp_prices": "connectors.gcp.prices",  # Google Cloud: list prices of GPUs and models
        "gcp_gpu_metrics": "connectors.gcp.gpu_metrics",  # Cloud Monitoring: what the Ops Agent and GKE say of GPUs
    }
)


def source(kind: str) -> Source:
    """The source of that kind; its package exports it as `SOURCE`.

    Raises ValueError, naming the kinds that are known, for any other.
    """
    if kind not in SOURCES:
        raise ValueError(f"there is no source of kind {kind!r}; the known kinds are {', '.join(sorted(SOURCES))}")
    found: Source = import_module(SOURCES[kind]).SOURCE
    return found
