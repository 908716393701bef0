"""Data directories that are ready to start: one is made from nothing, every other one is a copy of it.

initdb and the migrations of six services are four seconds of computing, and a run starts some twenty stacks. That
all of it works from nothing is seen by the first one of every run, and by the stacks of tests/integration/process,
tests/integration/commands and tests/faults, which are no copies.
"""

import fcntl
import subprocess
from pathlib import Path

from cli.stack import RunningStack

WITHOUT_WAITING_FOR_THE_DISK = """
# a process that is killed leaves what it wrote with the kernel: only a machine that loses its power needs the disk
fsync = off
full_page_writes = off
"""
OF_ONE_START = ("ports.json", "sockets", "lock")


def _make(folder: Path) -> None:
    made = RunningStack(folder)
    made.embedded.start()
    try:
        made.embedded.ensure_roles()
        made.migrate()
        made.provision()
    finally:
        made.embedded.stop()
    with (folder / "postgres" / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write(WITHOUT_WAITING_FOR_THE_DISK)
    for name in OF_ONE_START:
        (folder / name).unlink(missing_ok=True)


def prepared(run: Path, to: Path) -> Path:
    """Fills the folder ``to`` with every service's schema and streams, nobody's data and no port chosen.

    ``run`` is the folder that the workers of this run share: the first one makes there what all copy.
    """
    original = run / "prepared"
    with (run / "prepared.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not (original / "done").exists():
            _make(original)
            (original / "done").touch()
    # cp keeps the owner, who is not ours where PostgreSQL must not run as root
    subprocess.run(["cp", "-a", "--reflink=auto", f"{original}/.", f"{to}/"], check=True)
    (to / "done").unlink()
    return to
