"""What callers say about their requests: features, environments and outcomes, in metadata or in tags."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from connectors.logs.settings import LogSettings


class Asked(NamedTuple):
    """What the settings ask for and the request says."""

    feature: str | None
    environment: str | None
    outcome_ids: dict[str, str] | None


def asked(settings: LogSettings, places: Iterable[Mapping[str, Any] | None], tags: Iterable[str] | None = ()) -> Asked:
    """Feature, environment and outcome ids of one request.

    The first of `places` (objects of metadata, None where the record has none) that holds a key decides, or else the
    tag `key:value`.
    """
    held = [place for place in places if place]
    marked = list(tags or ())
    outcomes = {key: found for key in settings.outcome_keys if (found := _said(key, held, marked)) is not None}
    return Asked(
        _said(settings.feature_key, held, marked), _said(settings.environment_key, held, marked), outcomes or None
    )


def _said(key: str, places: list[Mapping[str, Any]], tags: list[str]) -> str | None:
    for place in places:
        if (found := place.get(key)) is not None:
            return str(found)
    mark = f"{key}:"
    return next((tag[len(mark) :] or None for tag in tags if tag.startswith(mark)), None)
