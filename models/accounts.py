"""The accounts of the ledger, and which owner rule sends a charge, a holder of GPUs or a node to which of them.

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
_MATCHED = ["valid_from", "valid_to", "priority", "rule_cluster", "asked_for", *OWNER_COLUMNS]
_PRIORITY = ["priority", "rule_id"]
_PLACE = ["place", "is_general", *_PRIORITY]
NODE = ["hour_start", "cluster", "hostname"]
HOLDER = [*NODE, "namespace", "pod"]
"""What names a node, and a holder of its GPUs, in an hour."""


def team_account(team_id: pl.Expr, otherwise: str) -> pl.Expr:
    """The team's account, or the residual where there is no team."""
    return pl.coalesce(pl.lit("team:") + team_id, pl.lit(otherwise))


def is_final(account: pl.Expr) -> pl.Expr:
    """Whether money rests in the account."""
    return account.str.starts_with("team:") | account.str.starts_with("residual:")


def charge_owners(charges: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """The first owner rule, by priority and then rule id, that matches a charge.

    Args:
        charges: columns charge_group_id, charge_date, and what rules match: tags, sub_account_id, resource_id,
            unused_commitment_id.
        owners: frame in the shape of `owners`. A rule holds for a charge by the day on which the charge starts.

    Returns:
        charge_group_id, rule_id, to_account, team_id; only charges that a rule matches.
    """
    rules = _rules(owners)
    named = {"sub_account": "sub_account_id", "resource": "resource_id", "commitment": "unused_commitment_id"}
    keys = charges.select("charge_group_id", "charge_date", "tags", *named.values())
    pairs = tag_pairs(keys["tags"])
    matched = [
        keys.join(pairs, on="tags").join(_of_kind(rules, "tag"), on=["match_key", "match_value"]),
        *(keys.join(_of_kind(rules, kind), left_on=column, right_on="match_value") for kind, column in named.items()),
    ]
    columns = ["charge_group_id", "charge_date", "valid_from", "valid_to", "priority", *OWNER_COLUMNS]
    found = pl.concat([frame.select(columns) for frame in matched])
    first = _first(_valid(found, "charge_date"), ["charge_group_id"], _PRIORITY)
    return first.select("charge_group_id", *OWNER_COLUMNS)


def holder_owners(states: pl.DataFrame, labels: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """The first owner rule of who holds a GPU in an hour: by namespace, by the pod's labels or by its node's.

    A rule for one cluster stands where the first rule stands that asks for the same in any cluster, and before it.

    Args:
        states: columns of `HOLDER`, usage_date; an empty namespace is nobody.
        labels: frame in the shape of `gpu_labels`. In an hour in which a label changes both values count.
        owners: frame in the shape of `owners`. A rule holds by the day.

    Returns:
        The columns of `HOLDER`, rule_id, to_account, team_id; only holders that a rule matches.
    """
    rules = _rules(owners)
    keys = states.filter(pl.col("namespace") != "").select(*HOLDER, "usage_date").unique()
    matched = [
        keys.join(_of_kind(rules, "namespace"), left_on="namespace", right_on="match_value"),
        _labelled(keys, labels, _of_kind(rules, "pod_label"), ["cluster", "namespace", "pod"]),
        _labelled(keys, labels, _of_kind(rules, "node_label"), ["cluster", "hostname"]),
    ]
    found = pl.concat([frame.select(*HOLDER, "usage_date", *_MATCHED) for frame in matched])
    return _first(_in_cluster(found, HOLDER), HOLDER, _PLACE).select(*HOLDER, *OWNER_COLUMNS)


def node_owners(states: pl.DataFrame, labels: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """The first owner rule of a node in an hour, by its labels: as `holder_owners`, by the columns of `NODE`."""
    keys = states.select(*NODE, "usage_date").unique()
    found = _labelled(keys, labels, _of_kind(_rules(owners), "node_label"), ["cluster", "hostname"])
    return _first(_in_cluster(found, NODE), NODE, _PLACE).select(*NODE, *OWNER_COLUMNS)


def _labelled(keys: pl.DataFrame, labels: pl.DataFrame, rules: pl.DataFrame, named: list[str]) -> pl.DataFrame:
    """The rules that match what clusters said of a thing within the hour."""
    pairs = tag_pairs(labels["labels"]).join(rules, on=["match_key", "match_value"])
    told = labels.join(pairs, left_on="labels", right_on="tags")
    found = keys.join(told.select("usage_date", *named, "told_from", "told_to", *_MATCHED), on=["usage_date", *named])
    hour_end = pl.col("hour_start") + pl.duration(hours=1)
    return found.filter(pl.col("told_from") < hour_end, pl.col("told_to") > pl.col("hour_start"))


def _rules(owners: pl.DataFrame) -> pl.DataFrame:
    account = team_account(pl.col("team_id"), "")
    return owners.with_columns(
        to_account=pl.when(pl.col("team_id").is_null()).then("pool:" + pl.col("pool_id")).otherwise(account),
        rule_cluster="cluster",
        asked_for=pl.concat_str("match_kind", "match_key", "match_value", separator="\x1f"),
    ).drop("cluster")


def _in_cluster(found: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Matches in the cluster that the rule names, if it names one; such a rule before its like for any cluster."""
    is_general = pl.col("rule_cluster").is_null()
    fits = _valid(found, "usage_date").filter(is_general | (pl.col("rule_cluster") == pl.col("cluster")))
    foremost = pl.col("priority").min().over(*key, "asked_for")
    return fits.with_columns(place=pl.when(is_general).then("priority").otherwise(foremost), is_general=is_general)


def _of_kind(rules: pl.DataFrame, match_kind: str) -> pl.DataFrame:
    return rules.filter(pl.col("match_kind") == match_kind)


def _valid(found: pl.DataFrame, day: str) -> pl.DataFrame:
    return found.filter(pl.col(day) >= pl.col("valid_from"), pl.col(day) < pl.col("valid_to"))


def _first(found: pl.DataFrame, key: list[str], order: list[str]) -> pl.DataFrame:
    return found.sort(*key, *order).unique(key, keep="first", maintain_order=True)


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
