"""``retention``: how long contents are kept, what had its time, and holds (rule 22.34)."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_work import AsOf, CompanyName

retention = typer.Typer(help="How long contents of messages and files are kept, and what had its time.")
app.add_typer(retention, name="retention")

NEVER = 0
Months = Annotated[int | None, typer.Option(min=NEVER, max=1200, help="Months; 0 is until somebody erases.")]
Client = Annotated[str, typer.Argument(help="The client's code in accounting.", show_default=False)]


def _of(data: DataDir, company: str) -> Any:
    from cli.main_job import road_of

    return road_of(data_dir_of(data), company)


def _dated(as_of: AsOf) -> dict[str, str]:
    return {"on": f"{as_of:%Y-%m-%d}"} if as_of else {}


@retention.command()
def show(company: CompanyName, data: DataDir = None, as_json: AsJson = False) -> None:
    """The periods in months, and the clients of whom nothing ends by itself."""
    told = _of(data, company).ask("ledger", "/retention")
    if as_json:
        typer.echo(json.dumps(told))
        return
    for name, months in told["periods"].items():
        typer.echo(f"{name}\t{'until erased' if months is None else months}")
    for hold in told["holds"]:
        typer.echo(f"held\t{hold['client_id']}\t{hold['placed_on']}\t{hold['placed_by']}")


@retention.command("set")
def set_periods(
    company: CompanyName,
    messages: Months = None,
    answers: Months = None,
    reports: Months = None,
    files: Months = None,
    archive: Months = None,
    data: DataDir = None,
) -> None:
    """Choose periods; those that are not named stay."""
    road = _of(data, company)
    periods = road.ask("ledger", "/retention")["periods"]
    named = {"messages": messages, "answers": answers, "reports": reports, "files": files, "archive": archive}
    periods |= {name: months or None for name, months in named.items() if months is not None}
    road.ask_of("ledger", "PUT", "/retention", json=periods)
    say("The periods are chosen.")


@retention.command()
def due(company: CompanyName, as_of: AsOf = None, data: DataDir = None) -> None:
    """Count what had its time, as JSON; nothing is changed."""
    road = _of(data, company)
    found = road.ask("notify", "/retention/due", **_dated(as_of))["due"]
    typer.echo(json.dumps(found | road.ask("ledger", "/retention", **_dated(as_of))["due"]))


@retention.command()
def run(
    company: CompanyName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataDir = None,
) -> None:
    """Erase what had its time now rather than when the next day comes; as JSON, how many. Debtors' files wait."""
    if not yes:
        typer.confirm(f"Erase for good what had its time in {company}?", abort=True)
    typer.echo(json.dumps(_of(data, company).ask_of("notify", "POST", "/retention/run")["erased"]))


@retention.command()
def hold(client: Client, company: CompanyName, data: DataDir = None) -> None:
    """Keep everything of a client until it is released."""
    _of(data, company).ask_of("ledger", "POST", "/hold-contents", json={"client_id": client})
    say(f"Nothing of {client} ends by itself.")


@retention.command()
def release(client: Client, company: CompanyName, data: DataDir = None) -> None:
    """Let the periods count for a client again."""
    _of(data, company).ask_of("ledger", "POST", "/release-contents", json={"client_id": client})
    say(f"The periods count for {client} again.")
