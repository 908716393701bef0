"""The profiles of a company, and which client has which (rules 3.1 to 3.6). Only administrators change them."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import text

from chassis.eventlog import Position, Said
from chassis.http import CompanyDep, TxDep, accepted, requires
from chassis.scopes import for_keys
from contracts.event import ClientId
from contracts.subjects import partition_of
from services.ledger import queries
from services.ledger.api.once import OnceDep
from services.ledger.api.stating import Body, OfClient, Stating, StatingDep
from services.ledger.domain import AssignProfile, ClientSeen, Profiles, decide, decide_profiles, evolve
from services.ledger.domain.profiles import (
    AddProfile,
    ChooseDefaultProfile,
    DeleteProfile,
    ProfileCommand,
    RenameProfile,
)
from services.ledger.domain.refusals import UnknownClient, UnknownCompany
from services.ledger.handlers import changed_clients
from services.ledger.together import together

router = APIRouter(prefix="/companies/{company}")

# beside ``queries.KEEP_PROFILES``: nobody else says anything of a client meanwhile
LOCK = text("select pg_advisory_xact_lock(hashtextextended('profiles ' || :company, 0))")
COUNTS = text(
    """
    select profile, count(*) as clients, count(chosen_profile) as chosen
    from client where company = :company and not removed group by profile
    """
)
HAVING = text(
    "select client_id from client where company = :company and (profile = :profile or chosen_profile = :profile)"
)
CHOSEN = text(
    "select client_id from client where company = :company and chosen_profile = :profile order by client_id"
)
WORDS = text("select distinct profile from synced_client where company = :company and profile is not null")
OF_WORDS = text(
    """
    select client_id from synced_client where company = :company and profile = any(:words) order by client_id
    """
)

ProfileWord = Annotated[str, Field(min_length=1, max_length=100)]
ProfileName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]


class Profiled(OfClient):
    """``null`` gives the choice back to accounting (rule 3.5)."""

    profile: ProfileWord | None


class ManyProfiled(Body):
    """One profile for many clients, as a list of who owes what gives them."""

    client_ids: list[ClientId] = Field(min_length=1, max_length=20_000)
    profile: ProfileWord | None


class Named(Body):
    name: ProfileName


class Renamed(Named):
    profile: ProfileWord


class OfProfile(Body):
    profile: ProfileWord


class Deleted(OfProfile):
    """``taken_over_by`` is needed where the profile is used (rule 3.3)."""

    taken_over_by: ProfileWord | None = None


@router.get("/profiles")
@for_keys("read:clients")
async def get_profiles(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """The profiles, each with its clients: ``{"profiles": [{profile, name, is_default, clients, chosen}],
    "default", "unlisted": [{profile, clients}]}``.

    ``chosen`` is how many a person chose. ``unlisted`` are words of accounting that mean no profile: their clients
    have no scenario until one of that name is added (rule 3.6).
    """
    known = await queries.profiles(tx, company)
    counts = {row.profile: (row.clients, row.chosen) for row in await tx.execute(COUNTS, {"company": company})}
    unsaid = counts.pop(None, (0, 0))
    shown = []
    for one in known.profiles:
        clients, chosen = counts.pop(one.profile, (0, 0))
        is_default = one.profile == known.default
        if is_default:
            clients += unsaid[0]
        shown.append({**one._asdict(), "is_default": is_default, "clients": clients, "chosen": chosen})
    unlisted = [{"profile": word, "clients": clients} for word, (clients, _) in sorted(counts.items())]
    return {"profiles": shown, "default": known.default, "unlisted": unlisted}


@router.post("/add-profile", dependencies=[requires("admin")])
async def add_profile(body: Named, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Make a profile; it has no scenario yet. Answers ``profile``, the word that events know it by."""

    async def act() -> dict[str, Any]:
        known = await _alone(stating)
        positions, changed = await _change(stating, known, AddProfile(body.name))
        return accepted(positions, profile=changed.profiles[-1].profile)

    return await once(act)


@router.post("/rename-profile", dependencies=[requires("admin")])
async def rename_profile(body: Renamed, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Change what people read; its clients, its scenario and its history stay."""

    async def act() -> dict[str, Any]:
        known = await _alone(stating)
        return accepted((await _change(stating, known, RenameProfile(body.profile, body.name)))[0])

    return await once(act)


@router.post("/choose-default-profile", dependencies=[requires("admin")])
async def choose_default_profile(body: OfProfile, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """The profile of every client of whom neither accounting nor a person says one."""

    async def act() -> dict[str, Any]:
        known = await _alone(stating)
        return accepted((await _change(stating, known, ChooseDefaultProfile(body.profile)))[0])

    return await once(act)


@router.post("/delete-profile", dependencies=[requires("admin")])
async def delete_profile(body: Deleted, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Delete a profile; one that is used is taken over by another, for what accounting says too (rule 3.3).

    Answers 409 ``profile-in-use`` with ``clients`` where none is named, ``profile-is-default`` for the default.
    """

    async def act() -> dict[str, Any]:
        known = await _alone(stating)
        asked = {"company": stating.company, "profile": body.profile}
        clients = len(list(await stating.tx.scalars(HAVING, asked)))
        chosen = list(await stating.tx.scalars(CHOSEN, asked))
        wanted = DeleteProfile(body.profile, body.taken_over_by, clients)
        return accepted((await _change(stating, known, wanted, chosen))[0])

    return await once(act)


async def _alone(stating: Stating) -> Profiles:
    """The profiles, which nobody changes or assigns until the transaction ends. Raises ``UnknownCompany``."""
    await stating.tx.execute(LOCK, {"company": stating.company})
    if await queries.company_settings(stating.tx, stating.company) is None:
        raise UnknownCompany(stating.company)
    return await queries.profiles(stating.tx, stating.company)


async def _change(
    stating: Stating, known: Profiles, wanted: ProfileCommand, chosen: Sequence[str] = ()
) -> tuple[list[Position], Profiles]:
    """Say the profiles anew, then every client whose profile is another by that; ``chosen`` had a person's choice
    of the one that goes."""
    tx, company = stating.tx, stating.company
    events = decide_profiles(known, wanted)
    if not events:
        return [], known
    words = list(await tx.scalars(WORDS, {"company": company}))
    # of all that may follow, for the clients' changes are said afterwards
    concerned = list(await tx.scalars(OF_WORDS, {"company": company, "words": words}))
    stating.say.also_lock = {partition_of(company, client_id) for client_id in {*concerned, *chosen}}
    said = [Said(event) for event in events]
    positions = await stating.say(company, said, as_of=stating.as_of, cause=stating.cause)
    changed = await queries.profiles(tx, company)
    meant_otherwise = [word for word in words if known.told(word) != changed.told(word)]
    if isinstance(wanted, DeleteProfile) and chosen:
        positions += (await _assign(stating, chosen, wanted.taken_over_by, changed))[0]
    if meant_otherwise:
        client_ids = list(await tx.scalars(OF_WORDS, {"company": company, "words": meant_otherwise}))
        seen = together(company, await changed_clients(tx, company, client_ids, stating.as_of))
        positions += await stating.say(company, seen, as_of=stating.as_of, cause=stating.cause)
    return _last(positions), changed


@router.post("/assign-profile", dependencies=[requires("admin")])
async def assign_profile(body: Profiled, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Choose the profile of a client; only administrators assign (rules 3.2, 3.4, 3.5)."""

    async def act() -> dict[str, Any]:
        return accepted((await _assign(stating, [body.client_id], body.profile))[0])

    return await once(act)


@router.post("/assign-profiles", dependencies=[requires("admin")])
async def assign_profiles(body: ManyProfiled, stating: StatingDep, once: OnceDep) -> dict[str, Any]:
    """Choose one profile for many clients, all or none (rule 3.4). Answers ``assigned``, how many changed.

    Which clients: the rows of reporting's ``GET /who-owes-what``, whatever its filters.
    """

    async def act() -> dict[str, Any]:
        positions, assigned = await _assign(stating, body.client_ids, body.profile)
        return accepted(positions, assigned=assigned)

    return await once(act)


async def _assign(
    stating: Stating, client_ids: Sequence[str], profile: str | None, profiles: Profiles | None = None
) -> tuple[list[Position], int]:
    """Answers the positions and how many changed. Raises ``UnknownClient`` and ``UnknownProfile``."""
    tx, company = stating.tx, stating.company
    wanted = sorted(set(client_ids))
    states = await queries.lock_clients(tx, company, wanted)
    for client_id in wanted:
        if client_id not in states:
            raise UnknownClient(client_id)
    fact = AssignProfile(profile, profiles or await queries.profiles(tx, company))
    facts = await queries.facts(tx, company, wanted)
    said: list[Said] = []
    assigned = 0
    for client_id, state in states.items():
        events = decide(state, fact, stating.as_of)
        assigned += bool(events)
        for event in events:
            after = evolve(state, event)
            seen = decide(after, ClientSeen(facts[client_id]), stating.as_of)
            said += [Said(one, client_id) for one in (event, *seen)]
    positions = await stating.say(company, together(company, said), as_of=stating.as_of, cause=stating.cause)
    return _last(positions), assigned


def _last(positions: Sequence[Position]) -> list[Position]:
    """The last of each partition: whoever heard it heard those before."""
    return sorted({position.partition: position for position in positions}.values())
