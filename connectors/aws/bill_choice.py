"""Which manifest and which files of a month count: one execution's, whole. Anything else is refused, never guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from connectors.aws.bill_layout import READABLE, execution_of, export_of
from connectors.aws.bill_manifest import Manifest
from connectors.base import IncompleteDeliveryError, SourceError
from connectors.storage import StoredObject, refuse_packed_twins


@dataclass(frozen=True)
class Choice:
    """The files of one execution, and the manifest that decided; None where there is none."""

    files: tuple[StoredObject, ...]
    manifest_path: str | None = None
    manifest: Manifest | None = None
    manifest_time: datetime | None = field(default=None, compare=False)


def choose(where: str, files: Sequence[StoredObject], found: Mapping[StoredObject, Manifest]) -> Choice:
    """The newest execution that a manifest vouches for; without a manifest's word, the newest that is there.

    Args:
        where: location and month, for messages.
        files: the month's bill files, of all executions.
        found: the month's manifests.

    Raises:
        IncompleteDeliveryError: a file that the manifest names is not there.
        SourceError: the month lies there more than once, and nothing says which one counts.
    """
    manifests = {stored.path: manifest for stored, manifest in found.items()}
    _refuse_second_export(where, [*(stored.path for stored in files), *manifests])
    path = _newest(where, manifests)
    named = None if path is None else manifests[path].files
    chosen = _unnamed(where, files) if path is None or named is None else named_files(path, named, files)
    _refuse_unreadable(where, chosen)
    refuse_packed_twins(chosen)
    if path is None:
        return Choice(chosen)
    modified = next(stored.modified for stored in found if stored.path == path)
    return Choice(chosen, path, manifests[path], modified)


def _refuse_second_export(where: str, paths: Sequence[str]) -> None:
    exports = sorted({export_of(path) for path in paths})
    if len(exports) > 1:
        raise SourceError(
            f"{where}: it lies there in {len(exports)} exports ({', '.join(exports[:3])}) and would be counted more "
            "than once; have one source for each, with the export's own folder as `location`"
        )


def _refuse_unreadable(where: str, files: Sequence[StoredObject]) -> None:
    for found in files:
        if not found.path.lower().endswith(READABLE):
            raise SourceError(
                f"{where}: {found.path} is none of {', '.join(READABLE)}; have the export written as Parquet or GZIP"
            )


def _newest(where: str, manifests: Mapping[str, Manifest]) -> str | None:
    """The manifest that counts.

    Folders of executions begin with the time, so that the last one is the newest. A manifest beside these folders
    names the files of one of them. The legacy report's folders have no order: there the manifest beside them counts.
    """
    outer = [path for path in manifests if not execution_of(path)]
    legacy = any(manifest.is_legacy for manifest in manifests.values())
    if outer and (legacy or len(outer) == len(manifests)):
        _require_one(where, outer)
        return outer[0]
    if legacy:
        _require_one(where, list(manifests))
    executions = {path: execution_of(path) or _execution(manifest) for path, manifest in manifests.items()}
    if "" in executions.values():
        raise SourceError(
            f"{where}: it was delivered both overwritten in place and as executions of their own; remove what the "
            f"export no longer writes: {outer[0]} and what it names, or the folders of the executions"
        )
    return max(manifests, key=lambda path: (executions[path], path in outer, path), default=None)


def _execution(manifest: Manifest) -> str:
    return max((execution_of(file) for file in manifest.files or ()), default="")


def _require_one(where: str, paths: Sequence[str]) -> None:
    if len(paths) > 1:
        raise SourceError(
            f"{where}: {len(paths)} manifests stand side by side ({', '.join(sorted(paths)[:3])}), and nothing says "
            "which one counts; remove the older ones"
        )


def named_files(manifest_path: str, names: Sequence[str], files: Sequence[StoredObject]) -> tuple[StoredObject, ...]:
    """The files that a manifest names, in the order of their paths.

    Raises IncompleteDeliveryError when one is not there, and SourceError when a name can mean several.
    """
    by_name: dict[str, list[StoredObject]] = {}
    for found in files:
        by_name.setdefault(PurePosixPath(found.path).name, []).append(found)
    chosen: set[StoredObject] = set()
    missing: list[str] = []
    for name in names:
        candidates = [o for o in by_name.get(PurePosixPath(name).name, ()) if _is_end_of(o.path, name)]
        _refuse_namesakes(manifest_path, name, candidates)
        chosen.update(candidates)
        if not candidates:
            missing.append(name)
    if missing:
        raise IncompleteDeliveryError(
            f"{manifest_path} names {len(names)} files; {len(missing)} are not there: {', '.join(missing[:5])}; "
            "the delivery may still be under way: run the month again, or have it exported again"
        )
    return tuple(sorted(chosen))


def _refuse_namesakes(manifest_path: str, name: str, found: Sequence[StoredObject]) -> None:
    """A bare name may be that of a file in any folder: each of them would count."""
    if len(found) > 1:
        paths = ", ".join(sorted(stored.path for stored in found)[:3])
        raise SourceError(
            f"{manifest_path} names {name}, and {len(found)} files can be meant ({paths}); remove those that the "
            "export no longer writes, or have the manifest name whole paths"
        )


def _is_end_of(path: str, name: str) -> bool:
    """Whether one of the two is the end of the other: the location may begin above or below the bucket's root."""
    name = name.partition("://")[2] or name
    return f"/{name}".endswith(f"/{path}") or f"/{path}".endswith(f"/{name}")


def _unnamed(where: str, files: Sequence[StoredObject]) -> tuple[StoredObject, ...]:
    executions = sorted({execution_of(found.path) for found in files})
    if not executions:
        raise IncompleteDeliveryError(
            f"{where}: its manifest names no files, and there are none; run the month again, or have it exported again"
        )
    if len(executions) > 1 and not all(name.startswith("20") for name in executions):
        raise SourceError(
            f"{where}: it lies there more than once ({', '.join(executions[:3])}), and no manifest says which one "
            "counts; remove the older ones, or copy the manifest as well"
        )
    return tuple(sorted(found for found in files if execution_of(found.path) == executions[-1]))
