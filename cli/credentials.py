"""What services, PostgreSQL and NATS need to know of one another, as files: one folder per service, for mounting.

A password is made once and kept; the files that hold it are written anew, since hosts may change.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from chassis import auth
from chassis.embedded import DATABASE, DOORKEEPER_KEY, ROLES, SIGNS_FOR_PEOPLE, SUPERUSER
from chassis.embedded_config import NATS_ADMIN, NATS_DOORKEEPER, NATS_READER, nats_accounts, nats_conf
from chassis.issuing import Issuer
from cli.certificates import Certificates
from cli.places import SERVICES
from cli.placing import put

DATABASE_FILES = {"worker": "database_url", "api": "api_database_url"}
"""Role of a service: file, as ``RELANCE_<FILE>_FILE`` names it. Owners have a folder apart: what changes the
schema is not given to what runs."""
SIGNING, TOKEN_KEY = "signing", "token_key"
"""The folder of the key that signs for people, and the file by which a service signs."""
NATS_STORE = Path("/data")
NATS_ROUTES, NATS_SERVERS = "routes", 3
"""As whom the servers of ``components/nats-chart`` come to one another, and how many they are."""
CERTIFICATE = Path("/run/tls")
"""Where a server finds its certificate and its key."""
AUTHORITIES = Path("/run/authorities")
"""Where services find who vouches for PostgreSQL (``postgres.crt``) and for NATS (``nats.crt``)."""
READABLE = 0o444
"""By the users of containers, who are not the owner; the folder above keeps everybody else out."""


class CredentialsMissing(Exception):
    """Nobody has written this folder yet, or not for these services."""

    def __init__(self, folder: Path, file: str) -> None:
        super().__init__(f"{folder} has no {file}: write what is missing with: relance credentials {folder}")


class Credentials:
    """Below ``folder``, which its owner alone may enter. Servers are named as services reach them.

    With ``tls`` they are reached encrypted, and only if the authorities in ``AUTHORITIES`` vouch for them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        postgres: str = "postgres:5432",
        nats: str = "nats:4222",
        services: Sequence[str] = SERVICES,
        tls: bool = False,
    ) -> None:
        self.folder = folder
        self.postgres = postgres
        self.nats = nats
        self.services = tuple(services)
        self.tls = tls

    def write(self) -> list[Path]:
        """Write every file; answers them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        written = [
            self._put("postgres/password", self._password(f"postgres-{SUPERUSER}")),
            self._put("postgres/superuser_url", self._database_url(SUPERUSER)),
            self._put("nats/nats.conf", self._nats_conf()),
            self._put("nats/accounts.conf", self._nats_accounts()),
            self._put("nats/routes.conf", self._nats_routes()),
            *(self._put(f"nats/{user}_url", self._nats_url(user)) for user in (NATS_ADMIN, NATS_READER)),
        ]
        for service in self.services:
            written += [
                self._put(f"{service}/{file}", self._database_url(f"{service}_{role}"))
                for role, file in DATABASE_FILES.items()
            ]
            written += [
                self._put(f"{service}/nats_url", self._nats_url(service)),
                self._put(f"owners/{service}", self.owner_url(service)),
            ]
        if "notify" in self.services:
            written.append(self._put("notify/sealing_key", self._password("sealing")))
        if "reporting" in self.services:
            written += [
                self._put("reporting/doorkeeper_url", self._nats_url(NATS_DOORKEEPER)),
                self._put("reporting/doorkeeper_key", self._password(DOORKEEPER_KEY)),
                self._put("reporting/sealing_key", self._password("webhook-sealing")),
            ]
        return written + self._keys()

    def certify(self, *names: str) -> list[Path]:
        """Where nothing else makes certificates: those of PostgreSQL and NATS in ``tls``, and in ``authorities``
        whom services believe. ``names``: by which other systems reach NATS. Answers what was made anew, upon which
        the servers are to be started again. Raises ``NoKeyOfTheAuthority``."""
        hosts = {"postgres": [_host(self.postgres)], "nats": [_host(self.nats), *names]}
        certificates = Certificates(self.folder / "tls", hosts)
        made = certificates.write()
        for server in hosts:
            put(self.folder / "authorities" / f"{server}.crt", certificates.authority, READABLE)
        return made

    def kubernetes(self, namespace: str) -> list[dict[str, object]]:
        """The same as Secrets: ``relance-<service>`` each, and those of PostgreSQL, NATS, the keys, the job that
        installs."""
        self.write()
        folders = {name: f"relance-{name}" for name in (*self.services, "nats", "owners", SIGNING, "tokens")}
        folders |= {"postgres": "relance-postgres", "passwords": "relance-install"}
        return [
            _secret(
                namespace,
                secret,
                {file.name: file.read_text(encoding="utf-8") for file in sorted((self.folder / folder).iterdir())}
                | ({"username": SUPERUSER} if folder == "postgres" else {}),
            )
            for folder, secret in folders.items()
        ]

    def check(self) -> None:
        """Raises ``CredentialsMissing`` where ``write`` has not been here."""
        wanted = [f"passwords/postgres-{name}" for name in (SUPERUSER, *self._roles())]
        missing = [name for name in wanted if not (self.folder / name).exists()]
        if missing:
            raise CredentialsMissing(self.folder, missing[0])

    def _roles(self) -> list[str]:
        return [f"{service}_{role}" for service in self.services for role in ROLES]

    def database_passwords(self) -> dict[str, str]:
        """Role of PostgreSQL: its password."""
        return {name: self._password(f"postgres-{name}") for name in self._roles()}

    def superuser_url(self) -> str:
        return self._database_url(SUPERUSER)

    def superuser_url_at(self, address: str) -> str:
        """libpq's address of the superuser where another way leads to PostgreSQL."""
        password = quote(self._password(f"postgres-{SUPERUSER}"), safe="")
        return f"postgresql://{SUPERUSER}:{password}@{address}/{DATABASE}"

    def owner_url(self, service: str) -> str:
        return self._database_url(f"{service}_owner")

    def nats_admin_url(self) -> str:
        return self._nats_url(NATS_ADMIN)

    def _nats_conf(self) -> str:
        return nats_conf(
            int(self.nats.rpartition(":")[2]),
            NATS_STORE,
            self.services,
            self._nats_password,
            issuer=self._issuer,
            host="0.0.0.0",  # noqa: S104 - within the network of its containers
            monitoring_port=8222,
            certificate=CERTIFICATE if self.tls else None,
        )

    def _nats_accounts(self) -> str:
        """Of servers whose other properties somebody else's chart writes."""
        return json.dumps(nats_accounts(self.services, self._nats_password, self._issuer), indent=1)

    def _nats_routes(self) -> str:
        """Of several servers, as the chart names them, and the password by which each lets in the others."""
        password = self._nats_password(NATS_ROUTES)
        hosts = [f"nats-{number}.nats-headless:6222" for number in range(NATS_SERVERS)]
        routes = {
            "authorization": {"user": NATS_ROUTES, "password": password, "timeout": 5},
            "routes": [f"nats://{NATS_ROUTES}:{password}@{host}" for host in hosts],
        }
        return json.dumps(routes, indent=1)

    @property
    def _issuer(self) -> str:
        return Issuer(self._password(DOORKEEPER_KEY)).public_key

    def _nats_password(self, user: str) -> str:
        return self._password(f"nats-{user}")

    def _nats_url(self, user: str) -> str:
        scheme, asked = ("tls", f"?ca={AUTHORITIES}/nats.crt") if self.tls else ("nats", "")
        return f"{scheme}://{user}:{self._nats_password(user)}@{self.nats}{asked}"

    def _database_url(self, role: str) -> str:
        password = quote(self._password(f"postgres-{role}"), safe="")
        asked = f"?sslmode=verify-full&sslrootcert={AUTHORITIES}/postgres.crt" if self.tls else ""
        return f"postgresql+psycopg://{role}:{password}@{self.postgres}/{DATABASE}{asked}"

    def _keys(self) -> list[Path]:
        """A pair for people, by which the console and the command line sign, and one per service for itself. The
        public halves lie in ``tokens``, for everybody; a private one is with whom it is of, and nowhere else."""
        people = self._pair(f"{SIGNING}/private.pem", "public")
        written = list(people)
        for service in self.services:
            if service == SIGNS_FOR_PEOPLE:
                written.append(self._put(f"{service}/{TOKEN_KEY}", people[0].read_text(encoding="utf-8")))
            else:
                written += self._pair(f"{service}/{TOKEN_KEY}", service)
        return written

    def _pair(self, private: str, name: str) -> list[Path]:
        """Made together or not at all. Before each service had a key of its own, the one of people lay in
        ``tokens``: it is taken from there, so that nobody is signed out."""
        files = [self.folder / private, self.folder / "tokens" / f"{name}.pem"]
        before = self.folder / "tokens" / "private.pem"
        if name == "public" and before.exists():
            self._put(private, before.read_text(encoding="utf-8"))
            before.unlink()
        if not all(file.exists() for file in files):
            pair = auth.new_key_pair()
            return [self._put(private, pair.private), self._put(f"tokens/{name}.pem", pair.public)]
        return files

    def _password(self, name: str) -> str:
        file = self.folder / "passwords" / name
        if not file.exists():
            self._put(f"passwords/{name}", secrets.token_urlsafe(24), mode=0o400)
        return file.read_text(encoding="utf-8").strip()

    def _put(self, name: str, text: str, mode: int = READABLE) -> Path:
        return put(self.folder / name, text.encode(), mode)


def _host(address: str) -> str:
    return address.rpartition(":")[0]


def _secret(namespace: str, name: str, content: dict[str, str]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/part-of": "relance"}},
        "type": "kubernetes.io/basic-auth" if {"username", "password"} <= content.keys() else "Opaque",
        "stringData": content,
    }
