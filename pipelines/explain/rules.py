"""What a rule of the journal says, and where it stands in the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.pools import Pool
from pipelines.config.load import content_hash
from pipelines.config.pools import Pool as PoolSettings
from pipelines.config.positions import Document, read
from pipelines.config.problems import ConfigError

_OWN = {
    "book": "the bill is booked as it is",
    "unallocated": "no rule, log or cluster says whose it is",
    "priced_tokens:token_class": "in proportion to the logged tokens of the line's class and tier, on the days of the "
    "charge",
    "priced_tokens:token_class_of_any_tier": "in proportion to the logged tokens of the line's class, as the log has "
    "none of its tier, on the days of the charge",
    "priced_tokens:model": "in proportion to what the model's logged requests of the line's tier cost, on the days of "
    "the charge",
    "priced_tokens:model_of_any_tier": "in proportion to what the model's logged requests cost, as the log has none of "
    "the line's tier, on the days of the charge",
    "priced_tokens:provider": "in proportion to what the provider's logged requests cost, on the days of the charge",
    "priced_tokens:cache_readers": "in proportion to the tokens read from the model's prompt caches on those days",
    "priced_tokens:provisioned_model": "in proportion to what requests took of the model's throughput on those days",
    "priced_tokens:provisioned": "in proportion to what requests took of the provider's throughput on those days",
    "gpu_seconds:no_owner": "held by somebody whom no owner rule names",
    "gpu_seconds:unallocated": "GPU time that nobody held",
    "gpu_seconds:unknown": "GPU time of which no sample tells, and of which nobody knows the holder",
    "gpu_seconds:unhealthy": "GPU time lost to faults",
    "unlogged": "tokens that were billed and that no log knows",
    "unused": "what nobody used, and no policy gives to anybody",
    "pool:unused": "the pool's measure knows nobody who could carry it",
}
"""Rules that are in no configuration."""
_SECTIONS: Mapping[str, tuple[str, str]] = {
    "correction": ("errata", "a known error on the bill: {reason}"),
    "pool": ("pools", "shared pool, split by {split}"),
    "unused": ("unused", "what nobody used: {of}"),
}
"""By kind of rule its section of the configuration, and how it is told; all others are owner rules."""
_MATCHED = (
    *("gateway_key", "gateway_team", "feature", "namespace", "pod_label", "node_label"),
    *("sub_account", "resource", "tag"),
)


@dataclass(frozen=True)
class Rule:
    """What a rule says, and where: `file:line`, empty for a rule of the ledger's own."""

    text: str
    place: str = ""


class Rules:
    """The rules of a configuration, by the ids that postings keep. A file that cannot be read has none."""

    def __init__(self, file: Path) -> None:
        self._document: Document | None
        try:
            self._document = read(file)
        except ConfigError:
            self._document = None

    @property
    def pools(self) -> list[Pool]:
        """The shared pools as the file has them now; of one that cannot be read there is none."""
        teams = [str(team.get("id")) for _, team in self._entries("teams")]
        found: list[Pool] = []
        for _, entry in self._entries("pools"):
            try:
                found.append(PoolSettings.model_validate(entry).resolved(teams))
            except ValidationError:
                continue
        return found

    def differ_from(self, configuration: str) -> bool:
        """Whether the file says something else than the configuration of that hash did."""
        return self._document is None or content_hash(self._document.content) != configuration

    def _entries(self, section: str) -> list[tuple[int, dict[str, Any]]]:
        """Entries of a section that are mappings, each with its place among all: by that its line is found."""
        given: Any = self._document.content.get(section) if self._document else None
        entries: list[Any] = given if isinstance(given, list) else []
        return [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]

    def rule(self, rule_id: str, rule_kind: str) -> Rule:
        """The rule of that id; one that is not in the file any more says so."""
        if rule_kind == "adjustment":
            return Rule(f"taken off: posted as an adjustment in {rule_id.removeprefix('adjusted:')} already")
        own = "unused" if rule_id.startswith("unused:") else rule_id
        if own in _OWN and rule_kind != "correction":
            return Rule(_OWN[own])
        section, form = _SECTIONS.get(rule_kind, ("owners", ""))
        return self._entry(section, rule_id.removeprefix("pool:"), form)

    def _entry(self, section: str, entry_id: str, form: str) -> Rule:
        for index, entry in self._entries(section):
            if entry.get("id") == entry_id and self._document:
                line, _ = self._document.position((section, index))
                text = form.format_map(_Settings(entry)) if form else _owner(entry)
                return Rule(text, f"{self._document.file.name}:{line}")
        return Rule("not in the configuration any more")


class _Settings(dict[str, Any]):
    """Settings as they stand; one that is not given is what the schema takes."""

    def __missing__(self, key: str) -> str:
        return "weighted_tokens" if key == "split" else "not said"


def _owner(entry: Mapping[str, Any]) -> str:
    kind = next((name for name in _MATCHED if name in entry), "")
    value: Any = entry.get(kind)
    named = f"{value.get('key')} = {value.get('value')}" if isinstance(value, dict) else value
    cluster = f" in cluster {entry['cluster']}" if "cluster" in entry else ""
    to = f"pool {entry['pool']}" if "pool" in entry else f"team {entry.get('team')}"
    return f"{kind.replace('_', ' ')} {named}{cluster} belongs to {to}"
