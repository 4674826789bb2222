"""Costs around the models are classed by the bill's own words: a closed set, the first rule wins, the bill before both."""

import pytest
from pydantic import ValidationError

from connectors.focus.rules import closed_set
from tests.connectors.focus.bills import csv_bill, line, read
from tests.connectors.focus.mapped import read_mapped, used, written

RULES = [
    {"class": "vector_database", "column": "ServiceName", "pattern": "(?i)^(pinecone|weaviate)"},
    {"class": "egress", "column": "x_UsageType", "pattern": "DataTransfer-Out-Bytes$"},
    {"class": "observability", "column": "ServiceSubcategory", "pattern": "^Observability$"},
    {"class": "other", "column": "service_name", "pattern": "."},
    {"class": "storage", "column": "NoSuchColumn", "pattern": "."},
]


def test_the_first_rule_that_matches_says_the_class() -> None:
    extra = {"x_UsageType": "", "ServiceSubcategory": "", "x_CostClass": ""}
    lines = [
        line(**{**extra, "ServiceName": "Pinecone Serverless", "x_UsageType": "USE1-DataTransfer-Out-Bytes"}),
        line(**{**extra, "x_UsageType": "USE1-DataTransfer-Out-Bytes", "ServiceSubcategory": "Observability"}),
        line(**{**extra, "ServiceSubcategory": "Observability"}),
        line(**extra),
        line(**{**extra, "ServiceName": "Pinecone", "x_CostClass": "embedding"}),
    ]
    bill = read(csv_bill(*lines), cost_classes=RULES)
    found = [row["x_cost_class"] for row in bill.rows]
    assert found == ["vector_database", "egress", "observability", "other", "embedding"]


def test_without_rules_nothing_is_classed() -> None:
    assert [row["x_cost_class"] for row in read(csv_bill(line(ServiceName="Pinecone"))).rows] == [None]


def test_a_mapped_bill_is_classed_by_its_own_columns_and_by_what_constants_say() -> None:
    rules = [
        {"class": "re_ranker", "column": "Product", "pattern": "^rerank"},
        {"class": "guardrail", "column": "provider_name", "pattern": "^Nimbus$"},
    ]
    bill = read_mapped(written(used(Product="rerank-v3"), used()), cost_classes=rules)
    assert [row["x_cost_class"] for row in bill.rows] == ["re_ranker", "guardrail"]


def test_a_class_that_a_bill_names_itself_must_be_one_of_the_set() -> None:
    bill = read(csv_bill(line(x_CostClass="gpu")))
    assert [row["x_cost_class"] for row in bill.rows] == [None]
    assert any("1 values of x_CostClass are kept in x_extra only" in notice for notice in bill.notices)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"class": "vectors", "column": "a", "pattern": "b"}, "is no cost class, expected one of vector_database, "),
        ({"class": "egress", "column": "a", "pattern": "(?=b)"}, "without look-around"),
        ({"class": "egress", "column": "a", "pattern": "("}, "is no regular expression"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_in_words(rule: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        read(csv_bill(line()), cost_classes=[rule])
    assert words in str(refused.value)


def test_the_set_is_that_of_the_contract() -> None:
    for name in closed_set("charges", "x_cost_class"):
        rule = {"class": name, "column": "ServiceName", "pattern": "."}
        assert [row["x_cost_class"] for row in read(csv_bill(line()), cost_classes=[rule]).rows] == [name]
