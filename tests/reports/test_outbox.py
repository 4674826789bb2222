"""At most once: real folders, a real object store protocol, a real mail server, and a crash at every point."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path

import pytest
from obstore.store import LocalStore

from connectors.storage_open import open_store
from reports.outbox import AlreadySent, NotSentError, Outbox, Sent, Uncertain
from tests.moto_s3 import object_store

ROOT = Path(__file__).resolve().parents[2]
KEY = "2026-07/search/final"


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    with object_store("lake") as store:
        yield store.options


def folder_outbox(folder: Path) -> Outbox:
    return Outbox(LocalStore(folder, mkdir=True), str(folder))


def bucket_outbox(location: str, options: dict[str, str]) -> Outbox:
    return Outbox(open_store(location, options), location)


@pytest.fixture(params=["folder", "s3"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Outbox]:
    """Opens the same outbox anew, as another night would."""
    if request.param == "folder":
        return lambda: folder_outbox(tmp_path / "outbox")
    options = request.getfixturevalue("bucket")
    return lambda: bucket_outbox(f"s3://lake/{tmp_path.name}", options)


@pytest.fixture
def message() -> EmailMessage:
    made = EmailMessage()
    made["Message-ID"] = "<statement@example.com>"
    made["To"] = "ada@example.com"
    made.set_content("x")
    return made


class Post:
    """Counts what it is handed; `failure` is raised after the message was taken."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.taken = 0
        self.failure = failure

    def __call__(self, message: EmailMessage) -> Mapping[str, str]:
        self.taken += 1
        if self.failure is not None:
            raise self.failure
        return {}


def test_a_statement_goes_out_once_however_often_it_is_asked_for(
    opened: Callable[[], Outbox], message: EmailMessage
) -> None:
    post = Post()
    assert opened().send_once(KEY, message, post) == Sent("<statement@example.com>", {})
    for _ in range(3):
        assert opened().send_once(KEY, message, post) == AlreadySent("<statement@example.com>")
    assert post.taken == 1
    assert isinstance(opened().send_once("2026-07/search/update-1", message, post), Sent)


def test_a_crash_while_sending_leaves_a_claim_that_no_later_night_repeats(
    opened: Callable[[], Outbox], message: EmailMessage
) -> None:
    with pytest.raises(KeyboardInterrupt):
        opened().send_once(KEY, message, Post(KeyboardInterrupt()))
    post = Post()
    for _ in range(2):
        answer = opened().send_once(KEY, message, post)
        assert isinstance(answer, Uncertain)
        assert "<statement@example.com>" in answer.remedy
        assert "delete " in answer.remedy
    assert post.taken == 0


def test_a_lost_connection_after_the_message_was_taken_is_uncertain_not_failed(
    opened: Callable[[], Outbox], message: EmailMessage
) -> None:
    answer = opened().send_once(KEY, message, Post(TimeoutError("no answer")))
    assert isinstance(answer, Uncertain)
    assert "TimeoutError" in answer.remedy
    post = Post()
    assert isinstance(opened().send_once(KEY, message, post), Uncertain)
    assert post.taken == 0


def test_a_certain_refusal_is_tried_again_the_next_night(opened: Callable[[], Outbox], message: EmailMessage) -> None:
    with pytest.raises(NotSentError):
        opened().send_once(KEY, message, Post(NotSentError("refused")))
    post = Post()
    assert isinstance(opened().send_once(KEY, message, post), Sent)
    assert post.taken == 1


@pytest.mark.parametrize(("was_sent", "then"), [(True, AlreadySent), (False, Sent)])
def test_a_person_settles_an_uncertain_claim(
    was_sent: bool, then: type, opened: Callable[[], Outbox], message: EmailMessage
) -> None:
    opened().send_once(KEY, message, Post(TimeoutError()))
    opened().settle(KEY, was_sent=was_sent)
    assert type(opened().send_once(KEY, message, Post())) is then


def test_deleting_the_claim_that_the_remedy_names_allows_another_try(tmp_path: Path, message: EmailMessage) -> None:
    outbox = folder_outbox(tmp_path)
    answer = outbox.send_once(KEY, message, Post(TimeoutError()))
    assert isinstance(answer, Uncertain)
    named = next(word for word in answer.remedy.split() if word.startswith(str(tmp_path)))
    Path(named).unlink()
    assert isinstance(outbox.send_once(KEY, message, Post()), Sent)


def test_a_claim_cut_short_by_a_full_disk_is_still_a_claim(tmp_path: Path, message: EmailMessage) -> None:
    outbox = folder_outbox(tmp_path)
    outbox.send_once(KEY, message, Post(TimeoutError()))
    claim = next(tmp_path.glob("*.sending"))
    claim.write_bytes(b"")
    post = Post()
    assert isinstance(outbox.send_once(KEY, message, post), Uncertain)
    assert post.taken == 0


def test_of_eight_nights_at_once_one_sends(opened: Callable[[], Outbox], message: EmailMessage) -> None:
    post, gate = Post(), threading.Barrier(8)

    def night() -> None:
        outbox = opened()
        gate.wait()
        outbox.send_once(KEY, message, post)

    nights = [threading.Thread(target=night) for _ in range(8)]
    for thread in nights:
        thread.start()
    for thread in nights:
        thread.join()
    assert post.taken == 1


def test_keys_that_look_alike_do_not_share_a_claim(tmp_path: Path, message: EmailMessage) -> None:
    outbox, post = folder_outbox(tmp_path), Post()
    for key in ("a/b", "a-b", "A-b", "../a-b"):
        assert isinstance(outbox.send_once(key, message, post), Sent)
    assert post.taken == 4
    assert all(path.parent == tmp_path for path in tmp_path.rglob("*"))


def test_a_process_killed_while_sending_leaves_its_claim(tmp_path: Path, message: EmailMessage) -> None:
    killed = """
import os, sys
from email.message import EmailMessage
from obstore.store import LocalStore
from reports.outbox import Outbox
message = EmailMessage()
message["Message-ID"] = "<statement@example.com>"
Outbox(LocalStore(sys.argv[1]), sys.argv[1]).send_once(sys.argv[2], message, lambda m: os._exit(9))
"""
    command = [sys.executable, "-c", killed, str(tmp_path), KEY]
    assert subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode == 9
    post = Post()
    assert isinstance(folder_outbox(tmp_path).send_once(KEY, message, post), Uncertain)
    assert post.taken == 0


def test_an_outbox_that_cannot_be_used_sends_nothing(bucket: dict[str, str], message: EmailMessage) -> None:
    post = Post()
    with pytest.raises(NotSentError, match="the outbox s3://no-such-bucket/x cannot be used") as caught:
        bucket_outbox("s3://no-such-bucket/x", bucket).send_once(KEY, message, post)
    assert "secret" not in str(caught.value)
    assert post.taken == 0


def test_an_outbox_that_cannot_be_read_says_so_instead_of_its_store_s_error(
    tmp_path: Path, message: EmailMessage
) -> None:
    outbox = folder_outbox(tmp_path)
    assert isinstance(outbox.send_once(KEY, message, Post()), Sent)
    (receipt,) = tmp_path.glob("*.sent")
    receipt.unlink()
    receipt.symlink_to(receipt)  # a circle: neither there nor absent
    with pytest.raises(NotSentError, match=r"the outbox \S+ cannot be used"):
        outbox.was_sent(KEY)


def test_a_receipt_that_cannot_be_written_is_uncertain_and_says_that_the_mail_went_out(
    tmp_path: Path, message: EmailMessage
) -> None:
    folder = tmp_path / "outbox"

    def lose_the_disk(handed: EmailMessage) -> Mapping[str, str]:
        shutil.rmtree(folder)
        folder.write_text("not a folder any more")
        return {}

    answer = folder_outbox(folder).send_once(KEY, message, lose_the_disk)
    assert isinstance(answer, Uncertain)
    assert "the mail server took it" in answer.remedy


def test_a_claim_is_durable_before_the_message_is_handed_over(tmp_path: Path, message: EmailMessage) -> None:
    steps: list[str] = []
    outbox = Outbox(LocalStore(tmp_path), str(tmp_path), lambda path: steps.append(path.rpartition(".")[2]))

    def transport(handed: EmailMessage) -> Mapping[str, str]:
        steps.append("handed over")
        return {}

    outbox.send_once(KEY, message, transport)
    assert steps == ["sending", "handed over", "sent"]
