"""FOCUS exports of AWS: FOCUS's own reader, and what AWS's meters say of models and how capacity was bought."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from connectors.aws.bedrock import BedrockMeter, read_usage_type, tokens_per_unit
from connectors.aws.bill_focus_options import member, with_purchase_option
from connectors.aws.bill_settings import AwsBillSettings
from connectors.base import LandedPage, Parsed, Window
from connectors.bills.files import open_lines
from connectors.exact import at_scale
from connectors.focus import SOURCE, FocusSettings

_USAGE_TYPE = ("x_UsageType", "x_usage_type", "x_usagetype")


def is_focus(page: LandedPage) -> bool:
    """Whether the file has the columns of FOCUS."""
    with open_lines(page) as lines:
        return lines.names.has("ChargeCategory") and lines.names.has("BilledCost")


def parse_focus(settings: AwsBillSettings, window: Window, pages: Sequence[LandedPage]) -> Iterator[Parsed]:
    """Chunks of rows and rejects. Raises IncompleteDeliveryError for files that are not whole."""
    focus = FocusSettings(
        name=settings.name,
        account=settings.account,
        location=settings.location,
        currency=settings.currency,
        provider="AWS",
    )
    for chunk in SOURCE.parse(focus, window, pages):
        meters = _meters(chunk.rows)
        yield replace(chunk, rows=with_purchase_option(_with_models(chunk.rows, meters), meters))


def _meters(rows: pa.Table) -> pa.Array:
    """AWS's usage type of each line: its own column, which FOCUS 1.0 has too, else the standard's meter."""
    meters = rows["sku_meter"].combine_chunks()
    for name in _USAGE_TYPE:
        found = member(rows["x_extra"], name)
        if found.null_count < len(found):
            return pc.call_function("coalesce", [found, meters])
    return meters


def _with_models(rows: pa.Table, usage_types: pa.Array) -> pa.Table:
    """Model, token class, tier and tokens of the lines whose meter is one of Bedrock's."""
    encoded = usage_types.dictionary_encode()
    meters = [None if text is None else read_usage_type(text) for text in encoded.dictionary.to_pylist()]
    is_model = pa.array([meter is not None for meter in meters], pa.bool_()).take(encoded.indices)
    mask = pc.call_function("coalesce", [is_model, pa.scalar(value=False)])
    if not any(meters):
        return rows
    lines = rows.filter(mask).to_pylist()
    known = dict(zip(encoded.dictionary.to_pylist(), meters, strict=True))
    told = [_told(line, known[meter]) for line, meter in zip(lines, usage_types.filter(mask).to_pylist(), strict=True)]
    for name in ("x_model_id", "x_token_class", "x_service_tier", "consumed_quantity", "consumed_unit"):
        column = rows[name].combine_chunks()
        values = pa.array([line[name] for line in told], column.type)
        rows = rows.set_column(
            rows.column_names.index(name), name, pc.call_function("replace_with_mask", [column, mask, values])
        )
    return rows


def _told(line: Mapping[str, object], meter: BedrockMeter | None) -> Mapping[str, object]:
    if meter is None:
        return line
    named = {"x_model_id": meter.model_id, "x_token_class": meter.token_class, "x_service_tier": meter.service_tier}
    found = {**line, **{name: line[name] or value for name, value in named.items()}}
    unit, quantity = line["consumed_unit"], line["consumed_quantity"]
    factor = tokens_per_unit(unit) if isinstance(unit, str) else None
    if factor is None or not isinstance(quantity, Decimal):
        return found
    return {**found, "consumed_quantity": at_scale(quantity * factor), "consumed_unit": "Tokens"}
