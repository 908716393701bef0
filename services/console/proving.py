"""Who one is, once more, before what outlives a session or holds everything: a stolen session cannot tell."""

from typing import Literal

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.console.accounts import account_of, must_wait, remember_failure
from services.console.pace import host_of
from services.console.visits import Visit


def proof_of(visit: Visit) -> Literal["password", "provider", "operator", "shown"]:
    """How this person shows it: by the password, at the provider of identities, by another link of the operator;
    ``shown`` when they have within the last minutes."""
    me = visit.me
    if me.opened_by == "password":
        return "password"
    if me.has_shown:
        return "shown"
    return "provider" if me.opened_by == "provider" and visit.console.sign_on else "operator"


def provider_of(visit: Visit) -> str:
    """What people call the provider of identities; empty where there is none."""
    return visit.console.sign_on.name if visit.console.sign_on else ""


async def refusal_of(request: Request, visit: Visit, tx: AsyncConnection, password: str) -> str:
    """Why it is not shown that this is the person at the screen, in words; empty when it is. Guessing a password
    has the brake of signing in."""
    _ = visit.words.gettext
    host = host_of(request)
    settings, me = visit.console.settings, visit.me
    if me.opened_by != "password":
        return "" if me.has_shown else _("Montrez d’abord, encore une fois, qui vous êtes.")
    if await must_wait(tx, me.email, host, settings):
        return _("Trop de tentatives. Réessayez dans %(minutes)s minutes.") % {
            "minutes": settings.sign_in_wait_minutes
        }
    if await account_of(tx, me.email, password) != me.account_id:
        await remember_failure(tx, me.email, host, settings)
        return _("Ce n’est pas votre mot de passe.")
    return ""
