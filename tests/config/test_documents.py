"""What the pages and the starter show is a configuration that works."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.registry import SOURCES
from connectors.storage_open import open_store
from pipelines.cli.init import STARTER
from pipelines.config import load
from pipelines.documents.settings import settings_page
from tests.config.test_load import written

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    "ANTHROPIC_ADMIN_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_CLIENT_SECRET",
    "AZURE_SAS",
    "CLOUDFLARE_TOKEN",
    "DOCUMENTS_DSN",
    "FARTHING_HASH_KEY",
    "GOOGLE_BILLING_KEY",
    "GOOGLE_CATALOG_KEY",
    "HELICONE_API_KEY",
    "LAKE_KEY_ID",
    "LAKE_SECRET_KEY",
    "LANGFUSE_SECRET_KEY",
    "LITELLM_HASH_KEY",
    "LITELLM_READER_URL",
    "LOG_HASH_KEY",
    "OPENAI_ADMIN_KEY",
    "OPENROUTER_MANAGEMENT_KEY",
    "PHOENIX_API_KEY",
    "PORTKEY_API_KEY",
    "PROMETHEUS_TOKEN",
)
ENVIRONMENT = {**dict.fromkeys(NAMES, "long-enough-to-be-a-secret"), "AZURE_SAS": "sv=2026-01-01&sig=abc"}


def shown(kind: str) -> list[dict[str, Any]]:
    """The sources in the YAML blocks of a connector's page."""
    folder = Path(*SOURCES[kind].split(".")[:2])  # a provider with two facts has two kinds in one folder
    page = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    sources = [source for block in blocks for source in (block["sources"] if isinstance(block, dict) else block)]
    return [source for source in sources if source["kind"] == kind]


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_that_a_page_shows_is_valid(tmp_path: Path, kind: str) -> None:
    sources = shown(kind)
    assert sources
    for entry in sources:
        company = {"company": "Acme", "currency": entry.get("currency", "USD"), "lake": "lake"}
        file = {**company, "sources": [entry], "teams": [{"id": "a", "name": "A"}]}
        config, _ = load(written(tmp_path, yaml.safe_dump(file)), ENVIRONMENT)
        assert config.sources[0].kind == kind
        place = entry.get("location") or entry.get("scrapes") or ""
        if "://" in place:
            open_store(place, config.sources[0].store_options)  # type: ignore[attr-defined]


def test_the_starters_lake_in_a_bucket_can_be_opened_once_it_is_uncommented(tmp_path: Path) -> None:
    text = STARTER.read_text(encoding="utf-8").replace("lake: lake\n", "lake: s3://bucket/prefix\n")
    lines = text.splitlines()
    begin = lines.index("# storage:")
    for index in range(begin, begin + 4):
        lines[index] = lines[index].removeprefix("# ")
    config, _ = load(written(tmp_path, "\n".join(lines)), ENVIRONMENT)
    assert set(config.store_options) == {"aws_region", "aws_access_key_id", "aws_secret_access_key"}
    open_store(config.lake, config.store_options)


def test_the_starters_words_on_gpus_are_valid_once_they_are_uncommented(tmp_path: Path) -> None:
    text = STARTER.read_text(encoding="utf-8")
    told = [
        line.removeprefix("# ") for line in text.splitlines() if re.match(r"# (gpu_\w+|warm_standby):|#   - \{na", line)
    ]
    config, _ = load(written(tmp_path, text + "\n".join(told) + "\n"), ENVIRONMENT)
    assert (config.gpu_work[0].kind, config.warm_standby[0].replicas) == ("training", 1)
    assert config.gpu_idleness == type(config.gpu_idleness)()


def test_who_is_told_in_the_starter_is_valid_once_it_is_uncommented(tmp_path: Path) -> None:
    text, mark, told = STARTER.read_text(encoding="utf-8").partition("# delivery:")
    lines = [line.removeprefix("# ") for line in (mark + told).splitlines()]
    config, _ = load(written(tmp_path, text + "\n".join(lines) + "\n"), ENVIRONMENT)
    assert (config.delivery.anomalies, config.delivery.stale) == (("team", "finance"), ("engineering",))


def test_the_outcomes_of_the_starter_and_of_their_page_are_valid(tmp_path: Path) -> None:
    text = STARTER.read_text(encoding="utf-8")
    told = [line.removeprefix("# ") for line in text.splitlines() if re.match(r"# outcomes:|#   - \{features", line)]
    config, _ = load(written(tmp_path, text + "\n".join(told) + "\n"), ENVIRONMENT)
    assert [outcome.name for outcome in config.outcomes] == ["ticket-resolved"]
    page = (ROOT / "docs" / "outcomes.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    log = {"name": "log", "kind": "litellm", "location": "log", "hash_key": "env:LOG_HASH_KEY"}
    file = {"company": "Acme", "lake": "lake", "teams": [{"id": "a", "name": "A"}], **yaml.safe_load(block)}
    file["sources"] = [{**log, "outcome_keys": ["ticket_id", "document_id"]}]
    config, _ = load(written(tmp_path, yaml.safe_dump(file)), ENVIRONMENT)
    kinds = {kind.name: kind for kind in config.outcome_kinds}
    assert set(kinds) == {"ticket-resolved", "document-parsed", "answer-helpful"}
    assert (kinds["ticket-resolved"].window_hours, kinds["answer-helpful"].score) == (24, "helpful")


def test_every_section_of_the_file_has_a_part_of_the_page() -> None:
    page = settings_page()
    (whole,) = re.findall(r"^## The file\n(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    sections = re.findall(r"^\| `(\w+)` \| (?:list of )?section \|", whole, re.MULTILINE)
    assert {"gpu_idleness", "gpu_work", "warm_standby"} < set(sections)
    assert [name for name in sections if f"\n## {name}\n" not in page] == []
    assert "| `batch_minutes` |" in page
