"""What `farthing check` says of a source that answers and is still to be doubted."""

import io
import json
from pathlib import Path

from rich.console import Console

from pipelines.cli.commands import OK, WITH_PROBLEMS, check
from tests.pipelines.small_company import write_company


def _checked(file: Path) -> tuple[int, list[str]]:
    shown = io.StringIO()
    code = check(Console(file=shown, width=200), file, offline=False)
    return code, shown.getvalue().splitlines()


def test_what_is_to_be_doubted_is_marked_apart_from_what_fails(tmp_path: Path) -> None:
    write_company(tmp_path)
    (tmp_path / "own").mkdir()
    used = {"vendor": "openai", "at": "2026-10-31T10:00:00Z", "used": {"in": 5, "out": 7}}
    rows = [{"id": "r1", "result": "200", **used}, {"id": "r2", "result": "odd", **used}]
    (tmp_path / "own/x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    fields = "{request_id: id, started_at: at, status: result, input_tokens: used.in, output_tokens: used.oot, billed_model: vendor}"
    own = f"  - {{name: own, kind: mapped_log, location: own, layout: '*', hash_key: file:key, fields: {fields}}}\n"
    file = tmp_path / "farthing.yml"
    text = file.read_text(encoding="utf-8").replace("sources:\n", f"sources:\n{own}", 1)
    file.write_text(text, encoding="utf-8")
    code, lines = _checked(file)
    assert code == WITH_PROBLEMS
    (refused,) = (line for line in lines if line.startswith("✗"))
    assert refused.startswith("✗ own: ")
    file.write_text(text.replace("used.oot", "used.out, cost: used.usd"), encoding="utf-8")
    code, lines = _checked(file)
    assert code == OK
    assert any(line.startswith("✓ own: ") for line in lines)
    absent, odd = (line for line in lines if line.startswith("?"))
    assert absent.startswith(
        "? own: fields.cost: 'used.usd' finds nothing in the first 2 rows of x.jsonl; at 'used' they have in, out"
    )
    assert odd.startswith(
        "? own: 1 of the first 2 rows of x.jsonl would be refused (the first: row 2): status is 'odd'"
    )
