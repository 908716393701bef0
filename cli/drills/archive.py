"""A base backup and the archived log of the embedded PostgreSQL, and the way back to an instant of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from datetime import datetime
from urllib.parse import unquote

import psycopg
from sqlalchemy import make_url

from chassis.embedded import Stack
from chassis.embedded_config import postgres_binary


class BackupFailed(Exception):
    """PostgreSQL's own program could not make the backup; the text is what it said."""


class Archive:
    """Where the write-ahead log of a data directory goes, beside one base backup."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.wal = stack.data_dir / "archive" / "wal"
        self.base = stack.data_dir / "archive" / "base"

    def begin(self) -> None:
        """Archive every segment from now on. PostgreSQL is started again for it."""
        for folder in (self.wal.parent, self.wal):
            folder.mkdir(mode=0o700)
            self.stack.give(folder)
        with self._superuser() as connection:
            connection.execute("alter system set archive_mode = 'on'")
            command = f"test ! -f {self.wal}/%f && cp %p {self.wal}/%f"
            connection.execute(f"alter system set archive_command = '{command}'".encode())
        self.stack.postgres.stop()
        self.stack.postgres.start()

    def take(self) -> None:
        """The base backup. Raises ``BackupFailed``."""
        url = make_url(self.stack.superuser_url)
        done = subprocess.run(
            [
                str(postgres_binary("pg_basebackup")),
                f"--pgdata={self.base}",
                f"--host={unquote(str(url.query['host']))}",
                f"--username={url.username}",
                "--no-password",
                "--checkpoint=fast",
                "--wal-method=none",
                "--no-sync",
            ],
            env={"PATH": os.defpath, "PGPASSWORD": str(url.password)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BackupFailed(done.stderr.strip())

    def instant(self) -> datetime:
        """PostgreSQL's own clock, now: what was committed until here can be come back to."""
        with self._superuser() as connection:
            found = connection.execute("select clock_timestamp()").fetchone()
        assert found is not None
        instant: datetime = found[0]
        return instant

    def close_segment(self) -> None:
        """What was committed until now is archived when this returns."""
        with self._superuser() as connection:
            closed = "select pg_walfile_name(pg_switch_wal())"
            segment = connection.execute(closed.encode()).fetchone()
            until = "select coalesce(last_archived_wal >= %s, false) from pg_stat_archiver"
            while connection.execute(until.encode(), segment).fetchone() != (True,):
                time.sleep(0.05)

    def go_back(self, instant: datetime) -> None:
        """Put the backup in the place of the stopped database; its next start brings it to ``instant``."""
        live = self.stack.data_dir / "postgres"
        shutil.rmtree(live)
        shutil.copytree(self.base, live)
        with (live / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
            settings.write(f"restore_command = 'cp {self.wal}/%f %p'\n")
            settings.write(f"recovery_target_time = '{instant.isoformat()}'\n")
            settings.write("recovery_target_action = 'promote'\n")
        (live / "recovery.signal").touch()
        live.chmod(0o700)
        self.stack.give_all(live)

    def _superuser(self) -> psycopg.Connection:
        return psycopg.connect(self.stack.superuser_dsn, autocommit=True)
