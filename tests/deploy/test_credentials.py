"""``relance credentials``: what services, PostgreSQL and NATS need to know of one another, and no more."""

import json
import ssl
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from sqlalchemy import make_url

from chassis import clock
from chassis.auth import new_key_pair, read_key, same_pair
from cli.certificates import SERVER_FOR, NoKeyOfTheAuthority
from cli.credentials import Credentials, CredentialsMissing
from cli.places import SERVICES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Credentials(tmp_path / "credentials", postgres="db:5433", nats="bus:4223").write()
    return tmp_path / "credentials"


def texts(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_nobody_but_its_owner_enters_the_folder(folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_given_its_own_roles_and_not_the_one_that_changes_its_schema(
    folder: Path, service: str
) -> None:
    given = {file.name: file.read_text() for file in (folder / service).iterdir()}
    more = {"notify": {"sealing_key"}, "reporting": {"sealing_key", "doorkeeper_key", "doorkeeper_url"}}
    assert set(given) == {"database_url", "api_database_url", "nats_url", "token_key"} | more.get(service, set())
    assert make_url(given["database_url"]).username == f"{service}_worker"
    assert make_url(given["api_database_url"]).username == f"{service}_api"
    assert make_url(given["database_url"]).host == "db"
    assert given["nats_url"].startswith(f"nats://{service}:")
    assert given["nats_url"].endswith("@bus:4223")


def test_by_tls_a_service_believes_the_named_authorities_alone(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    Credentials(folder, tls=True).write()
    database = make_url((folder / "ledger/database_url").read_text())
    assert database.query == {"sslmode": "verify-full", "sslrootcert": "/run/authorities/postgres.crt"}
    assert (folder / "ledger/nats_url").read_text().startswith("tls://ledger:")
    assert (folder / "ledger/nats_url").read_text().endswith("@nats:4222?ca=/run/authorities/nats.crt")
    assert json.loads((folder / "nats/nats.conf").read_text())["tls"]["key_file"] == "/run/tls/tls.key"


def names(certificate: Path) -> list[str]:
    told = loaded(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return told.value.get_values_for_type(x509.DNSName)


def loaded(certificate: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.read_bytes())


def test_beside_compose_the_servers_are_vouched_for_by_an_authority_whose_key_nobody_is_given(
    tmp_path: Path,
) -> None:
    credentials = Credentials(tmp_path / "credentials", tls=True)
    credentials.write()
    assert len(credentials.certify("nats.example.org")) == 6
    tls, believed = credentials.folder / "tls", credentials.folder / "authorities"
    assert names(tls / "postgres/tls.crt") == ["postgres"]
    assert names(tls / "nats/tls.crt") == ["nats", "nats.example.org"]
    for server in ("postgres", "nats"):
        loaded(tls / server / "tls.crt").verify_directly_issued_by(loaded(believed / f"{server}.crt"))
    assert (tls / "authority/ca.key").stat().st_mode & 0o777 == 0o400
    assert {file.name for file in believed.iterdir()} == {"postgres.crt", "nats.crt"}


@pytest.mark.parametrize("server", ["postgres", "nats"])
def test_certificates_pass_the_strict_look_that_python_takes_from_3_13_on(tmp_path: Path, server: str) -> None:
    credentials = Credentials(tmp_path / "credentials", tls=True)
    credentials.certify()
    believing = ssl.create_default_context(cafile=credentials.folder / f"authorities/{server}.crt")
    believing.verify_flags |= ssl.VERIFY_X509_STRICT
    showing = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    showing.load_cert_chain(*(credentials.folder / f"tls/{server}" / file for file in ("tls.crt", "tls.key")))
    asked, answered = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = believing.wrap_bio(answered, asked, server_hostname=server)
    called = showing.wrap_bio(asked, answered, server_side=True)
    for side in (caller, called, caller):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    told = caller.getpeercert()
    assert told is not None
    assert told["subjectAltName"] == (("DNS", server),)


def test_certificates_are_kept_until_they_near_their_end_or_lack_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = Credentials(tmp_path / "credentials", tls=True)
    credentials.certify()
    authority = (credentials.folder / "authorities/nats.crt").read_bytes()
    present = loaded(credentials.folder / "tls/nats/tls.crt").not_valid_after_utc - SERVER_FOR
    # eve, day, day after of the year before their end
    for days, anew in ((364, 0), (365, 0), (366, 4)):
        monkeypatch.setattr(clock, "now", lambda days=days: present + timedelta(days=days))
        assert len(credentials.certify()) == anew, days
    assert len(credentials.certify("nats.example.org")) == 2
    assert credentials.certify() == []
    assert (credentials.folder / "authorities/nats.crt").read_bytes() == authority


def test_somebody_elses_certificates_stay_and_none_is_made_in_their_name(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "credentials", tls=True)
    credentials.certify()
    (credentials.folder / "tls/authority/ca.key").unlink()
    assert credentials.certify("nats.example.org") == []
    (credentials.folder / "tls/nats/tls.crt").unlink()
    with pytest.raises(NoKeyOfTheAuthority, match=r"no ca\.key"):
        credentials.certify()


def test_each_service_signs_by_a_key_of_its_own_and_the_console_alone_for_people(folder: Path) -> None:
    """The halves that verify are everybody's; of those that sign, none is but where it belongs."""
    public = {file.name for file in (folder / "tokens").iterdir()}
    assert public == {"public.pem", *(f"{name}.pem" for name in SERVICES if name != "console")}
    assert not any("PRIVATE" in file.read_text() for file in (folder / "tokens").iterdir())
    for service in SERVICES:
        own = read_key(folder / service / "token_key")
        half = read_key(folder / "tokens" / ("public.pem" if service == "console" else f"{service}.pem"))
        assert same_pair(own, half)
        assert same_pair(own, read_key(folder / "signing" / "private.pem")) == (service == "console")


def test_the_key_that_signed_for_everybody_goes_on_signing_for_people(tmp_path: Path) -> None:
    """Given a folder of before: written again, nobody is signed out, and no service finds the key any more."""
    before = new_key_pair()
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "private.pem").write_text(before.private)
    (tmp_path / "tokens" / "public.pem").write_text(before.public)
    Credentials(tmp_path).write()
    assert (tmp_path / "signing" / "private.pem").read_text() == before.private
    assert (tmp_path / "console" / "token_key").read_text() == before.private
    assert (tmp_path / "tokens" / "public.pem").read_text() == before.public
    assert not (tmp_path / "tokens" / "private.pem").exists()


def test_no_password_serves_twice(folder: Path) -> None:
    passwords = [file.read_text() for file in (folder / "passwords").iterdir()]
    assert len(passwords) == len(set(passwords)) == 1 + 3 * len(SERVICES) + 3 + len(SERVICES) + 1 + 3


def test_written_again_for_another_host_every_password_and_key_stays(folder: Path) -> None:
    before = texts(folder)
    Credentials(folder, postgres="elsewhere:5432", nats="bus:4223").write()
    after = texts(folder)
    changed = {name for name in before if before[name] != after[name]}
    assert before.keys() == after.keys()
    assert changed == {name for name in before if "db:5433" in before[name]}
    assert not any(name.startswith(("passwords/", "signing/", "tokens/", "nats/")) for name in changed)


def test_nats_is_told_who_may_say_what(folder: Path) -> None:
    conf = json.loads((folder / "nats/nats.conf").read_text())
    users = {user["user"]: user for user in conf["accounts"]["RELANCE"]["users"]}
    assert set(users) == {"admin", "reader", *SERVICES}
    assert "evt.ledger.>" in users["ledger"]["permissions"]["publish"]["allow"]
    assert "evt.dunning.>" not in users["ledger"]["permissions"]["publish"]["allow"]
    # nobody of ours is kept waiting by the doorkeeper, who is asked about everybody else
    assert set(conf["authorization"]["auth_callout"]["auth_users"]) == {"doorkeeper", *users}


def test_for_kubernetes_each_folder_is_a_secret_of_its_own(tmp_path: Path) -> None:
    made = Credentials(tmp_path / "credentials").kubernetes("relance")
    by_name = {str(secret["metadata"]["name"]): secret for secret in made}  # type: ignore[index]
    assert set(by_name) == {
        *(f"relance-{service}" for service in SERVICES),
        "relance-nats",
        "relance-owners",
        "relance-signing",
        "relance-tokens",
        "relance-postgres",
        "relance-install",
    }
    assert by_name["relance-postgres"]["stringData"]["username"] == "relance"  # type: ignore[index]
    assert set(by_name["relance-owners"]["stringData"]) == set(SERVICES)  # type: ignore[call-overload]


def test_a_folder_that_nobody_wrote_is_refused_with_the_command_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(CredentialsMissing, match=r"relance credentials .*nothing"):
        Credentials(tmp_path / "nothing").check()
