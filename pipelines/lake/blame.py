"""Whose fault it was. A connector's exception becomes a SourceError that people can act on; the lake's own do not.

A night pulls many sources: one that fails, even by a defect in its connector, must not stop the others. A full disk
under the lake must.
"""

import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from connectors.base import SourceError, SourceSettings

T = TypeVar("T")
_LONGEST = 300  # characters of a foreign message worth keeping


class ConnectorDefectError(SourceError):
    """A connector stopped with an exception that it should have turned into words."""


def blamed(settings: SourceSettings, doing: str, items: Callable[[], Iterable[T]]) -> Iterator[T]:
    """Passes on what `items()` gives. What it raises is the source's fault: SourceError, if it is not one already."""
    iterator: Iterator[T] | None = None
    while True:
        try:
            iterator = iterator or iter(items())
            item = next(iterator)
        except StopIteration:
            return
        except SourceError:
            raise
        except Exception as error:  # noqa: BLE001  # a connector may raise anything; see the module's charter
            raise _defect(settings, doing, error) from None
        yield item


def _defect(settings: SourceSettings, doing: str, error: Exception) -> ConnectorDefectError:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return ConnectorDefectError(
        f"connector {settings.kind} failed while {doing}: {type(error).__name__}{where}: "
        f"{scrubbed(str(error), settings)}; this is a defect of the connector, or an answer it does not know"
    )


def scrubbed(text: str, settings: SourceSettings) -> str:
    """The first line of a foreign message, without query strings and without any secret of the settings."""
    line = re.sub(r"\?\S+", "?...", text.partition("\n")[0])
    for secret in sorted(_secrets(settings), key=len, reverse=True):
        line = line.replace(secret, "***")
    return line[:_LONGEST]


def _secrets(value: object) -> set[str]:
    if isinstance(value, SecretStr):
        return {value.get_secret_value()} - {""}
    if isinstance(value, SourceSettings):
        return {secret for name in type(value).model_fields for secret in _secrets(getattr(value, name))}
    if isinstance(value, dict):  # options of an object store: strings of which some are keys
        return {text for text in value.values() if isinstance(text, str) and len(text) > 3}
    return set()
