"""The command ``act``: by criteria, from the shell (rule 9.8)."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from cli.app import AsJson, DataDir, app, data_dir_of
from cli.app_work import AsOf, CompanyName


class Medium(StrEnum):
    email = "email"
    letter = "letter"
    phone = "phone"
    other = "other"


Words = Annotated[list[str] | None, typer.Option(help="May be repeated; none means without one.")]
Days = Annotated[int | None, typer.Option(min=0)]


@app.command()
def act(
    company: CompanyName,
    as_of: AsOf = None,
    profile: Words = None,
    category: Words = None,
    salesperson: Annotated[list[str] | None, typer.Option(help="A code; may be repeated.")] = None,
    payment_mode: Words = None,
    level: Annotated[list[str] | None, typer.Option(help="none or R1 to R7; may be repeated.")] = None,
    email: Annotated[bool | None, typer.Option("--email/--no-email", help="With an address, or without.")] = None,
    days_late_from: Days = None,
    days_late_to: Days = None,
    days_since_reminder_from: Days = None,
    days_since_reminder_to: Days = None,
    medium: Annotated[Medium, typer.Option(help="How to communicate.")] = Medium.email,
    template: Annotated[str | None, typer.Option(help="Instead of that of each client's step.")] = None,
    history_only: Annotated[bool, typer.Option(help="Do not take it into account in the scenarios.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Do it; without, the clients are only listed.")] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the late clients that fit, and with --send act on those that no rule excludes.

    Asked again on the same day, whoever was written to is not written to again.
    """
    from cli.acting import act_by_criteria, told
    from cli.main_job import road_of

    criteria = {
        "profiles": profile or [],
        "categories": category or [],
        "salespeople": salesperson or [],
        "payment_modes": payment_mode or [],
        "levels": level or [],
        "has_email": email,
        "days_late_from": days_late_from,
        "days_late_to": days_late_to,
        "days_since_reminder_from": days_since_reminder_from,
        "days_since_reminder_to": days_since_reminder_to,
        "medium": medium.value,
    }
    road = road_of(data_dir_of(data), company, as_of.date() if as_of else None)
    result = act_by_criteria(road, criteria, template, counts=not history_only, send=send)
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else told(result))
