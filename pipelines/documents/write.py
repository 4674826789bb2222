"""Writes generated pages, or says which differ from what lies on disk."""

from collections.abc import Mapping
from pathlib import Path


def write_pages(root: Path, pages: Mapping[str, str]) -> None:
    """Writes every page, by its path relative to `root`."""
    for name, text in pages.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def stale_pages(root: Path, pages: Mapping[str, str]) -> list[str]:
    """The pages that are absent or differ, by path."""
    return [name for name, text in pages.items() if not _is_current(root / name, text)]


def _is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text
