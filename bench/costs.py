"""What a measurement costs each process: CPU seconds and memory, from ``/proc``, PostgreSQL's backends by service.

Wall time on a machine that others use too says little; the CPU seconds of the same work say what it takes.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 1.0
"""A backend that lives shorter than this may be missed; services keep theirs in a pool. Looking at all of them
takes some milliseconds, which the run lacks."""


class Costs:
    """Watches the processes of a running stack and PostgreSQL's children, for as long as the block lasts.

    A PostgreSQL backend counts as ``<service>.postgres`` by the role it logged in with, anything else there as
    ``postgres``: writing checkpoints, the write-ahead log, vacuuming.
    """

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._named = {pid: name for name, pid in processes.items() if name != "postgres"}
        self._postmaster = processes["postgres"]
        self._names: dict[int, str] = dict(self._named)
        self._seconds: dict[int, float] = {}
        self._before: dict[int, float] = {}
        self._peak: dict[int, float] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._watch = threading.Thread(target=self._sample_for_long, daemon=True)

    def __enter__(self) -> Self:
        self._sample()
        self._before = dict(self._seconds)
        for pid in self._named:
            _forget_peak(pid)
        self._watch.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._watch.join()

    def cpu(self) -> dict[str, float]:
        """CPU seconds since the block began, user and system together, by process name, the greatest first."""
        with self._lock:
            self._sample()
            spent: dict[str, float] = defaultdict(float)
            for pid, seconds in self._seconds.items():
                spent[self._names[pid]] += seconds - self._before.get(pid, 0.0)
        return {
            name: round(seconds, 2)
            for name, seconds in sorted(spent.items(), key=lambda one: -one[1])
            if seconds >= 0.005
        }

    def peak_mb(self) -> dict[str, float]:
        """The most memory held at once, resident; for PostgreSQL by one backend, without the shared buffers."""
        with self._lock:
            self._sample()
            peaks: dict[str, float] = defaultdict(float)
            for pid, megabytes in self._peak.items():
                peaks[self._names[pid]] = max(peaks[self._names[pid]], megabytes)
        return {name: round(megabytes, 1) for name, megabytes in sorted(peaks.items())}

    def _sample_for_long(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            with self._lock:
                self._sample()

    def _sample(self) -> None:
        for pid in (*self._named, self._postmaster, *_children(self._postmaster)):
            try:
                if pid not in self._named:
                    self._names[pid] = _backend(pid)
                self._seconds[pid] = _cpu(pid)
                self._peak[pid] = max(self._peak.get(pid, 0.0), _memory(pid, is_ours=pid in self._named))
            except (OSError, IndexError, ValueError):
                continue  # it ended meanwhile: what it took until then is known


def _children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


def _backend(pid: int) -> str:
    """``ledger.postgres`` out of ``postgres: ledger_worker relance [local] INSERT``."""
    title = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    role = title.removeprefix("postgres: ").split(" ")[0]
    service, _, kind = role.rpartition("_")
    return f"{service}.postgres" if kind in ("owner", "worker", "api") else "postgres"


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int, *, is_ours: bool) -> float:
    wanted = "VmHWM:" if is_ours else "RssAnon:"
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(wanted):
            return int(line.split()[1]) / 1024
    return 0.0


def _forget_peak(pid: int) -> None:
    """Begin the kernel's high-water mark anew; where it does not let us, starting up counts too."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return
