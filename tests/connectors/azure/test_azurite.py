"""Exports read from real blob storage: Azurite stands in for an account, bit for bit."""

from decimal import Decimal

import pytest

from connectors.azure.bill import SOURCE
from connectors.base import AuthenticationError, IncompleteDeliveryError, SourceError
from tests.connectors.azure.emulator import KEY, Azurite
from tests.connectors.azure.written import (
    COVERED,
    PURCHASE,
    SEPTEMBER,
    UNUSED,
    csv_of,
    frame,
    line,
    manifest,
    night,
    settings,
)

MONTH = "20260901-20260930"


def export(azurite: Azurite, root: str, view: str, kind: str, content: bytes, hour: str = "202609040702") -> None:
    name = f"{view}/{MONTH}/{hour}/run/part_0_0001.csv"
    azurite.put(f"{root}/{name}", content)
    azurite.put(f"{root}/{view}/{MONTH}/{hour}/run/manifest.json", manifest(kind, {name: content}))


def given(azurite: Azurite, root: str, **over: object) -> object:
    return settings(location=f"az://{azurite.container}/{root}", storage=azurite.options(), **over)


def test_both_views_in_a_container_are_one_bill(azurite: Azurite) -> None:
    free = line(**COVERED, Cost="0")
    export(azurite, "cost", "actual", "ActualCost", csv_of(line(**PURCHASE), line(), free))
    worth = (line(**COVERED, Cost="20"), line(**UNUSED, Cost="4"))
    export(azurite, "cost", "amortized", "AmortizedCost", csv_of(line(), *worth))
    chunks = night(given(azurite, "cost"))
    found = frame(chunks)
    assert (found["billed_cost"].sum(), found["effective_cost"].sum()) == (Decimal(8820), Decimal(204))
    assert chunks[-1].stated_rows == 6
    assert "actual: 1 months" in SOURCE.probe(given(azurite, "cost"))


def test_the_newest_run_of_a_container_counts(azurite: Azurite) -> None:
    for hour, cost in (("202609040702", "3"), ("202609050702", "5")):
        export(azurite, "newest", "actual", "ActualCost", csv_of(line(Cost=cost)), hour)
    assert frame(night(given(azurite, "newest", amortized=None)))["billed_cost"].to_list() == [5]


def test_a_blob_that_was_replaced_after_its_manifest_is_an_incomplete_delivery(azurite: Azurite) -> None:
    export(azurite, "changed", "actual", "ActualCost", csv_of(line()))
    azurite.put(f"changed/actual/{MONTH}/202609040702/run/part_0_0001.csv", csv_of(line(), line()))
    with pytest.raises(IncompleteDeliveryError, match="its manifest says"):
        night(given(azurite, "changed", amortized=None))


def test_a_container_that_is_not_there_is_told(azurite: Azurite) -> None:
    wrong = settings(location="az://nowhere/cost", storage=azurite.options(), amortized=None)
    with pytest.raises(SourceError, match="az://nowhere"):
        list(SOURCE.fetch(wrong, SEPTEMBER))


def test_a_wrong_key_is_refused_and_not_repeated(azurite: Azurite) -> None:
    wrong = "d3Jvbmc" + KEY[7:]
    options = azurite.options(azure_storage_account_key=wrong)
    with pytest.raises(AuthenticationError) as failure:
        SOURCE.probe(settings(location=f"az://{azurite.container}/cost", storage=options, amortized=None))
    assert wrong not in str(failure.value)
