"""Starting a server as a child that cannot outlive its parent, and not as root.

PostgreSQL refuses to run as root. As root we hand it to an unprivileged user, who may nevertheless pass through
directories that are closed to him (a data directory below a 0700 home) by one ambient capability; it opens
directories, and what is written still belongs to him.
"""

import ctypes
import os
import pwd
import signal
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class NoUnprivilegedUser(Exception):
    """Root, and no other user is known whom the servers could run as."""


class CannotConfine(Exception):
    """The kernel refused a step of giving up root's rights."""

    def __init__(self, step: str, errno: int) -> None:
        super().__init__(f"{step}: {os.strerror(errno)}")


@dataclass(frozen=True, slots=True)
class Servant:
    """The user whom servers run as."""

    uid: int
    gid: int
    capability: int | None
    """The one kept, to pass through closed directories; ``None`` when it is not available."""

    def owns(self, path: Path) -> None:
        """Gives a directory or file to this user."""
        os.chown(path, self.uid, self.gid)


def servant() -> Servant | None:
    """Whom to run servers as: ``None`` (ourselves) unless we are root. Raises ``NoUnprivilegedUser``."""
    if os.geteuid() != 0:
        return None
    users = [user for user in pwd.getpwall() if user.pw_uid != 0]
    if not users:
        raise NoUnprivilegedUser("PostgreSQL does not run as root, and there is no other user on this machine")
    chosen = next((user for user in users if user.pw_name == "nobody"), users[-1])
    permitted = _permitted_capabilities()
    kept = next((cap for cap in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if permitted >> cap & 1), None)
    return Servant(chosen.pw_uid, chosen.pw_gid, kept)


def _permitted_capabilities() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def before_exec(who: Servant | None, dying: signal.Signals) -> Callable[[], None]:
    """What a child does between fork and exec: become ``who``, and ask for ``dying`` when the parent is gone.

    The parent is the thread that starts the child: start servers from the main thread.
    """
    parent = os.getpid()

    def confine() -> None:
        if who is not None:
            _become(who)
        # after the change of user, which would clear it
        _prctl("ask for the parent's death", PR_SET_PDEATHSIG, int(dying))
        if os.getppid() != parent:
            os._exit(1)

    return confine


def _become(who: Servant) -> None:
    if who.capability is not None:
        # else the kernel answers access(2), which initdb asks about its own programs, without the capability
        _prctl("keep capabilities", PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(who.gid, who.gid, who.gid)
    os.setresuid(who.uid, who.uid, who.uid)
    if who.capability is not None:
        _capset(1 << who.capability)
        _prctl("keep one capability", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, who.capability, 0, 0)


def _capset(bits: int) -> None:
    header = struct.pack("=Ii", LINUX_CAPABILITY_VERSION_3, 0)
    low = bits & 0xFFFFFFFF
    data = struct.pack("=6I", low, low, low, 0, 0, 0)
    if _libc.capset(header, data) != 0:
        raise CannotConfine("drop capabilities", ctypes.get_errno())


def _prctl(step: str, *arguments: int) -> None:
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:5]]
    if _libc.prctl(*padded) != 0:
        raise CannotConfine(step, ctypes.get_errno())
