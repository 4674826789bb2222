"""The versions of everything that is not rows (SQL, prices, identities, rules): part of a slice's fingerprint."""

import hashlib
import json
from importlib.metadata import version

from contracts import Contract, Layer, contract, sql_root
from models.commitment_hours import HOURS_RULES
from models.ledger import RULES
from pipelines.house import House
from pipelines.night.stale import stored_inputs


def rule_versions(house: House, output: Contract) -> dict[str, str]:
    """For `output` its SQL and those of the views below; for reference tables what decides their content.

    Model identities are versioned by the rules that resolve names, not by the names seen so far: a new name must not
    rebuild days on which it does not occur.
    """
    versions = {output.table: _digest([*_texts(output), *_models(house, output)])}
    for table in stored_inputs(output):
        if table.table == "model_identity":
            rules = [entry.model_dump(mode="json") for entry in house.config.models]
            versions["model_identity"] = _digest([json.dumps(rules), version("genai-prices")])
        elif table.layer is Layer.LAKE:
            # asked only whether a month is over: what each attempt said is no reason to rebuild
            versions[table.table] = f"{house.clock():%Y-%m}"
        elif table.slice == "none":
            pieces = sorted(piece.fingerprint for piece in house.lake.slices(table.table))
            versions[table.table] = _digest(pieces)
    return versions


def _models(house: House, output: Contract) -> list[str]:
    """The rules of a table that `models` computes: the version of the code, and what configuration adds to it."""
    if output.table == "commitment_hours":
        return [HOURS_RULES]
    return [RULES, *(pool.model_dump_json() for pool in house.config.pools)] if output.table == "postings" else []


def _texts(output: Contract) -> list[str]:
    texts = [output.model_dump_json(exclude={"description", "grain", "owner"})]
    file = sql_root() / output.layer / f"{output.table}.sql"
    if file.exists():
        texts.append(file.read_text(encoding="utf-8"))
    for name in output.depends_on:
        if contract(name).materialized == "view":
            texts += _texts(contract(name))
    return texts


def _digest(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
