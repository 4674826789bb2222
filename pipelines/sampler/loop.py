"""The sampler's life: a round every few seconds until it is told to stop.

Here belongs: when rounds are, what is done about a driver, a disk or a clock that fails, what is said about it. Here
does not belong: what a round asks, and the files.
"""

import faulthandler
import signal
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.clock import Clock
from pipelines.sampler.driver import VERSION_MISMATCH, DriverLostError
from pipelines.sampler.holders import Holders
from pipelines.sampler.readings import Fields
from pipelines.sampler.rounds import Rounds, open_rounds
from pipelines.sampler.spool import Spool, SpoolError

OK, FAILED, WRONG = 0, 1, 2
HANG_SECONDS = 60
HEALTH_SECONDS = 300  # what changes once in a GPU's life need not be asked every few seconds
_STOPS = (signal.SIGTERM, signal.SIGINT)
_FIRST_PLAUSIBLE_YEAR = 2024  # a node without a battery begins in 1970
_GPU_IS_LOST = 15
_ASKED_AGAIN = "it is asked again every round"
_JUMP = timedelta(seconds=2)


@dataclass(frozen=True)
class Order:
    """What the sampler is to do."""

    spool: Path
    every_seconds: int
    hostname: str
    instance_id: str | None = None
    most_bytes: int = 512 << 20
    processes: Path = Path("/proc")
    pod_logs: Path = Path("/var/log/containers")


@dataclass
class Sampler:
    """A sampler at work. `health_every` is the number of rounds between questions for health; `once`: it has one."""

    order: Order
    clock: Clock
    spool: Spool
    health_every: int
    once: bool = False
    rounds_written: int = 0
    _rounds: Rounds | None = None
    _energy: dict[str, int] = field(default_factory=dict[str, int])
    _is_lost: bool = False
    _said: dict[str, str] = field(default_factory=dict[str, str])
    _lost_rounds: int = 0
    _before: tuple[datetime, float] | None = None
    _gpus: frozenset[str] = frozenset()

    def round(self) -> int | None:
        """Samples and writes once. Returns an exit code where going on makes no sense."""
        at = self.clock()
        if at.year < _FIRST_PLAUSIBLE_YEAR:
            self._say("clock", f"the clock says {at:%Y-%m-%d}: samples wait until it is set")
            return None
        self._watch_clock(at)
        try:
            lines = self._read()
        except DriverLostError as error:
            return self._without_driver(at, error)
        self._tell_of(lines)
        self._watch_gpus(frozenset(line["gpu_uuid"] for line in lines if "gpu_uuid" in line))
        self._write(at, lines)
        return None

    def look(self) -> None:
        """A first look without a line: what is measured from round to round needs one before."""
        try:
            self._read()
        except DriverLostError:
            return

    def close(self) -> None:
        """Lets go of the driver and the spool."""
        if self._rounds is not None:
            self._rounds.close()
        self.spool.close()

    def _read(self) -> list[Fields]:
        if self._rounds is None:
            holders = Holders(self.order.processes, self.order.pod_logs)
            self._rounds = open_rounds(holders, self.health_every, self._energy)
        lines = self._rounds.read()
        if self._is_lost:
            self.spool.note("driver_found")
            self._is_lost = False
            self._say("driver", "the GPU driver answers again")
        machine = {} if self.order.instance_id is None else {"instance_id": self.order.instance_id}
        return [{**machine, **line} for line in lines]

    def _without_driver(self, at: datetime, error: DriverLostError) -> int | None:
        if self._rounds is not None:
            self._rounds.close()
            self._rounds = None
        next_time = "no GPU was measured, run it again when the driver answers" if self.once else _ASKED_AGAIN
        self._say("driver", f"the GPU driver does not answer ({error}); {next_time}")
        if not self._is_lost:
            self._is_lost = True
            self.spool.note("driver_lost", code=error.code)
            self._write(at, [])
        if error.code == VERSION_MISMATCH:  # the old library stays loaded as long as this program runs
            self._say("restart", "the driver was exchanged: the sampler ends, to be started again with the new library")
            return FAILED
        return None

    def _tell_of(self, lines: list[Fields]) -> None:
        """Says what somebody on the node should see to."""
        lost = [str(line["gpu_index"]) for line in lines if _GPU_IS_LOST in line.get("errors", {}).values()]
        self._say_if("gpu", f"lost, by their index: GPU {', '.join(lost)}", applies=bool(lost))
        unseen = any(holder["kind"] == "unseen" for line in lines for holder in line.get("holders", ()))
        self._say_if(
            "unseen",
            f"programs on GPUs cannot be seen below {self.order.processes}: unless they just ended, the sampler does "
            "not share the machine's process numbers (hostPID)",
            applies=unseen,
        )

    def _write(self, at: datetime, lines: list[Fields]) -> None:
        lost: list[Fields] = [{"note": "lost_rounds", "rounds": self._lost_rounds}] if self._lost_rounds else []
        try:
            self.spool.append(at, [*lost, *lines])
        except OSError as error:
            self._lost_rounds += 1
            self._say("disk", f"{self.order.spool} cannot be written ({error.strerror}): rounds are lost, and counted")
            return
        self.rounds_written += bool(lines)
        if lost:
            self._say("disk", f"{self.order.spool} can be written again; {self._lost_rounds} rounds were lost")
            self._lost_rounds = 0

    def _watch_gpus(self, found: frozenset[str]) -> None:
        """Notes where GPUs have gone or come."""
        gone, new = sorted(self._gpus - found), sorted(found - self._gpus)
        if self._gpus and (gone or new):
            self.spool.note("gpus_changed", gone=gone, new=new)
            _tell(f"GPUs have changed: {', '.join(gone) or 'none'} gone, {', '.join(new) or 'none'} new")
        self._gpus = found

    def _watch_clock(self, at: datetime) -> None:
        """Notes where the clock was set: it went otherwise than time."""
        steady = time.monotonic()
        if self._before is not None:
            jump = (at - self._before[0]) - timedelta(seconds=steady - self._before[1])
            if abs(jump) > _JUMP:
                self.spool.note("clock_set", seconds=round(jump.total_seconds(), 3))
                _tell(f"the clock was set by {jump.total_seconds():+.1f} s")
        self._before = (at, steady)

    def _say_if(self, topic: str, words: str, *, applies: bool) -> None:
        if applies:
            self._say(topic, words)
        else:
            self._said.pop(topic, None)

    def _say(self, topic: str, words: str) -> None:
        """Says it once, until something else is to be said of the topic."""
        if self._said.get(topic) != words:
            self._said[topic] = words
            _tell(words)


def sample(order: Order, clock: Clock, *, once: bool = False) -> int:
    """Samples until SIGTERM or SIGINT, or once. Returns the exit code: 2 where the spool cannot be used.

    The signals are held back and asked for between rounds, so that a round is written whole or not begun.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    spool = Spool(order.spool, order.hostname, order.most_bytes, _tell)
    sampler = Sampler(order, clock, spool, 1 if once else max(1, HEALTH_SECONDS // order.every_seconds), once)
    try:
        spool.open()
        return _sample_once(sampler) if once else _sample_until_stopped(sampler)
    except SpoolError as error:
        _tell(str(error))
        return WRONG
    finally:
        sampler.close()
        faulthandler.cancel_dump_traceback_later()
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _sample_once(sampler: Sampler) -> int:
    sampler.look()
    if _is_stopped_within(1):
        return OK
    return sampler.round() or (OK if sampler.rounds_written else FAILED)


def _sample_until_stopped(sampler: Sampler) -> int:
    every = sampler.order.every_seconds
    due = time.monotonic()
    while True:
        # a driver may hang in a call for ever; then the thread that waits here ends the program, naming the call
        faulthandler.dump_traceback_later(every + HANG_SECONDS, exit=True)
        if (code := sampler.round()) is not None:
            return code
        due += every
        now = time.monotonic()
        if due <= now:  # a slow round: the next is at the next beat, and not made up for
            due += ((now - due) // every + 1) * every
        if _is_stopped_within(due - time.monotonic()):
            return OK


def _is_stopped_within(seconds: float) -> bool:
    return signal.sigtimedwait(_STOPS, max(0, seconds)) is not None


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
