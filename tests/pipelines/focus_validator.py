"""The official validator of FOCUS, run as its users run it, and what it gets wrong, shown by the standard's own words.

A rule of the validator is a sentence of the standard and a condition that a machine checks. Where the condition says
something else than the sentence, `WRONG` has both, and a query for rows that break the sentence.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

VERSION = "2.2.1"
UNLOCK = (
    "FOCUS's validator is not installed; with a Python 3.12, `.venv/bin/uv venv --python PYTHON .venv/focus-validator` "
    f"and `.venv/bin/uv pip install --python .venv/focus-validator/bin/python focus-validator=={VERSION} 'pyarrow<22' "
    "focus-data-toolkit==0.14.1` unlock this test (FARTHING_FOCUS_VALIDATOR names another environment)"
)
SUPPORTED = (
    *("AVAILABILITY_ZONE_SUPPORTED", "CAPACITY_RESERVATION_SUPPORTED", "COMMITMENT_DISCOUNT_SUPPORTED"),
    *("MULTIPLE_PRICING_CATEGORIES_SUPPORTED", "NEGOTIATED_PRICING_SUPPORTED", "TAGGING_SUPPORTED"),
    "USAGE_MEASUREMENT_SUPPORTED",
)
"""What the validator is told to ask for. The rest depends on the provider, and not every provider of the sample company
has it or says it: unit prices and SKUs, types and names of resources, accounts and regions, prices in another currency."""
_LINE = re.compile(r"^\W*([A-Za-z]+-[A-Z]-\d+-[A-Z]): (PASS|FAIL|SKIPPED)")


@dataclass(frozen=True)
class Wrong:
    """A rule whose condition is not its sentence: the sentence, what is checked instead, and rows that break it."""

    sentence: str
    condition: Any
    requirement: Any
    why: str
    breaks: str


def _is(column: str, value: str | int | None, function: str = "CheckValue") -> dict[str, Any]:
    return {"CheckFunction": function, "ColumnName": column, "Value": value}


_INVOICED_OTHERWISE = (
    "select * from rows left join charges "
    "on array_to_string(split(x_OriginChargeId, '/')[1:3], '/') = concat_ws('/', x_source, x_page, x_row) "
    "where InvoiceId is distinct from invoice_id"
)
WRONG: Mapping[str, Wrong] = {
    "InvoiceId-C-004-C": Wrong(
        "InvoiceId MUST be null when the charge is not associated either with an invoice or with a pre-generated "
        "provisional invoice.",
        {},
        _is("InvoiceId", None),
        "checked of every charge, also of those with an invoice: no file with one can pass",
        _INVOICED_OTHERWISE,
    ),
    "InvoiceId-C-005-C": Wrong(
        "InvoiceId MUST NOT be null when the charge is associated with either an issued invoice or a pre-generated "
        "provisional invoice.",
        {},
        _is("InvoiceId", None, "CheckNotValue"),
        "checked of every charge, also of those without an invoice; InvoiceId-C-003-C is content with a file of which "
        "every charge has one, or none, and not with a file of both",
        _INVOICED_OTHERWISE,
    ),
    "BilledCost-C-005-C": Wrong(
        "BilledCost MUST be 0 for charges where payments are received by a third party (e.g., marketplace transactions).",
        {"CheckFunction": "CheckNotSameValue", "ColumnAName": "ProviderName", "ColumnBName": "InvoiceIssuerName"},
        _is("BilledCost", 0),
        "two names are taken for two parties: AWS sends its invoices as Amazon Web Services, Inc.",
        "select * from rows where BilledCost <> 0 and ProviderName <> InvoiceIssuerName "
        "and (ProviderName, InvoiceIssuerName) <> ('AWS', 'Amazon Web Services, Inc.')",
    ),
    "EffectiveCost-C-005-C": Wrong(
        'EffectiveCost MUST be 0 when ChargeCategory is "Purchase" and the purchase is intended to cover future eligible '
        "charges.",
        _is("ChargeCategory", "Purchase"),
        _is("EffectiveCost", 0),
        "checked of every purchase, also of support for a month, which covers no other charge",
        "select * from rows where ChargeCategory = 'Purchase' and CommitmentDiscountId is not null and EffectiveCost <> 0",
    ),
    "CommitmentDiscountStatus-C-004-C": Wrong(
        'CommitmentDiscountStatus MUST NOT be null when CommitmentDiscountId is not null and Charge Category is "Usage".',
        _is("CommitmentDiscountId", None),
        _is("CommitmentDiscountStatus", None, "CheckNotValue"),
        "the condition is the opposite: checked where CommitmentDiscountId is null, where C-003 wants NULL",
        "select * from rows where CommitmentDiscountId is not null and ChargeCategory = 'Usage' "
        "and CommitmentDiscountStatus is null",
    ),
    "CapacityReservationStatus-C-004-C": Wrong(
        'CapacityReservationStatus MUST NOT be null when CapacityReservationId is not null and ChargeCategory is "Usage".',
        {"AND": [_is("CapacityReservationId", None, "CheckNotValue"), _is("ChargeCategory", "Usage")]},
        _is("CapacityReservationStatus", None, "CheckNotValue"),
        "the condition is not in the form of the other rules', is not read, and so every row is checked",
        "select * from rows where CapacityReservationId is not null and ChargeCategory = 'Usage' "
        "and CapacityReservationStatus is null",
    ),
}


def environment() -> Path:
    """The environment that the validator is installed in. Skips, or fails, where there is none."""
    given = os.environ.get("FARTHING_FOCUS_VALIDATOR")
    folder = Path(given) if given else Path(__file__).resolve().parents[2] / ".venv/focus-validator"
    if not (folder / "bin/focus-validator").exists():
        pytest.fail(UNLOCK) if os.environ.get("FARTHING_REQUIRE_SERVERS") else pytest.skip(UNLOCK)
    return folder


def rules() -> dict[str, Any]:
    """Every rule of the validator, by its id."""
    [file] = _package().glob("focus_validator/rules/model-1.2*.json")
    found = json.loads(file.read_text(encoding="utf-8"))["ModelRules"]
    return {name: rule["ValidationCriteria"] for name, rule in found.items()}


def failed_rules(file: Path, criteria: str = ",".join(SUPPORTED)) -> set[str]:
    """The rules that a file of FOCUS 1.2 fails, without those that only gather others'."""
    command = [environment() / "bin/focus-validator", "--data-file", file.resolve(), "--validate-version", "1.2"]
    command += ["--focus-dataset", "CostAndUsage", "--block-download", "--applicability-criteria", criteria]
    # it opens its list of currencies relative to the folder that it is started in
    run = subprocess.run(command, cwd=_package(), capture_output=True, text=True, timeout=300, check=False)
    said = [found for line in run.stdout.splitlines() if (found := _LINE.match(line))]
    assert "Total:" in run.stdout, run.stdout[-2000:] + run.stderr[-2000:]
    assert len([line for line in said if line[2] == "PASS"]) > 150, "too few rules ran to say anything"
    failed = {line[1] for line in said if line[2] == "FAIL"}
    return {name for name in failed if not _gathers(rules()[name], failed)}


def lint_of_the_newest(file: Path) -> str:
    """What the lint for FOCUS 1.4 says of a file; it exits with 0 where it finds nothing."""
    command = [environment() / "bin/focus-toolkit", "validate", "--dataset", "cost-and-usage", file.resolve()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return "" if run.returncode == 0 else run.stdout[:2000] + run.stderr[-2000:]


def _gathers(rule: Mapping[str, Any], failed: set[str]) -> bool:
    """Whether a rule failed as one of those failed that it is made of."""
    items = (rule.get("Requirement") or {}).get("Items") or []
    return any(item.get("ModelRuleId") in failed for item in items)


def _package() -> Path:
    [folder] = environment().glob("lib/python3.*/site-packages")
    return folder
