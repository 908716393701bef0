"""Other systems hear a company's events by HTTP: signed, in order per client, until each is taken."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from sqlalchemy import text

from chassis.database import transaction
from cli.places import ROOT
from contracts.ledger import ClientResumed, ClientStopped
from services.reporting.settings import ReportingSettings
from services.reporting.webhooks.rows import MOST_FORMER
from services.reporting.webhooks.sending import Sender
from tests.integration.reporting.conftest import WEBHOOKS, House, Voices, knobs
from tests.integration.reporting.receiver import Receiver
from tests.integration.reporting.test_subscribers import command, stopped
from tests.waiting import comes_true

Json = dict[str, Any]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest_asyncio.fixture
async def sender(house: House) -> AsyncIterator[None]:
    settings = house.process.settings
    assert isinstance(settings, ReportingSettings)
    sending = asyncio.create_task(Sender(house.process.engine, settings).run())
    yield
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending


async def webhook(house: House, company: str, receiver: Receiver, *events: str) -> str:
    added = await command(house, company, "/webhooks", 201, url=receiver.url, events=list(events) or ["*"])
    receiver.secret = added["secret"]
    return str(added["webhook_id"])


async def listed(house: House, company: str) -> Json:
    headers = house.token(company, role="admin")
    answer = await house.http.get(f"/companies/{company}/webhooks", headers=headers)
    one: Json = answer.json()["webhooks"][0]
    return one


async def deliveries(house: House, company: str, webhook_id: str, status: str) -> list[Json]:
    answer = await house.http.get(
        f"/companies/{company}/webhooks/deliveries",
        params={"webhook_id": webhook_id, "status": status},
        headers=house.token(company, role="admin"),
    )
    found: list[Json] = answer.json()["deliveries"]
    return found


def taken(receiver: Receiver) -> list[tuple[str, str]]:
    return [(one["type"].split(".")[2], one["subject"]) for one in receiver.accepted.values()]


@pytest.mark.usefixtures("sender")
async def test_it_is_told_what_it_chose_of_its_company(
    house: House, voices: Voices, company: str, receiver: Receiver
) -> None:
    await house.get(company, "/who-owes-what", await voices.say(company, stopped("C0")))
    await webhook(house, company, receiver, "ClientStopped")
    await voices.say(company, stopped("C1"))
    await voices.say(company, ClientResumed(client_id="C1"))
    await voices.say(f"{company}x", stopped("C9"))
    await voices.say(company, stopped("C2"))
    await comes_true(lambda: len(receiver.accepted) == 2, "both were delivered")
    assert sorted(taken(receiver)) == [("ClientStopped", "C1"), ("ClientStopped", "C2")]
    assert {one["company"] for one in receiver.accepted.values()} == {company}
    assert receiver.refused == []


@pytest.mark.usefixtures("sender")
async def test_the_cloudevents_sdk_reads_it_and_its_id_is_that_of_the_event(
    house: House, voices: Voices, company: str, receiver: Receiver
) -> None:
    await webhook(house, company, receiver)
    await voices.say(company, stopped("Société Ünique/1"))
    await comes_true(lambda: bool(receiver.accepted), "it was delivered")
    (headers,), (body,) = receiver.headers, receiver.texts()
    event = from_structured(HTTPMessage(headers, body.encode()), JSONFormat())
    assert event.get_type() == "relance.ledger.ClientStopped.v1"
    assert event.get_id() == headers["webhook-id"]
    assert event.get_subject() == "Société Ünique/1"
    assert event.get_extension("company") == company
    assert event.get_data() == {"client_id": "Société Ünique/1", "resumes_on": None}


def sayings() -> list[tuple[str, ClientStopped | ClientResumed]]:
    """Ten clients, stopped and resumed three times each."""
    return [
        (client, event(client_id=client))
        for _ in range(3)
        for event in (ClientStopped, ClientResumed)
        for client in (f"C{number}" for number in range(10))
    ]


async def test_a_receiver_that_fails_half_the_time_has_every_event_once_over_kills_of_the_sender(
    house: House, voices: Voices, company: str, receiver: Receiver
) -> None:
    """Once by id, and in order per client."""
    receiver.fails = 0.5
    await webhook(house, company, receiver)
    said: dict[str, list[str]] = {}
    for client, event in sayings():
        await voices.say(company, event)
        said.setdefault(client, []).append(type(event).__name__)
    total = sum(map(len, said.values()))
    told = knobs(house.stack, "reporting") | WEBHOOKS
    told |= {"webhook_attempts": 50, "webhook_connections": 4, "webhook_lease_seconds": 1.1}
    kills = 0
    while len(receiver.accepted) < total:
        before = len(receiver.attempts)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "tests.integration.reporting.sender_process",
            stdin=asyncio.subprocess.PIPE, cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert process.stdin
        process.stdin.write(json.dumps({name: str(value) for name, value in told.items()}).encode())
        process.stdin.close()
        goal = before + 40 if kills < 3 else 10_000
        await comes_true(
            lambda goal=goal: len(receiver.attempts) >= goal or len(receiver.accepted) == total,  # type: ignore[misc]
            "deliveries go on",
        )
        process.kill()
        await process.wait()
        kills += 1
    assert kills >= 3
    by_client: dict[str, list[str]] = {}
    for kind, client in taken(receiver):
        by_client.setdefault(client, []).append(kind)
    assert by_client == said
    assert len(receiver.attempts) > total


@pytest.mark.usefixtures("sender")
async def test_what_is_never_taken_is_put_aside_and_tried_again_when_asked(
    house: House, voices: Voices, company: str, receiver: Receiver
) -> None:
    """The eve, the last attempt and the day after: those behind it wait, then go on."""
    webhook_id = await webhook(house, company, receiver)
    receiver.answers = 503
    await voices.say(company, stopped("C1"))
    await voices.say(company, ClientResumed(client_id="C1"))

    async def aside() -> bool:
        return bool((await listed(house, company))["dead"] == 1)

    await comes_true(aside, "the first is put aside")
    receiver.answers = None
    await comes_true(lambda: len(receiver.accepted) == 1, "the one behind it is delivered")
    assert taken(receiver) == [("ClientResumed", "C1")]
    (dead,) = await deliveries(house, company, webhook_id, "dead")
    assert (dead["attempts"], dead["told"]) == (WEBHOOKS["webhook_attempts"], "answered 503")
    told = await command(house, company, "/webhooks/retry", webhook_id=webhook_id)
    assert told["retried"] == 1
    await comes_true(lambda: len(receiver.accepted) == 2, "what was put aside is delivered")
    assert (await listed(house, company))["failures"] == 0


async def test_what_was_put_aside_is_forgotten_in_the_end_and_counted(
    house: House, voices: Voices, company: str, receiver: Receiver
) -> None:
    """The eve and the day after its last day."""
    webhook_id = await webhook(house, company, receiver)
    settings = house.process.settings
    assert isinstance(settings, ReportingSettings)
    add = text(
        "insert into webhook_delivery"
        " (company, webhook_id, speaker, p, number, event_id, type, client_id, message, status, changed_at)"
        " select :company, :webhook_id, 'ledger', 1, n, gen_random_uuid(), 'ClientStopped', 'C1', '{}', 'dead',"
        " now() - make_interval(days => :days, hours => n) from (values (-1), (1)) as aged (n)"
    )
    async with transaction(house.process.engine) as tx:
        key = {"company": company, "webhook_id": webhook_id, "days": settings.webhook_keep_dead_days}
        await tx.execute(add, key)
    assert (await listed(house, company))["dead"] == 2
    await Sender(house.process.engine, settings)._forget_dead()
    told = await listed(house, company)
    assert (told["dead"], told["forgotten"]) == (1, 1)
    assert told["forgotten_at"]


@pytest.mark.usefixtures("sender")
async def test_a_replay_delivers_again_under_the_same_ids(
    house: House, voices: Voices, company: str, receiver: Receiver
) -> None:
    await house.get(company, "/who-owes-what", await voices.say(company, stopped("C1")))
    webhook_id = await webhook(house, company, receiver, "ClientStopped")
    await voices.say(company, stopped("C1"))
    await comes_true(lambda: len(receiver.accepted) == 1, "what was said since")
    (known,) = receiver.accepted
    receiver.accepted.clear()
    await command(house, company, "/webhooks/replay", webhook_id=webhook_id, since="2026-01-01")
    await comes_true(lambda: len(receiver.accepted) == 2, "all of it")
    assert known in receiver.accepted


@pytest.mark.usefixtures("sender")
async def test_a_changed_secret_is_good_beside_the_one_before(
    house: House, voices: Voices, company: str, receiver: Receiver
) -> None:
    webhook_id = await webhook(house, company, receiver)
    changed = await command(house, company, "/webhooks/rotate", webhook_id=webhook_id)
    await voices.say(company, stopped("C1"))
    await comes_true(lambda: len(receiver.accepted) == 1, "the receiver has the old secret still")
    receiver.secret = changed["secret"]
    await voices.say(company, stopped("C2"))
    await comes_true(lambda: len(receiver.accepted) == 2, "and then the new one")
    last = await command(house, company, "/webhooks/rotate", webhook_id=webhook_id, overlap_hours=0)
    await voices.say(company, stopped("C3"))
    await comes_true(lambda: bool(receiver.refused), "without an overlap the old one ends at once")
    receiver.secret = last["secret"]
    await comes_true(lambda: len(receiver.accepted) == 3, "nothing was lost by it")


@pytest.mark.usefixtures("sender")
async def test_each_former_secret_signs_as_long_as_was_said(
    house: House, voices: Voices, company: str, receiver: Receiver
) -> None:
    """Standard Webhooks: the old key signs for a set time, which another change does not cut short."""
    webhook_id = await webhook(house, company, receiver)
    first = receiver.secret
    second = (await command(house, company, "/webhooks/rotate", webhook_id=webhook_id))["secret"]
    until = (await listed(house, company))["previous_until"]
    third = (await command(house, company, "/webhooks/rotate", webhook_id=webhook_id, overlap_hours=1))["secret"]
    assert (await listed(house, company))["previous_until"] == until, "the longest of them"
    for many, secret in enumerate((first, second, third), start=1):
        receiver.secret = secret
        await voices.say(company, stopped(f"C{many}"))
        await comes_true(lambda many=many: len(receiver.accepted) == many, "whichever of them a receiver has")

    async with transaction(house.process.engine) as tx:
        over = "update webhook_former_secret set until = now() - interval '1 second' where company = :company"
        assert (await tx.execute(text(over), {"company": company})).rowcount == 1
    receiver.secret = first
    await voices.say(company, stopped("C4"))
    await comes_true(lambda: bool(receiver.refused), "its own time is over")
    receiver.secret = second
    await comes_true(lambda: len(receiver.accepted) == 4, "and that of the other is not")

    last = await command(house, company, "/webhooks/rotate", webhook_id=webhook_id, overlap_hours=0)
    refused = len(receiver.refused)
    await voices.say(company, stopped("C5"))
    await comes_true(lambda: len(receiver.refused) > refused, "without an overlap all of them are over")
    receiver.secret = last["secret"]
    await comes_true(lambda: len(receiver.accepted) == 5, "nothing was lost by it")


async def test_a_secret_that_signs_nothing_any_more_is_not_kept(
    house: House, company: str, receiver: Receiver
) -> None:
    """It could only be stolen; and one that no key opens would be told as a fault by every sealing anew."""
    webhook_id = await webhook(house, company, receiver)
    await command(house, company, "/webhooks/rotate", webhook_id=webhook_id, overlap_hours=2)
    await command(house, company, "/webhooks/rotate", webhook_id=webhook_id, overlap_hours=1)
    over = (
        "update webhook_former_secret set until = now() - interval '1 second' where company = :company",
        "update webhook set previous_until = now() - interval '1 second' where company = :company",
    )
    kept = text(
        "select (select count(*) from webhook_former_secret where company = :company)"
        " + (select count(previous_secret) from webhook where company = :company)"
    )

    async def many() -> int:
        async with transaction(house.process.engine) as tx:
            return int(await tx.scalar(kept, {"company": company}) or 0)

    settings = house.process.settings
    assert isinstance(settings, ReportingSettings)
    sending = Sender(house.process.engine, settings)
    await sending._forget_former()
    assert await many() == 2, "they sign still"
    async with transaction(house.process.engine) as tx:
        for statement in over:
            await tx.execute(text(statement), {"company": company})
    await sending._forget_former()
    assert await many() == 0


async def test_only_so_many_former_secrets_sign(house: House, company: str, receiver: Receiver) -> None:
    webhook_id = await webhook(house, company, receiver)
    for _ in range(MOST_FORMER):
        await command(house, company, "/webhooks/rotate", webhook_id=webhook_id)
    told = await command(house, company, "/webhooks/rotate", 409, webhook_id=webhook_id)
    assert told["type"] == "former-secrets-too-many"
    assert "without an overlap" in told["detail"]
    await command(house, company, "/webhooks/rotate", webhook_id=webhook_id, overlap_hours=0)
    await command(house, company, "/webhooks/rotate", webhook_id=webhook_id)


async def test_a_test_says_what_the_receiver_answers(house: House, company: str, receiver: Receiver) -> None:
    webhook_id = await webhook(house, company, receiver)
    told = await command(house, company, "/webhooks/test", webhook_id=webhook_id)
    assert (told["ok"], told["status"], told["told"]) == (True, 204, "answered 204")
    assert [one["type"] for one in receiver.accepted.values()] == ["relance.reporting.WebhookTried.v1"]
    receiver.answers = 302
    told = await command(house, company, "/webhooks/test", webhook_id=webhook_id)
    assert (told["ok"], told["told"]) == (False, "answered 302: redirects are not followed")


@pytest.mark.usefixtures("sender")
async def test_a_receiver_that_is_gone_is_told_nothing_more(
    house: House, voices: Voices, company: str, receiver: Receiver
) -> None:
    """Standard Webhooks: 410 means never again, until a person says otherwise."""
    webhook_id = await webhook(house, company, receiver)
    receiver.answers = 410
    await voices.say(company, stopped("C1"))

    async def rests() -> bool:
        return not (await listed(house, company))["active"]

    await comes_true(rests, "it rests")
    receiver.answers = None
    await command(house, company, "/webhooks/change", webhook_id=webhook_id, active=True)
    await comes_true(lambda: len(receiver.accepted) == 1, "what waited is delivered")


async def test_a_secret_is_shown_once_and_kept_sealed(house: House, company: str, receiver: Receiver) -> None:
    await webhook(house, company, receiver)
    shown = await listed(house, company)
    assert receiver.secret.startswith("whsec_")
    assert receiver.secret not in json.dumps(shown)
    async with transaction(house.process.engine) as tx:
        kept = await tx.scalar(text("select secret from webhook where company = :company"), {"company": company})
    assert receiver.secret.encode() not in bytes(kept)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://receiver.example/x", "write https"),
        ("https://169.254.169.254/latest/meta-data", "not on the public internet"),
        ("https://10.0.0.7/x", "not on the public internet"),
        ("https://[::ffff:10.0.0.7]/x", "not on the public internet"),
        ("https://user:word@receiver.example/x", "leave user"),
        ("ftp://receiver.example/x", "no address"),
    ],
)
async def test_where_webhooks_cannot_go(house: House, company: str, url: str, why: str) -> None:
    refused = await command(house, company, "/webhooks", 422, url=url)
    assert refused["type"] == "url-refused"
    assert why in refused["detail"]


async def test_one_company_knows_nothing_of_anothers(house: House, company: str, receiver: Receiver) -> None:
    webhook_id = await webhook(house, company, receiver)
    other = f"{company}x"
    for path in ("/webhooks/test", "/webhooks/rotate", "/webhooks/remove", "/webhooks/retry"):
        assert (await command(house, other, path, 404, webhook_id=webhook_id))["type"] == "webhook-unknown"
    answer = await house.http.get(f"/companies/{company}/webhooks", headers=house.token(company, role="user"))
    assert answer.status_code == 403
