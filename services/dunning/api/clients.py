"""What a client has otherwise than its company, and which entries' reminders may leave by themselves."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.eventlog import Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep, TxDep, accepted, requires
from contracts.dunning import AutomaticChoice, AutomaticChosen, ClientPolicyChanged
from contracts.event import ClientId, EntryId
from services.dunning import queries
from services.dunning.domain import policy as policies
from services.dunning.domain.amounts import decimal, ten_thousandths
from services.dunning.rulebook import published
from services.dunning.states import lock

router = APIRouter()


class ClientPolicyWanted(BaseModel):
    """The client's own policy, whole; what is not given is as the company has it (rules 22.26, 22.27)."""

    model_config = ConfigDict(extra="forbid")

    client_id: ClientId
    profile: str | None = Field(None, min_length=1, max_length=64)
    never: bool = False
    tolerance_days: int | None = None
    tolerance_amount: Annotated[Decimal | None, Field(max_digits=18, decimal_places=4)] = None


@router.get("/client-policies")
async def client_policies(
    company: CompanyDep, tx: TxDep, client_id: Annotated[str | None, Query(max_length=64)] = None
) -> dict[str, Any]:
    """Of the clients that have anything of their own, or of the one named."""
    found = [_client_policy(row) for row in await queries.client_policies(tx, company, client_id)]
    return {"clients": [one.model_dump(mode="json") for one in found if one != _nothing_own(one.client_id)]}


@router.put("/client-policy", dependencies=[requires("admin")])
async def set_client_policy(
    body: ClientPolicyWanted, company: CompanyDep, today: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Change it whole; the next round looks at the client again. 422 names what cannot work."""
    scenarios = (await published(say.tx, company))[1]
    if body.profile is not None and body.profile not in {one.profile for one in scenarios}:
        known = ", ".join(one.profile for one in scenarios)
        raise policies.ProfileWithoutScenario(
            f"profile {body.profile!r} has no scenario; there are {known}. To leave a client out, say never."
        )
    policies.check_tolerance(body.tolerance_days, body.tolerance_amount)
    await lock(say.tx, company, [body.client_id])
    before = [_client_policy(row) for row in await queries.client_policies(say.tx, company, body.client_id)]
    wanted = ClientPolicyChanged(**body.model_dump())
    if wanted == (before[0] if before else _nothing_own(body.client_id)):
        return accepted([])
    positions = await say(company, [Said(wanted, body.client_id)], as_of=today, cause=cause)
    return accepted(positions)


def _client_policy(row: Any) -> ClientPolicyChanged:
    amount = row["tolerance_amount"]
    return ClientPolicyChanged(
        client_id=row["client_id"],
        profile=row["profile"],
        never=row["never"],
        tolerance_days=row["tolerance_days"],
        tolerance_amount=None if amount is None else decimal(ten_thousandths(amount)),
    )


def _nothing_own(client_id: str) -> ClientPolicyChanged:
    return ClientPolicyChanged(client_id=client_id)


class EntryNamed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    client_id: ClientId
    entry_id: EntryId


class AutomaticWanted(BaseModel):
    """``automatic``: true opts in, false opts out, null leaves it to the company's policy (rule 22.13)."""

    model_config = ConfigDict(extra="forbid")

    automatic: bool | None
    entries: list[EntryNamed] = Field(min_length=1, max_length=10_000)


@router.put("/automatic")
async def choose_automatic(
    body: AutomaticWanted, company: CompanyDep, today: AsOfDep, say: SayDep, cause: CauseDep
) -> dict[str, Any]:
    """Opt entries in or out, many at once. ``unknown`` are those that dunning has not heard of; nothing is said
    again of entries that have the choice already.
    """
    await lock(say.tx, company, sorted({one.client_id for one in body.entries}))
    named = {(one.client_id, one.entry_id) for one in body.entries}
    known = await queries.automatic_choices(say.tx, company, sorted(named))
    by_client: dict[str, list[AutomaticChoice]] = {}
    for (client_id, entry_id), automatic in sorted(known.items()):
        if automatic is not body.automatic:
            choice = AutomaticChoice(entry_id=entry_id, automatic=body.automatic)
            by_client.setdefault(client_id, []).append(choice)
    said = [
        Said(AutomaticChosen(client_id=client_id, entries=tuple(choices)), client_id)
        for client_id, choices in by_client.items()
    ]
    positions = await say(company, said, as_of=today, cause=cause) if said else []
    return accepted(
        positions,
        chosen=sum(len(choices) for choices in by_client.values()),
        unknown=[entry_id for client_id, entry_id in sorted(named - known.keys())],
    )
