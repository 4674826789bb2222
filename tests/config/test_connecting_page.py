"""`docs/connecting.md` asks for what the connectors' pages say, and for nothing that changes anything."""

import json
import re
from pathlib import Path

import pytest

from connectors.registry import SOURCES
from pipelines.documents.rights import rights_of, rights_table

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "connecting.md").read_text(encoding="utf-8")
ACTION = re.compile(r"`([a-z0-9]+:(?:Get|List|Describe)\w+)`")
NEEDS_NO_RIGHT = "sts:GetCallerIdentity"


def page_of(tmp_path: Path, folder: str, text: str) -> Path:
    """A checkout with this page of a connector and no other."""
    file = tmp_path / folder / "README.md"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return tmp_path


def test_every_kind_is_on_the_page() -> None:
    assert [kind for kind in SOURCES if f"[`{kind}`](" not in PAGE] == []


def test_the_policy_is_what_the_pages_ask_for_and_changes_nothing() -> None:
    (policy,) = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    (rights,) = re.findall(r"<!-- generated: rights -->(.*?)<!-- end -->", PAGE, re.DOTALL)
    allowed: list[str] = []
    for statement in policy["Statement"]:
        actions = statement["Action"]
        allowed += actions if isinstance(actions, list) else [actions]
    assert set(ACTION.findall(rights)) - {NEEDS_NO_RIGHT} == {one for one in allowed if not one.startswith("s3:")}
    assert {one for one in allowed if one.startswith("s3:")} == {"s3:ListBucket", "s3:GetObject"}
    assert all(re.fullmatch(r"\w+:(Get|List|Describe)\w+", one) for one in allowed)


def test_a_row_of_a_table_speaks_for_the_kinds_of_its_header(tmp_path: Path) -> None:
    text = "# Google\n\n| | `gcp_bill` | `gcp_prices` |\n|---|---|---|\n| rights | a reader | the same |\n"
    root = page_of(tmp_path, "connectors/gcp", text)
    assert rights_of(root, "connectors/gcp") == {"gcp_bill": "a reader", "gcp_prices": "a reader"}


def test_a_column_speaks_for_the_kinds_of_its_rows(tmp_path: Path) -> None:
    text = "| kind | rights | grain |\n|---|---|---|\n| `gcp_bill` | a reader | a line |\n"
    assert rights_of(page_of(tmp_path, "connectors/gcp", text), "connectors/gcp") == {"gcp_bill": "a reader"}


def test_a_sentence_speaks_for_the_kinds_of_its_heading_else_for_all_of_the_page(tmp_path: Path) -> None:
    text = "# LiteLLM\n\nRights: list and\nread. More.\n\n## Base (`kind: litellm_database`)\n\n- Rights: `select`. More.\n"
    said = rights_of(page_of(tmp_path, "connectors/litellm", text), "connectors/litellm")
    assert said == {"litellm": "list and read", "litellm_database": "`select`"}


def test_a_page_that_does_not_say_it_is_named(tmp_path: Path) -> None:
    folders = {"/".join(module.split(".")[:2]) for module in SOURCES.values()}
    for folder in folders:
        page_of(tmp_path, folder, "# A page\n\n" + ("" if folder == "connectors/dcgm" else "Rights: none.\n"))
    with pytest.raises(ValueError, match=r"connectors/dcgm/README\.md does not say what `dcgm` needs"):
        rights_table(tmp_path)


def test_the_first_page_leads_there() -> None:
    assert "](docs/connecting.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
