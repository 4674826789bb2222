"""`python -m pipelines.documents` writes the generated documentation; with `--check` it says what is stale."""

import sys
from pathlib import Path

from pipelines.documents import generated_pages, stale_pages, write_pages


def main(arguments: list[str]) -> int:
    """Exit code 0: done, or nothing is stale; 1: something is."""
    root = Path(__file__).resolve().parents[2]
    pages = generated_pages(root)
    if "--check" not in arguments:
        write_pages(root, pages)
        return 0
    stale = stale_pages(root, pages)
    for name in stale:
        sys.stderr.write(f"{name} is stale. Run: python -m pipelines.documents\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
