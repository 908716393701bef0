"""Files fetched from a folder and over SFTP, when a slot says so or a person asks."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from sqlalchemy import text

from chassis import clock
from chassis.database import transaction
from chassis.jobs import JobWorker
from services.sync.inlets import fetching, sftp
from services.sync.inlets.fetching import QUEUE, Fetcher
from services.sync.inlets.slots import open_due
from services.sync.settings import SyncSettings
from tests.integration.sync.conftest import Sync
from tests.integration.sync.test_http import Door, door
from tests.integration.sync.test_mapped_files import OPEN_INVOICES, ROWS, text_of
from tests.specs.sync.books import Writing, book

__all__ = ["door"]

FILE = text_of(ROWS)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def inbox(sync: Sync, company: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The company's own folder, named in the settings; between two looks no time need pass."""
    monkeypatch.setattr(fetching, "SETTLED", timedelta(0))
    settings = sync.running.settings
    assert isinstance(settings, SyncSettings)
    settings.inbox_dir = tmp_path / "inbox"
    settings.secrets_dir = tmp_path / "secrets"
    settings.inlet_networks = "127.0.0.1,::1"
    folder = settings.inbox_dir / company / "exports"
    folder.mkdir(parents=True)
    (settings.secrets_dir / company).mkdir(parents=True)
    return folder


def put(folder: Path, name: str, content: bytes, seconds_ago: float = 60) -> None:
    (folder / name).write_bytes(content)
    instant = clock.now().timestamp() - seconds_ago
    os.utime(folder / name, (instant, instant))


async def prepared(door: Door, sync: Sync, company: str, **more: Any) -> None:
    """A company with a mapping and an inlet that reads its folder by it."""
    await sync.register(company)
    await door.call("PUT", company, "/mappings/factures", json=OPEN_INVOICES)
    inlet = {"place": {"kind": "folder", "folder": "exports"}, "pattern": "*.csv", "reading": "factures"} | more
    answer = await door.call("PUT", company, "/inlets/exports", json=inlet)
    assert answer.status_code == 200, answer.text


async def fetched(door: Door, sync: Sync, company: str) -> list[dict[str, Any]]:
    """Ask for a look, carry everything out; the runs, the newest first."""
    assert (await door.call("POST", company, "/inlets/exports/fetch")).status_code == 202
    await carry_out(sync)
    runs: list[dict[str, Any]] = (await door.call("GET", company, "/imports")).json()["runs"]
    return runs


async def carry_out(sync: Sync) -> None:
    worker = JobWorker(sync.running.engine, QUEUE, Fetcher(sync.running), batch=1, lease_seconds=300)
    while await worker.step():
        pass
    await sync.carry_out()


async def slots_of(sync: Sync, company: str) -> int:
    """Let the time come for this company's slots alone, and open them."""
    async with transaction(sync.running.engine) as tx:
        await tx.execute(
            text("update slot set next_at = now() - interval '1 s' where company = :company"), {"company": company}
        )
        return await open_due(sync.running, tx, clock.now())


async def test_a_file_put_into_a_folder_comes_in_once(door: Door, sync: Sync, company: str, inbox: Path) -> None:
    await prepared(door, sync, company)
    put(inbox, "a.csv", FILE)
    put(inbox, "notes.txt", b"not for us")
    runs = await fetched(door, sync, company)
    assert [(run["file"], run["status"], run["changed"]) for run in runs] == [("a.csv", "completed", 5)]
    assert len(await fetched(door, sync, company)) == 1, "the same file is not fetched again"
    put(inbox, "a.csv", text_of(ROWS[:3]), seconds_ago=30)
    runs = await fetched(door, sync, company)
    assert [(run["file"], run["archived"]) for run in runs] == [("a.csv", 1), ("a.csv", 0)]


async def looked(door: Door, sync: Sync, company: str) -> int:
    """Ask for a look, look once; answers how many runs there are."""
    assert (await door.call("POST", company, "/inlets/exports/fetch")).status_code == 202
    await look_once(sync)
    return len((await door.call("GET", company, "/imports")).json()["runs"])


async def look_once(sync: Sync) -> None:
    await JobWorker(sync.running.engine, QUEUE, Fetcher(sync.running), batch=1, lease_seconds=300).step()


async def test_a_file_that_is_still_written_waits(door: Door, sync: Sync, company: str, inbox: Path) -> None:
    """Given a file that grows, whatever its instant says, when it looks the same at two looks in a row, then it is
    fetched, and not before."""
    await prepared(door, sync, company)
    put(inbox, "a.csv", FILE[:40], seconds_ago=3_600)
    assert await looked(door, sync, company) == 0
    put(inbox, "a.csv", FILE[:80], seconds_ago=3_600)
    assert await looked(door, sync, company) == 0
    put(inbox, "a.csv", FILE, seconds_ago=3_600)
    assert await looked(door, sync, company) == 0
    assert [run["changed"] for run in await fetched(door, sync, company)] == [5]


async def test_two_looks_are_some_seconds_apart(
    door: Door, sync: Sync, company: str, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepared(door, sync, company)
    monkeypatch.setattr(fetching, "SETTLED", timedelta(hours=1))
    put(inbox, "a.csv", FILE, seconds_ago=86_400)
    assert [await looked(door, sync, company) for _ in range(3)] == [0, 0, 0]
    monkeypatch.setattr(fetching, "SETTLED", timedelta(0))
    assert len(await fetched(door, sync, company)) == 1


async def test_an_unreadable_file_is_told_once_and_holds_up_no_other(
    door: Door, sync: Sync, company: str, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a file that cannot be opened, older than another, when the folder is fetched, then the other comes in
    and the history names the first, once; when it can be opened, it comes in."""
    await prepared(door, sync, company)
    put(inbox, "locked.csv", FILE, seconds_ago=600)
    put(inbox, "open.csv", FILE)
    opened = Path.open

    def refusing(path: Path, *args: Any, **more: Any) -> Any:
        if path.name == "locked.csv":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **more)

    with monkeypatch.context() as locked:
        locked.setattr(Path, "open", refusing)
        for _ in range(2):
            runs = await fetched(door, sync, company)
            assert sorted((run["file"], run["status"]) for run in runs) == [
                ("locked.csv", "failed"),
                ("open.csv", "completed"),
            ]
    assert (await door.call("GET", company, "/inlets")).json()["inlets"][0]["trouble"] == "file_unreadable"
    for language, words in (("fr", "ne peut pas être lu"), ("en", "cannot be read")):
        told = (await door.call("GET", company, "/imports", params={"language": language})).json()["runs"]
        messages = [error["message"] for run in told for error in run["errors"]]
        assert [("locked.csv" in one, words in one) for one in messages] == [(True, True)]
    assert next(run["status"] for run in await fetched(door, sync, company)) == "completed"
    assert (await door.call("GET", company, "/inlets")).json()["inlets"][0]["trouble"] is None


async def test_a_file_named_by_an_old_windows_comes_in(door: Door, sync: Sync, company: str, inbox: Path) -> None:
    await prepared(door, sync, company)
    put(inbox, os.fsdecode("relevé.csv".encode("cp1252")), FILE, seconds_ago=600)
    put(inbox, "b.csv", FILE)
    runs = await fetched(door, sync, company)
    assert sorted(run["file"] for run in runs) == ["b.csv", "relevé.csv"]
    assert len(await fetched(door, sync, company)) == 2


async def test_a_folder_that_cannot_be_listed_is_told(
    door: Door, sync: Sync, company: str, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(_: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    await prepared(door, sync, company)
    with monkeypatch.context() as locked:
        locked.setattr(Path, "iterdir", refusing)
        runs = await fetched(door, sync, company)
    assert [run["errors"][0]["code"] for run in runs] == ["inbox_unreadable"]


async def test_a_file_beyond_the_largest_import_is_told(
    door: Door, sync: Sync, company: str, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepared(door, sync, company)
    monkeypatch.setattr(sync.running.settings, "largest_import_mb", 0)
    put(inbox, "a.csv", FILE)
    runs = await fetched(door, sync, company)
    assert [run["errors"][0]["code"] for run in runs] == ["file_too_large"]


async def test_a_file_is_fetched_once_however_many_ask(
    door: Door, sync: Sync, company: str, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a slow folder, when three people ask for it at once, then one looks, the others wait, and the file
    comes in once; and no transaction stays open while it comes."""
    from services.sync.inlets import folder

    open_transactions = []

    async def slow(*_: Any) -> AsyncIterator[bytes]:
        await asyncio.sleep(0.2)
        async with transaction(sync.running.engine) as tx:
            open_transactions.append(
                await tx.scalar(
                    text(
                        "select count(*) from pg_stat_activity where state = 'idle in transaction'"
                        " and usename = current_user and pid <> pg_backend_pid()"
                    )
                )
            )
        yield FILE

    await prepared(door, sync, company)
    put(inbox, "a.csv", FILE)
    assert await looked(door, sync, company) == 0
    monkeypatch.setattr(folder._OpenFolder, "content", slow)
    for _ in range(2):
        await door.call("POST", company, "/inlets/exports/fetch")
    await asyncio.gather(*(look_once(sync) for _ in range(3)))
    await carry_out(sync)
    assert len((await door.call("GET", company, "/imports")).json()["runs"]) == 1
    assert open_transactions == [0]


async def test_a_file_cut_while_it_is_read_is_not_taken(
    door: Door, sync: Sync, company: str, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.sync.inlets import folder

    async def cut(*_: Any) -> AsyncIterator[bytes]:
        yield FILE[:40]

    await prepared(door, sync, company)
    put(inbox, "a.csv", FILE)
    with monkeypatch.context() as lying:
        lying.setattr(folder._OpenFolder, "content", cut)
        assert await fetched(door, sync, company) == []
    assert [run["changed"] for run in await fetched(door, sync, company)] == [5]


async def test_nothing_outside_the_companys_folder_is_read(
    door: Door, sync: Sync, company: str, inbox: Path, tmp_path: Path
) -> None:
    await prepared(door, sync, company)
    put(tmp_path, "others.csv", FILE)
    (inbox / "link.csv").symlink_to(tmp_path / "others.csv")
    assert await fetched(door, sync, company) == []
    for folder in ("../other/exports", "/etc", "a/../../b", ".ssh"):
        place = {"place": {"kind": "folder", "folder": folder}}
        assert (await door.call("PUT", company, "/inlets/x", json=place)).status_code == 422, folder


async def test_a_slot_opens_at_its_time_and_plans_the_next(
    door: Door, sync: Sync, company: str, inbox: Path
) -> None:
    """Rules 2.3 and 2.4."""
    await prepared(door, sync, company)
    put(inbox, "a.csv", FILE)
    slot = {"inlet": "exports", "cron": "30 6 * * 1-5"}
    assert (await door.call("POST", company, "/slots", role="user", json=slot)).status_code == 403
    assert (await door.call("POST", company, "/slots", json=slot)).status_code == 201
    assert (await door.call("POST", company, "/slots", json=slot | {"cron": "often"})).status_code == 422
    assert (await door.call("POST", company, "/slots", json=slot | {"inlet": "none"})).status_code == 404
    async with transaction(sync.running.engine) as tx:
        assert await open_due(sync.running, tx, clock.now()) == 0
    assert await slots_of(sync, company) == 1
    await carry_out(sync)
    runs = (await door.call("GET", company, "/imports")).json()["runs"]
    assert [run["status"] for run in runs] == ["completed"]
    planned = (await door.call("GET", company, "/inlets")).json()
    assert planned["slots"][0]["next_at"] > clock.now().isoformat()
    assert (planned["inlets"][0]["files"], planned["inlets"][0]["trouble"]) == (1, None)
    answer = await door.call("DELETE", company, f"/slots/{planned['slots'][0]['slot_id']}")
    assert answer.status_code == 200


async def test_a_watched_inlet_is_looked_into_by_itself(door: Door, sync: Sync, company: str, inbox: Path) -> None:
    await prepared(door, sync, company, watched=True)
    planned = (await door.call("GET", company, "/inlets")).json()["slots"]
    assert [(slot["cron"], slot["watching"]) for slot in planned] == [("* * * * *", True)]
    put(inbox, "a.csv", FILE)
    await slots_of(sync, company)
    await carry_out(sync)
    assert len((await door.call("GET", company, "/imports")).json()["runs"]) == 1
    await prepared(door, sync, company, watched=False)
    assert (await door.call("GET", company, "/inlets")).json()["slots"] == []


async def test_one_companys_failure_stops_no_other(door: Door, sync: Sync, company: str, inbox: Path) -> None:
    other = f"{company}b"
    await prepared(door, sync, other)
    await prepared(door, sync, company)
    put(inbox, "broken.csv", FILE.replace(b"1 200,50", b"douze"))
    await door.call("POST", other, "/inlets/exports/fetch")
    runs = await fetched(door, sync, company)
    assert [run["status"] for run in runs] == ["failed"]
    troubled = (await door.call("GET", other, "/imports", params={"language": "fr"})).json()["runs"]
    assert [(run["status"], run["errors"][0]["code"]) for run in troubled] == [("failed", "folder_missing")]
    assert "exports" in troubled[0]["errors"][0]["message"]
    await door.call("POST", other, "/inlets/exports/fetch")
    await carry_out(sync)
    assert len((await door.call("GET", other, "/imports")).json()["runs"]) == 1, "the same trouble is told once"
    inbox.parent.parent.joinpath(other, "exports").mkdir(parents=True)
    put(inbox.parent.parent / other / "exports", "a.csv", FILE)
    await door.call("POST", other, "/inlets/exports/fetch")
    await carry_out(sync)
    runs = (await door.call("GET", other, "/imports")).json()["runs"]
    assert [run["status"] for run in runs] == ["completed", "failed"]


async def test_many_files_of_one_company_do_not_keep_another_waiting(sync: Sync, company: str) -> None:
    """Fair between companies: the one that asks last with one file is served before the other's tenth."""
    other = f"{company}b"
    for name in (company, other):
        await sync.register(name)
    many = [await sync.ask(company, Writing().bytes(book(40 + n))) for n in range(10)]
    one = await sync.ask(other, Writing().bytes(book(40)))
    workers = [sync.worker() for _ in range(2)]
    while (await sync.run(other, one))["status"] == "running":
        await asyncio.gather(*(worker.step() for worker in workers))
    waiting = [run_id for run_id in many if (await sync.run(company, run_id))["status"] == "running"]
    assert len(waiting) >= 8
    await asyncio.sleep(0.6)
    while any([(await sync.run(company, run_id))["status"] == "running" for run_id in many]):
        if not any(await asyncio.gather(*(worker.step() for worker in workers))):
            await asyncio.sleep(0.1)
    assert (await sync.run(company, many[-1]))["status"] == "completed"


class Machine(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("relance", "mot de passe")


@asynccontextmanager
async def serving(
    served: Path, files: type[asyncssh.SFTPServer] = asyncssh.SFTPServer
) -> AsyncIterator[dict[str, Any]]:
    """A machine that serves a folder over SFTP; how an inlet names it."""
    key = asyncssh.generate_private_key("ssh-ed25519")

    def confined(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return files(channel, chroot=str(served).encode())

    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Machine, server_host_keys=[key], sftp_factory=confined
    )
    host_key = " ".join(key.export_public_key().decode().split()[:2])
    yield {
        "kind": "sftp", "host": "127.0.0.1", "port": server.get_port(), "user": "relance", "folder": "/out",
        "host_key": host_key, "secret": "bureau",
    }  # fmt: skip
    server.close()
    await server.wait_closed()


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    served = tmp_path / "served"
    (served / "out").mkdir(parents=True)
    async with serving(served) as place:
        yield {"place": place, "folder": served / "out"}


async def test_files_come_in_over_sftp(  # noqa: PLR0917
    door: Door, sync: Sync, company: str, inbox: Path, machine: dict[str, Any], tmp_path: Path
) -> None:
    """Rule 20.1."""
    await prepared(door, sync, company, place=machine["place"])
    put(machine["folder"], "a.csv", FILE)
    assert [run["errors"][0]["code"] for run in await fetched(door, sync, company)] == ["secret_missing"]
    secret = tmp_path / "secrets" / company / "bureau"
    secret.write_text("faux", encoding="utf-8")
    assert (await fetched(door, sync, company))[0]["errors"][0]["code"] == "login_refused"
    secret.write_text("mot de passe\n", encoding="utf-8")
    runs = await fetched(door, sync, company)
    assert [(run["file"], run["status"]) for run in runs[:1]] == [("a.csv", "completed")]
    assert len(await fetched(door, sync, company)) == len(runs)
    assert "mot de passe" not in str(await sync.said(company))


async def test_a_machine_of_our_own_network_is_not_spoken_to(  # noqa: PLR0917
    door: Door, sync: Sync, company: str, inbox: Path, machine: dict[str, Any], tmp_path: Path
) -> None:
    """Whoever configures a company could otherwise have us ask the inside: not when it is typed, nor when it was
    saved before the operator closed the network."""
    settings = sync.running.settings
    assert isinstance(settings, SyncSettings)
    (tmp_path / "secrets" / company / "bureau").write_text("mot de passe", encoding="utf-8")
    await prepared(door, sync, company, place=machine["place"])
    settings.inlet_networks = ""
    put(machine["folder"], "a.csv", FILE)
    assert [run["errors"][0]["code"] for run in await fetched(door, sync, company)] == ["host_inside"]
    refused = await door.call("PUT", company, "/inlets/other", json={"place": machine["place"]})
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, "host-inside")
    settings.inlet_networks = "127.0.0.0/8"
    assert [run["status"] for run in await fetched(door, sync, company)][:1] == ["completed"]


async def test_a_machine_with_another_key_is_not_spoken_to(  # noqa: PLR0917
    door: Door, sync: Sync, company: str, inbox: Path, machine: dict[str, Any], tmp_path: Path
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()
    place = machine["place"] | {"host_key": " ".join(other[:2])}
    (tmp_path / "secrets" / company / "bureau").write_text("mot de passe", encoding="utf-8")
    await prepared(door, sync, company, place=place)
    runs = await fetched(door, sync, company)
    assert [run["errors"][0]["code"] for run in runs] == ["host_key_differs"]


async def test_a_machine_that_is_off_is_told(
    door: Door, sync: Sync, company: str, inbox: Path, tmp_path: Path
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()
    place = {
        "kind": "sftp", "host": "127.0.0.1", "port": 9, "user": "relance", "host_key": " ".join(key[:2]),
        "secret": "bureau",
    }  # fmt: skip
    (tmp_path / "secrets" / company / "bureau").write_text("mot de passe", encoding="utf-8")
    await prepared(door, sync, company, place=place)
    runs = await fetched(door, sync, company)
    assert [run["errors"][0]["code"] for run in runs] == ["host_unreachable"]


async def test_a_slot_has_a_connector_read_its_base_unless_it_is_silent(
    door: Door, sync: Sync, company: str
) -> None:
    """Rule 2.2."""
    await sync.register(company)
    await door.call("PUT", company, "/connectors/bijou", json={"base": "BIJOU"})
    slot = {"connector": "bijou", "cron": "0 6,12 * * 1-5"}
    assert (await door.call("POST", company, "/slots", json=slot | {"inlet": "x"})).status_code == 422
    assert (await door.call("POST", company, "/slots", json=slot)).status_code == 201
    assert (await door.call("POST", company, "/slots", json=slot | {"connector": "or"})).status_code == 404
    async with transaction(sync.running.engine) as tx:
        await tx.execute(
            text("update connector set created_at = now() - interval '1 day' where company = :company"),
            {"company": company},
        )
    await slots_of(sync, company)
    (missed,) = (await door.call("GET", company, "/imports?language=fr")).json()["runs"]
    assert (missed["status"], missed["errors"][0]["code"]) == ("failed", "connector_silent")
    assert "Aucune activité du connecteur" in missed["errors"][0]["message"]
    assert [event["type"] for event in await sync.said(company)] == ["ConnectorSilent", "SyncFailed"]
    await door.call("POST", company, "/connectors/bijou/heartbeat", json={})
    await slots_of(sync, company)
    await slots_of(sync, company)
    runs = (await door.call("GET", company, "/imports")).json()["runs"]
    assert [(run["connector"], run["stage"]) for run in runs[:-1]] == [("sage100", "asked")], "one at a time"


class Silent(asyncssh.SFTPServer):
    """Lists its files and never hands one out."""

    async def read(self, *_: Any) -> bytes:  # type: ignore[override]
        await asyncio.Event().wait()
        return b""


async def test_a_machine_that_falls_silent_is_given_up(  # noqa: PLR0917
    door: Door, sync: Sync, company: str, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "ANSWER_SECONDS", 0.5, raising=False)
    (tmp_path / "secrets" / company / "bureau").write_text("mot de passe", encoding="utf-8")
    put(tmp_path, "a.csv", FILE)
    async with serving(tmp_path, Silent) as place:
        await prepared(door, sync, company, place=place | {"folder": "/"})
        async with asyncio.timeout(30):
            runs = await fetched(door, sync, company)
    assert [run["errors"][0]["code"] for run in runs] == ["host_unreachable"]
