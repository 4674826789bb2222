"""The accounts of the ledger, and which owner rule sends a charge or a namespace to which of them.

Here belongs: account names and the matching of owner rules. Here does not belong: splitting money.
"""

import json

import polars as pl
from pydantic import JsonValue, TypeAdapter, ValidationError

CHARGES = "pool:charges"
"""Where a bill is booked; nothing may rest here."""

UNALLOCATED = "residual:unallocated"
UNOWNED_USAGE = "residual:unowned_usage"
UNOWNED_GPU = "residual:unowned_gpu"

RESIDUAL_OF_STATE = {
    "unallocated": "residual:idle",
    "unknown": "residual:unknown_gpu",
    "unhealthy": "residual:unhealthy_gpu",
}
"""GPU states for which nobody can be charged; unknown only where nobody knows the holder, either."""

_TAGS: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])

OWNER_COLUMNS = ["rule_id", "to_account", "team_id"]


def team_account(team_id: pl.Expr, otherwise: str) -> pl.Expr:
    """The team's account, or the residual where there is no team."""
    return pl.coalesce(pl.lit("team:") + team_id, pl.lit(otherwise))


def is_final(account: pl.Expr) -> pl.Expr:
    """Whether money rests in the account."""
    return account.str.starts_with("team:") | account.str.starts_with("residual:")


def charge_owners(charges: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """The first owner rule, by priority and then rule id, that matches a charge by tag, sub-account or resource.

    Args:
        charges: columns charge_group_id, charge_date, tags, sub_account_id, resource_id.
        owners: frame in the shape of `owners`. A rule holds for a charge by the day on which the charge starts.

    Returns:
        charge_group_id, rule_id, to_account, team_id; only charges that a rule matches.
    """
    rules = _rules(owners)
    keys = charges.select("charge_group_id", "charge_date", "tags", "sub_account_id", "resource_id")
    pairs = tag_pairs(keys["tags"])
    matched = [
        keys.join(pairs, on="tags").join(_of_kind(rules, "tag"), on=["match_key", "match_value"]),
        keys.join(_of_kind(rules, "sub_account"), left_on="sub_account_id", right_on="match_value"),
        keys.join(_of_kind(rules, "resource"), left_on="resource_id", right_on="match_value"),
    ]
    columns = ["charge_group_id", "charge_date", "valid_from", "valid_to", "priority", *OWNER_COLUMNS]
    found = pl.concat([frame.select(columns) for frame in matched])
    return _first(found, ["charge_group_id"], "charge_date").select("charge_group_id", *OWNER_COLUMNS)


def namespace_owners(namespace_days: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """The first owner rule of a namespace on a day.

    Args:
        namespace_days: columns namespace, usage_date.
        owners: frame in the shape of `owners`.

    Returns:
        namespace, usage_date, rule_id, to_account, team_id; only namespaces that a rule matches.
    """
    rules = _of_kind(_rules(owners), "namespace")
    days = namespace_days.select("namespace", "usage_date").unique()
    found = days.join(rules, left_on="namespace", right_on="match_value")
    return _first(found, ["namespace", "usage_date"], "usage_date").select("namespace", "usage_date", *OWNER_COLUMNS)


def _rules(owners: pl.DataFrame) -> pl.DataFrame:
    account = team_account(pl.col("team_id"), "")
    return owners.with_columns(
        to_account=pl.when(pl.col("team_id").is_null()).then("pool:" + pl.col("pool_id")).otherwise(account)
    )


def _of_kind(rules: pl.DataFrame, match_kind: str) -> pl.DataFrame:
    return rules.filter(pl.col("match_kind") == match_kind)


def _first(found: pl.DataFrame, key: list[str], day: str) -> pl.DataFrame:
    valid = found.filter(pl.col(day) >= pl.col("valid_from"), pl.col(day) < pl.col("valid_to"))
    return valid.sort(*key, "priority", "rule_id").unique(key, keep="first", maintain_order=True)


def tag_pairs(tags: pl.Series) -> pl.DataFrame:
    """Every tag of bill lines, as rules name it: columns tags (the line's text), match_key, match_value."""
    rows = [(text, key, value) for text in tags.drop_nulls().unique() for key, value in _pairs_of(text)]
    return pl.DataFrame(rows, schema=dict.fromkeys(("tags", "match_key", "match_value"), pl.String), orient="row")


def _pairs_of(text: str) -> list[tuple[str, str]]:
    try:
        found = _TAGS.validate_json(text)
    except ValidationError as error:
        raise ValueError(f"tags {text[:80]!r} are not as expected, a JSON object") from error
    # FOCUS gives a tag without a value the value true: rules name it as it is written.
    return [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in found.items()]
