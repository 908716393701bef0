"""A private PostgreSQL 18 and nats-server in a data directory of their own, started from their PyPI wheels.

``Stack(data_dir, services).start()`` from the main thread; ``stop()`` at the end. Both servers listen to this
machine only, with a password per service, and die with the process that started them, however it dies.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chassis import auth
from chassis.confine import Servant, before_exec, servant
from chassis.embedded_config import NATS_DOORKEEPER, POSTGRESQL_CONF, nats_binary, nats_conf, postgres_binary
from chassis.issuing import Issuer
from chassis.server_process import Server, ServerFailed, free_port, is_free

DATABASE = "relance"
SUPERUSER = "relance"
ROLES = ("owner", "worker", "api")
SIGNS_FOR_PEOPLE = "console"
DOORKEEPER_KEY = "doorkeeper-key"
"""The secret by which other systems are let into NATS."""
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")


class DataDirectoryBusy(Exception):
    """Another process already runs a stack in this data directory."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(f"another process already runs in {data_dir}; stop it, or choose another data directory")
        self.data_dir = data_dir


class Stack:
    """PostgreSQL and NATS for one data directory. Ports and secrets stay the same from one start to the next."""

    def __init__(self, data_dir: Path, services: Sequence[str]) -> None:
        self.data_dir = data_dir.resolve()
        self.services = tuple(services)
        self._lock: int | None = None
        self._sockets = self.data_dir / "run"
        self._short_sockets: Path | None = None
        self._ports: dict[str, int] = {}
        self._secrets: dict[str, str] = {}
        self.who: Servant | None = None
        self.postgres: Server
        self.nats: Server

    # what clients need

    def _database_url(self, role: str) -> str:
        password = self._secret(f"postgres-{role}")
        return f"postgresql+psycopg://{role}:{password}@/{DATABASE}?host={quote(str(self._sockets), safe='')}"

    def database_url(self, service: str, role: str) -> str:
        """SQLAlchemy URL of a service's ``owner``, ``worker`` or ``api`` role."""
        return self._database_url(f"{service}_{role}")

    @property
    def superuser_url(self) -> str:
        return self._database_url(SUPERUSER)

    @property
    def superuser_dsn(self) -> str:
        """The same in libpq's own form: for those who measure, compare or restore, never for the work."""
        return self.superuser_url.replace("postgresql+psycopg://", "postgresql://", 1)

    def nats_url(self, user: str) -> str:
        """URL of a service, of ``admin`` (provisions) or of ``reader`` (hears everything)."""
        return f"nats://{user}:{self._secret(f'nats-{user}')}@127.0.0.1:{self.port('nats')}"

    @property
    def private_key_file(self) -> Path:
        return self.data_dir / "secrets" / "token-private.pem"

    @property
    def public_key_file(self) -> Path:
        return self.data_dir / "secrets" / "token-public.pem"

    def key_file_of(self, service: str) -> Path:
        """The private key that a service signs by: its own, and for the console the one that signs for people."""
        if service == SIGNS_FOR_PEOPLE:
            return self.private_key_file
        file = self.data_dir / "secrets" / f"token-private-{service}.pem"
        if not file.exists():
            pair = auth.new_key_pair()
            self._write(f"secrets/{service}.pem", pair.public)
            self._write(f"secrets/token-private-{service}.pem", pair.private)
        return file

    def environment(self, service: str) -> dict[str, str]:
        """The ``RELANCE_*`` variables that a service needs to reach the stack."""
        return {
            "RELANCE_DATABASE_URL": self.database_url(service, "worker"),
            "RELANCE_API_DATABASE_URL": self.database_url(service, "api"),
            "RELANCE_OWNER_DATABASE_URL": self.database_url(service, "owner"),
            "RELANCE_NATS_URL": self.nats_url(service),
            "RELANCE_TOKEN_PUBLIC_KEY_FILE": str(self.public_key_file),
            "RELANCE_TOKEN_PRIVATE_KEY_FILE": str(self.key_file_of(service)),
        }

    def doorkeeping(self) -> dict[str, str]:
        """The ``RELANCE_*`` variables of the service that lets other systems into NATS."""
        return {
            "RELANCE_DOORKEEPER_URL": self.nats_url(NATS_DOORKEEPER),
            "RELANCE_DOORKEEPER_KEY": self.secret(DOORKEEPER_KEY),
        }

    def secret(self, name: str) -> str:
        """A random word for ``name``, the same as long as the data directory lives."""
        return self._secret(name)

    def port(self, name: str, preferred: int | None = None) -> int:
        """The port that ``name`` has in this data directory; kept unless somebody else took it meanwhile."""
        if name not in self._ports:
            self._ports[name] = preferred if preferred and is_free(preferred) else free_port()
            self._write("ports.json", json.dumps(self._ports, indent=1))
        return self._ports[name]

    # starting and stopping

    def start(self) -> None:
        """Starts both servers. Raises ``DataDirectoryBusy``, ``ServerNotInstalled``, ``ServerFailed``."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            self._prepare()
            new = not (self.data_dir / "postgres" / "PG_VERSION").exists()
            self.nats.launch()
            if new:
                self._initdb()
            self._write_as_servant(self.data_dir / "postgres" / "postgresql.conf", POSTGRESQL_CONF)
            self._forget_stale_pid()
            self.postgres.start()
            self.nats.wait()
        except BaseException:
            self.stop()
            raise

    def ensure_roles(self) -> None:
        """The database, and a schema and three roles per service; needed again only when services are added."""
        marker = self.data_dir / "roles.json"
        wanted = json.dumps(self.services)
        if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
            return
        from chassis.database import ensure_database  # noqa: PLC0415 - slow to import, rarely needed

        passwords = {
            f"{service}_{role}": self._secret(f"postgres-{service}_{role}")
            for service in self.services
            for role in ROLES
        }
        ensure_database(self.superuser_url, self.services, passwords=passwords)
        self._write(marker.name, wanted)

    def stop(self) -> None:
        """Stops both servers and lets go of the data directory."""
        for name in ("postgres", "nats"):
            server: Server | None = getattr(self, name, None)
            if server is not None:
                server.stop()
        if self._short_sockets is not None:
            shutil.rmtree(self._short_sockets, ignore_errors=True)
            self._short_sockets = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # the work behind it

    def _take_lock(self) -> None:
        lock = os.open(self.data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as held:
            os.close(lock)
            raise DataDirectoryBusy(self.data_dir) from held
        self._lock = lock

    def _prepare(self) -> None:
        self.who = servant()
        for name, mode in (("secrets", 0o700), ("logs", 0o755), ("run", 0o755)):
            folder = self.data_dir / name
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        for name in ("postgres", "nats"):
            folder = self.data_dir / name
            folder.mkdir(exist_ok=True)
            self.give(folder)
            folder.chmod(0o700)
        self._read_ports()
        self._choose_socket_folder()
        self._make_keys()
        self.postgres = Server(
            "postgres",
            command=lambda: [
                str(postgres_binary("postgres")),
                "-D",
                str(self.data_dir / "postgres"),
                "-k",
                str(self._sockets),
            ],
            answers=self._postgres_answers,
            log=self.data_dir / "logs" / "postgres.log",
            pid_file=self.data_dir / "run" / "postgres.pid",
            who=self.who,
            predecessor_lives=b"pre-existing shared memory block",
            stop_signal=signal.SIGINT,
        )
        self.nats = Server(
            "nats-server",
            command=lambda: [str(nats_binary()), "-c", str(self.data_dir / "nats" / "nats.conf")],
            answers=self._nats_answers,
            log=self.data_dir / "logs" / "nats.log",
            pid_file=self.data_dir / "run" / "nats.pid",
            who=self.who,
            stop_signal=signal.SIGTERM,
            env={"GOMEMLIMIT": "256MiB"},
        )
        self._end_orphans()
        if not is_free(self.port("nats")):
            self._ports.pop("nats")
        self._write_as_servant(
            self.data_dir / "nats" / "nats.conf",
            nats_conf(
                self.port("nats"),
                self.data_dir / "nats",
                self.services,
                lambda user: self._secret(f"nats-{user}"),
                issuer=Issuer(self.secret(DOORKEEPER_KEY)).public_key,
            ),
        )

    def _end_orphans(self) -> None:
        for server in (self.postgres, self.nats):
            server.end_orphan()

    def give(self, path: Path) -> None:
        """Makes a file or a folder, not what is in it, the servers' own."""
        if self.who is not None:
            self.who.owns(path)

    def give_all(self, folder: Path) -> None:
        """Makes a folder and everything in it the servers' own."""
        for path in (folder, *folder.rglob("*")):
            self.give(path)

    def _write(self, name: str, text: str) -> None:
        file = self.data_dir / name
        file.parent.mkdir(parents=True, exist_ok=True)
        passing = file.with_name(f"{file.name}.new")
        descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as output:
            output.write(text)
        passing.replace(file)

    def _write_as_servant(self, file: Path, text: str) -> None:
        self._write(str(file.relative_to(self.data_dir)), text)
        self.give(file)

    def _secret(self, name: str) -> str:
        if name not in self._secrets:
            file = self.data_dir / "secrets" / name
            if not file.exists():
                self._write(f"secrets/{name}", secrets.token_urlsafe(24))
            self._secrets[name] = file.read_text(encoding="utf-8").strip()
        return self._secrets[name]

    def _make_keys(self) -> None:
        if not self.private_key_file.exists():
            pair = auth.new_key_pair()
            self._write("secrets/token-public.pem", pair.public)
            self._write("secrets/token-private.pem", pair.private)

    def _read_ports(self) -> None:
        with suppress(OSError, ValueError):
            remembered: dict[str, Any] = json.loads((self.data_dir / "ports.json").read_text(encoding="utf-8"))
            self._ports = {name: int(port) for name, port in remembered.items()}

    def release_taken_ports(self, names: Sequence[str]) -> None:
        """Forgets the ports of these names that somebody else uses now."""
        for name in names:
            if name in self._ports and not is_free(self._ports[name]):
                del self._ports[name]

    def _choose_socket_folder(self) -> None:
        if len(os.fsencode(self._sockets)) > LONGEST_SOCKET_FOLDER:
            self._short_sockets = Path(tempfile.mkdtemp(prefix="relance-"))
            self._sockets = self._short_sockets
        self.give(self._sockets)
        self._write("sockets", str(self._sockets))

    def attach(self) -> Stack:
        """Learns the addresses of a stack that another process runs here, without starting anything."""
        self._read_ports()
        with suppress(OSError):
            self._sockets = Path((self.data_dir / "sockets").read_text(encoding="utf-8"))
        return self

    def _initdb(self) -> None:
        password_file = self.data_dir / "postgres-password"
        self._write_as_servant(password_file, self._secret(f"postgres-{SUPERUSER}"))
        log = self.data_dir / "logs" / "initdb.log"
        folder = self.data_dir / "postgres"
        for leftover in folder.iterdir():  # of an initdb that was interrupted
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        command = [
            str(postgres_binary("initdb")),
            f"--pgdata={folder}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            "--no-sync",
        ]
        try:
            with log.open("wb") as output:
                made = subprocess.run(  # noqa: S603, PLW1510 - our own command; the result is read below
                    command,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    env={"PATH": os.defpath, "LC_ALL": "C"},
                    preexec_fn=before_exec(self.who, signal.SIGTERM),
                )
        finally:
            password_file.unlink(missing_ok=True)
        if made.returncode != 0:
            (folder / "PG_VERSION").unlink(missing_ok=True)
            raise ServerFailed("initdb", log, f"ended with code {made.returncode}")

    def _forget_stale_pid(self) -> None:
        """Our lock says that no server of ours runs here: a ``postmaster.pid`` is that of a crash.

        PostgreSQL would take any process with that number and its user for its predecessor.
        """
        (self.data_dir / "postgres" / "postmaster.pid").unlink(missing_ok=True)

    def _postgres_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._sockets / ".s.PGSQL.5432"))
            except OSError:
                return False
        status = self.data_dir / "postgres" / "postmaster.pid"
        try:
            return status.read_text(encoding="utf-8").splitlines()[7].strip() == "ready"
        except (OSError, IndexError):
            return False

    def _nats_answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port("nats")), timeout=1) as probe:
                return b'"jetstream":true' in probe.recv(4096)
        except OSError:
            return False
