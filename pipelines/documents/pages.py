"""Which pages are generated, and the README's sections that are."""

import re
from pathlib import Path

from contracts import Contract, Layer, all_contracts
from pipelines.documents.dictionary import data_dictionary, first_sentence
from pipelines.documents.focus import focus_columns_table
from pipelines.documents.gpu_metrics import gpu_metrics_table
from pipelines.documents.mapped_fields import mapped_fields_table
from pipelines.documents.rights import rights_table
from pipelines.documents.settings import settings_page
from pipelines.documents.sources import sources_table
from pipelines.documents.table import table

README, GPUS, FOCUS_PAGE, CONNECTING = "README.md", "docs/gpus.md", "docs/focus.md", "docs/connecting.md"
MAPPED_LOG = "connectors/mapped_log/README.md"


def generated_pages(root: Path) -> dict[str, str]:
    """Every generated page by its path, as it should be. Raises ValueError when a page lost a marker."""
    readme = (root / README).read_text(encoding="utf-8")
    readme = _fill(README, readme, "tables", _tables())
    readme = _fill(README, readme, "sources", sources_table())
    focus = (root / FOCUS_PAGE).read_text(encoding="utf-8")
    gpus = (root / GPUS).read_text(encoding="utf-8")
    connecting = (root / CONNECTING).read_text(encoding="utf-8")
    mapped_log = (root / MAPPED_LOG).read_text(encoding="utf-8")
    return {
        README: readme,
        GPUS: _fill(GPUS, gpus, "dcgm", gpu_metrics_table()),
        CONNECTING: _fill(CONNECTING, connecting, "rights", rights_table(root)),
        FOCUS_PAGE: _fill(FOCUS_PAGE, focus, "focus", focus_columns_table()),
        MAPPED_LOG: _fill(MAPPED_LOG, mapped_log, "fields", mapped_fields_table()),
        "docs/data_dictionary.md": data_dictionary(),
        "docs/settings.md": settings_page(),
    }


def _tables() -> str:
    """What finance can query, marts first."""
    order = {Layer.MART: 0, Layer.CORE: 1, Layer.REFERENCE: 2, Layer.STAGED: 3, Layer.LAKE: 4}
    published = sorted((t for t in all_contracts().values() if t.published), key=lambda t: (order[t.layer], t.table))
    return table(["table", "what it says", "one row is"], [_row(contract) for contract in published])


def _row(contract: Contract) -> list[str]:
    link = f"[`{contract.table}`](docs/data_dictionary.md#{contract.table})"
    return [link, first_sentence(contract.description), contract.grain]


def _fill(page: str, text: str, name: str, content: str) -> str:
    """Replaces what stands between the markers of that name."""
    start, end = f"<!-- generated: {name} -->", "<!-- end -->"
    pattern = re.compile(re.escape(start) + r".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{page} has no section between '{start}' and '{end}'")
    return pattern.sub(lambda _: f"{start}\n{content}\n{end}", text, count=1)
