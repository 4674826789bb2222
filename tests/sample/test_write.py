import filecmp
import hashlib
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml

import sample
from sample.company import days_until

TWO_DAYS = date(2026, 10, 3)


def digest(directory: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(path for path in directory.rglob("*") if path.is_file()):
        found.update(str(file.relative_to(directory)).encode() + file.read_bytes())
    return found.hexdigest()


def test_the_same_arguments_give_the_same_bytes_in_another_process_with_another_hash_seed_and_time_zone(tmp_path):
    sample.write(tmp_path / "here", as_of=TWO_DAYS)
    code = (
        "import sys; from datetime import date; from pathlib import Path; import sample;"
        "sample.write(Path(sys.argv[1]), as_of=date(2026, 10, 3))"
    )
    environment = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "PATH": ""}
    root = Path(sample.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code, tmp_path / "there"], check=True, cwd=root, env=environment)
    assert digest(tmp_path / "here") == digest(tmp_path / "there")


def test_another_seed_gives_other_traffic_and_another_secret(tmp_path):
    one = sample.write(tmp_path / "one", as_of=TWO_DAYS)
    two = sample.write(tmp_path / "two", as_of=TWO_DAYS, seed=2)
    assert one.truth.read_bytes() != two.truth.read_bytes()
    assert (tmp_path / "one/secrets/hash_key").read_text() != (tmp_path / "two/secrets/hash_key").read_text()


def test_a_day_is_the_same_whether_it_is_the_last_of_an_export_or_in_the_middle(tmp_path, october):
    sample.write(tmp_path, as_of=TWO_DAYS)
    logs = "exports/litellm-us/2026-10-02/spend_logs.jsonl.gz"
    samples = "exports/dcgm/research/2026-10-02/rsch-h100-01.prom.gz"
    pods = "exports/kube-state-metrics/serving/2026-10-02/kube-state.prom.gz"
    engines = "exports/vllm/serving/2026-10-02/llm-house-0.prom.gz"
    for file in (logs, samples, pods, engines):
        assert filecmp.cmp(tmp_path / file, october.directory / file, shallow=False)


def test_a_month_before_leaves_october_and_its_truth_as_they_are(tmp_path):
    alone, both = tmp_path / "alone", tmp_path / "both"
    sample.write(alone, as_of=TWO_DAYS)
    sample.write(both, as_of=TWO_DAYS, since=date(2026, 9, 29))
    october = [f.relative_to(alone) for f in alone.rglob("*") if f.is_file() and "vllm" not in f.parts]
    # an engine goes on counting where it was; on the first of October a ticket of September may be closed
    same = [f for f in october if f.name != "tickets-2026-10-01.csv" and f.name != "tickets-2026-10-02.csv"]
    assert [f for f in same if (both / f).read_bytes() != (alone / f).read_bytes()] == []
    assert {f.name for f in (both / "exports/litellm-us").iterdir()} > {"2026-09-29", "2026-09-30", "2026-10-01"}
    bills = sorted(f.name for f in (both / "exports/gpucloud").iterdir())
    assert bills == ["2026-09", "2026-10"]


def test_days_that_are_not_over_are_not_exported(tmp_path):
    sample.write(tmp_path, as_of=TWO_DAYS)
    assert sorted(path.name for path in (tmp_path / "exports/litellm-us").iterdir()) == [
        "2026-10-01",
        "2026-10-02",
    ]
    bill = (tmp_path / "exports/gpucloud/2026-10/nimbus-2026-10.csv").read_text()
    assert "2026-10-02T23:00:00Z" in bill
    assert "Sales tax" not in bill
    assert len(days_until(date(2027, 1, 1))) == 31


def test_before_the_first_day_is_over_there_is_nothing_to_write(tmp_path):
    with pytest.raises(ValueError, match="the sample month starts on 2026-10-01: choose a later day"):
        sample.write(tmp_path, as_of=date(2026, 10, 1))


def test_a_later_write_replaces_the_files_of_an_earlier_one(tmp_path):
    sample.write(tmp_path, as_of=date(2026, 10, 2))
    sample.write(tmp_path, as_of=date(2026, 10, 3))
    assert len(list((tmp_path / "exports/openai/2026-10/costs").iterdir())) == 1


def test_the_counts_are_those_of_the_month(october):
    eu = list((october.directory / "exports/litellm-eu").rglob("*.json"))
    assert october.counts.payload_files == len(eu)
    assert 600 < len(eu) < 900
    assert 50_000 < october.counts.spend_log_rows < 70_000
    # Two nodes of eight GPUs, 288 samples a day, 31 days, less two hours of the serving node's samples.
    assert october.counts.gpu_samples == 2 * 8 * 288 * 31 - 8 * 24
    assert october.counts.bill_lines == sum(bill["lines"] for bill in october.truth["bills"].values())


def test_no_configuration_holds_a_secret_and_mail_is_there_only_when_a_port_is_given(tmp_path, october):
    text = october.counts.config.read_text()
    secret = (october.directory / "secrets/hash_key").read_text().strip()
    assert len(secret) == 64
    assert secret not in text
    assert "hash_key: file:secrets/hash_key" in text
    assert "mail" not in yaml.safe_load(text)
    config = yaml.safe_load(sample.write(tmp_path, as_of=date(2026, 10, 2), mail_port=2525).config.read_text())
    assert config["mail"] == {
        "from": "finops@alder-finch.example",
        "host": "127.0.0.1",
        "port": 2525,
        "security": "none",
    }


def test_the_configuration_names_seven_teams_and_every_rule_matches_by_exactly_one_thing(october):
    config = yaml.safe_load(october.counts.config.read_text())
    assert [team["id"] for team in config["teams"]] == [
        *("search", "support", "growth", "research", "data-platform", "mobile", "legal")
    ]
    kinds = {"gateway_key", "gateway_team", "feature", "namespace", "sub_account", "resource", "tag"}
    assert all(len(kinds & owner.keys()) == 1 for owner in config["owners"])
    assert {kind for owner in config["owners"] for kind in kinds & owner.keys()} == kinds
    assert config["company"] == "Alder & Finch"


def test_mail_addresses_and_hosts_belong_to_nobody(october):
    """Only reserved names: nothing that is written can reach or name a real person or company."""
    texts = [october.counts.config.read_text()]
    texts += [path.read_text() for path in sorted((october.directory / "exports/litellm-eu").rglob("*.json"))[:40]]
    addresses = {match for text in texts for match in re.findall(r"[\w.+-]+@([\w.-]+)", text)}
    assert addresses == {"alder-finch.example"}
    hosts = {match for text in texts for match in re.findall(r"https?://([^/:\"]+)", text)}
    assert hosts <= {"api.openai.com", "api.anthropic.com", "llm.serving.svc"}
