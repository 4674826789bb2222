"""What a log's own words mean, as a person writes it in `farthing.yml`, and at which line it is told where it cannot be."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.config import ConfigError, load

FILE = """\
company: Acme
lake: lake
sources:
  - name: own
    kind: mapped_log
    location: exports
    hash_key: env:HASH_KEY
    fields: {started_at: at, status: state, is_cache_hit: cache}
    words:
      status:
        ok: success
        err: failure
        500: failure
      is_cache_hit: {HIT: true, no: false}
teams:
  - {id: search, name: Search}
"""


def loaded(folder: Path, text: str) -> Any:
    file = folder / "farthing.yml"
    file.write_text(text, encoding="utf-8")
    return load(file, {"HASH_KEY": "sixteen letters!"})[0].sources[0]


def test_truth_values_and_numbers_of_yaml_are_words(tmp_path: Path) -> None:
    words = loaded(tmp_path, FILE).words
    assert words["status"] == {"ok": "success", "err": "failure", "500": "failure"}
    assert words["is_cache_hit"]["HIT"] == "true"
    # YAML makes one value of no, off and false: whichever the log writes is meant
    assert {word for word, meaning in words["is_cache_hit"].items() if meaning == "false"} == {
        *("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"),
    }


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("ok: success", "ok: sucess", "11:9: sources[0].words.status.ok: status is success or failure, and cannot be 'sucess'; did you mean {ok: success}?"),
        ("err: failure", "err: error", "12:9: sources[0].words.status.err: status is success or failure, and cannot be 'error'; did you mean {err: failure}?"),
        ("err: failure", "failure: err", "12:9: sources[0].words.status.failure: status is success or failure, and cannot be 'err'; the log's own word stands on the left: {err: failure}"),
        ("HIT: true", "HIT: sure", "14:22: sources[0].words.is_cache_hit.HIT: is_cache_hit is true or false, and cannot be 'sure'."),
        ("      status:", "      statis:", "10:7: sources[0].words.statis: 'statis' is no field of words that `fields` names; did you mean 'status'?"),
    ],
)  # fmt: skip
def test_a_word_that_cannot_mean_that_is_told_at_its_own_line_with_what_it_can_mean(
    tmp_path: Path, good: str, bad: str, told: str
) -> None:
    assert good in FILE
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, FILE.replace(good, bad, 1))
    (line,) = str(refused.value).splitlines()
    assert line.removeprefix(f"{tmp_path}/farthing.yml:").startswith(told)


def test_two_words_that_cannot_be_are_two_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, FILE.replace("ok: success", "ok: fine").replace("err: failure", "err: dead"))
    assert [line.split(":")[1] for line in str(refused.value).splitlines()] == ["11", "12"]
