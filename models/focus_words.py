"""Words of bills in the words that FOCUS asks for: units, and what kind of service a service is.

Sources: the standard's attribute Unit Format and its columns ServiceCategory and ServiceSubcategory (1.2), and the
services' own pages (November 2026). Here belongs: words for words. Here does not belong: any column's rule.
"""

from collections.abc import Mapping

import polars as pl

from models.tokens import tokens_in

_UNITS: Mapping[str, str] = {
    "hrs": "Hours",
    "hr": "Hours",
    "hour": "Hours",
    "hours": "Hours",
    "seconds": "Seconds",
    "second": "Seconds",
    "gb-mo": "GB-Months",
    "gb-month": "GB-Months",
    "gib-mo": "GiB-Months",
    "gb-hours": "GB-Hours",
    "byte-seconds": "B-Seconds",
    "bytes": "B",
    "gibibyte": "GiB",
    "gibibyte hour": "GiB-Hours",
    "gibibyte month": "GiB-Months",
    "requests": "Requests",
}
"""How clouds write units, without case. What is not here keeps its own word."""

_SERVICES: Mapping[str, tuple[str, str]] = {
    "Amazon Bedrock": ("AI and Machine Learning", "Generative AI"),
    "Amazon SageMaker": ("AI and Machine Learning", "Machine Learning"),
    "Amazon Elastic Compute Cloud": ("Compute", "Virtual Machines"),
    "Savings Plans for AWS Compute usage": ("Compute", "Virtual Machines"),
    "AWS Lambda": ("Compute", "Serverless Compute"),
    "Amazon Elastic Container Service": ("Compute", "Containers"),
    "Amazon Elastic Container Service for Kubernetes": ("Compute", "Containers"),
    "Amazon Simple Storage Service": ("Storage", "Object Storage"),
    "Amazon Elastic File System": ("Storage", "File Storage"),
    "Amazon Relational Database Service": ("Databases", "Relational Databases"),
    "Amazon DynamoDB": ("Databases", "NoSQL Databases"),
    "Amazon OpenSearch Service": ("Analytics", "Search"),
    "Amazon Virtual Private Cloud": ("Networking", "Network Infrastructure"),
    "Elastic Load Balancing": ("Networking", "Network Routing"),
    "AmazonCloudWatch": ("Management and Governance", "Observability"),
    "Compute Engine": ("Compute", "Virtual Machines"),
    "Kubernetes Engine": ("Compute", "Containers"),
    "Cloud Run": ("Compute", "Serverless Compute"),
    "Cloud Storage": ("Storage", "Object Storage"),
    "Vertex AI": ("AI and Machine Learning", "AI Platforms"),
    "Gemini API": ("AI and Machine Learning", "Generative AI"),
    "BigQuery": ("Databases", "Data Warehouses"),
    "Cloud SQL": ("Databases", "Relational Databases"),
    "Cloud Logging": ("Management and Governance", "Observability"),
    "Cloud Monitoring": ("Management and Governance", "Observability"),
    "Networking": ("Networking", "Network Infrastructure"),
    "Azure OpenAI": ("AI and Machine Learning", "Generative AI"),
    "Foundry Models": ("AI and Machine Learning", "Generative AI"),
    "Cognitive Services": ("AI and Machine Learning", "AI Platforms"),
    "Virtual Machines": ("Compute", "Virtual Machines"),
    "Azure Kubernetes Service": ("Compute", "Containers"),
    "OpenAI API": ("AI and Machine Learning", "Generative AI"),
    "Claude API": ("AI and Machine Learning", "Generative AI"),
    "OpenRouter": ("AI and Machine Learning", "Generative AI"),
}
"""Category and subcategory of services of which bills do not say them."""

_CATEGORIES: Mapping[str, str] = {
    "AI + Machine Learning": "AI and Machine Learning",
    "Containers": "Compute",
    "Internet of things": "Internet of Things",
    "Management and governance": "Management and Governance",
}
"""Categories as bills write them, where that is not how the standard does."""

OTHER = "Other"


def standard_units(units: pl.Series) -> pl.Series:
    """Units in the standard's format: tokens by their number, other units by their name."""
    words = {unit: _unit(unit) for unit in units.drop_nulls().unique()}
    return units.replace_strict(words, default=None, return_dtype=pl.String) if words else units


def _unit(unit: str) -> str:
    if count := tokens_in(unit):
        return "Tokens" if count == 1 else f"{count} Tokens"
    return _UNITS.get(unit.strip().lower(), unit)


def category() -> pl.Expr:
    """The standard's category of `service_category`, else of `service_name`, else Other."""
    said = pl.col("service_category")
    return pl.coalesce(said.replace(_CATEGORIES), _of_service(0), pl.lit(OTHER))


def subcategory(said: pl.Expr) -> pl.Expr:
    """What the bill says, else the service's subcategory where the category is the service's, else Other of it."""
    of_service = pl.when(_of_service(0) == category()).then(_of_service(1))
    return pl.coalesce(said, of_service, pl.format("Other ({})", category()))


def _of_service(place: int) -> pl.Expr:
    found = {name: kinds[place] for name, kinds in _SERVICES.items()}
    return pl.col("service_name").replace_strict(found, default=None, return_dtype=pl.String)
