"""The commands ``subscriber …`` and ``webhook …``: other systems that hear what is said."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_work import CompanyName
from cli.road import Json, RoadBlocked

subscriber = typer.Typer(name="subscriber", help="Other systems that hear events by NATS.", no_args_is_help=True)
webhook = typer.Typer(name="webhook", help="Other systems that hear events by HTTP.", no_args_is_help=True)
app.add_typer(subscriber)
app.add_typer(webhook)

Name = Annotated[str, typer.Argument(help="Small letters, digits, - and _.", show_default=False)]
Events = Annotated[
    str, typer.Option("--events", help="Names as in contracts/asyncapi.yaml, separated by commas; * for all.")
]
Since = Annotated[
    datetime,
    typer.Option(
        "--from", formats=["%Y-%m-%d"], help="The first day, from the company's midnight on.", show_default=False
    ),
]
Overlap = Annotated[float, typer.Option("--overlap-hours", help="How long the secret before is still good.")]
WebhookId = Annotated[str, typer.Argument(help="As list shows it.", show_default=False)]
CredentialsFile = Annotated[
    Path | None,
    typer.Option("--to", help="Write what the program needs to connect to this file.", show_default=False),
]


def _names(events: str) -> list[str]:
    return [name.strip() for name in events.split(",") if name.strip()]


def _ask(method: str, path: str, company: str, data: Path | None, **request: Any) -> Json:
    from cli.main_job import road_of

    try:
        return road_of(data_dir_of(data), company).ask_of("reporting", method, path, **request)
    except RoadBlocked as blocked:
        _refuse(str(blocked))


def _refuse(sentence: str) -> NoReturn:
    say(sentence)
    raise typer.Exit(1)


def _show(answer: Json, *, as_json: bool, told: str) -> None:
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        typer.echo(told)


def _hand_out(answer: Json, to: Path | None, *, as_json: bool) -> None:
    """The secret, once: to a file that its owner alone may read, or to the screen."""
    connect = answer["connect"]
    if to is None:
        typer.echo(json.dumps(answer if as_json else connect, ensure_ascii=False, indent=None if as_json else 2))
        return
    to.touch(mode=0o600)
    to.chmod(0o600)
    to.write_text(json.dumps(connect, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    say(f"Written to {to}; it holds a secret that nobody can show again.")


@subscriber.command()
def add(
    name: Name,
    company: CompanyName,
    events: Events = "*",
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="The first day to hear; by default from now on."),
    ] = None,
    to: CredentialsFile = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Let another system hear events of a company by NATS: no restart, and nothing else is open to it."""
    body = {"name": name, "events": _names(events), "since": since and f"{since.date()}"}
    _hand_out(_ask("POST", "/subscribers", company, data, json=body), to, as_json=as_json)


@subscriber.command("list")
def list_(company: CompanyName, data: DataDir = None, as_json: AsJson = False) -> None:
    """Who subscribes to what, and what waits for each."""
    found = _ask("GET", "/subscribers", company, data)
    lines = [
        f"{one['name']}: {', '.join(one['events'])}; {one['waiting']} waiting,"
        f" {one['unacknowledged']} unacknowledged"
        for one in found["subscribers"]
    ]
    _show(found, as_json=as_json, told="\n".join(lines) or "Nobody subscribes.")


@subscriber.command()
def rotate(
    name: Name,
    company: CompanyName,
    overlap_hours: Overlap = 24,
    to: CredentialsFile = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give a subscriber a new secret. With --overlap-hours 0 the old one ends now, connections included."""
    body = {"name": name, "overlap_hours": overlap_hours}
    _hand_out(_ask("POST", "/subscribers/rotate", company, data, json=body), to, as_json=as_json)


@subscriber.command()
def replay(name: Name, company: CompanyName, since: Since, data: DataDir = None, as_json: AsJson = False) -> None:
    """Have a subscriber hear everything from a day on again."""
    body = {"name": name, "since": f"{since.date()}"}
    answer = _ask("POST", "/subscribers/replay", company, data, json=body)
    _show(answer, as_json=as_json, told=f"{name} hears everything from {answer['since']} on.")


@subscriber.command()
def remove(name: Name, company: CompanyName, data: DataDir = None, as_json: AsJson = False) -> None:
    """End a subscriber: its connections, its places in the streams and its secret."""
    answer = _ask("POST", "/subscribers/remove", company, data, json={"name": name})
    _show(answer, as_json=as_json, told=f"{name} is removed; {answer['connections_ended']} connections ended.")


@webhook.command("add")
def add_webhook(
    url: Annotated[str, typer.Argument(help="https://…", show_default=False)],
    company: CompanyName,
    events: Events = "*",
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Send events of a company to an address. Prints the secret that receivers check signatures with, once."""
    answer = _ask("POST", "/webhooks", company, data, json={"url": url, "events": _names(events)})
    _show(answer, as_json=as_json, told=f"{answer['webhook_id']}\nsecret: {answer['secret']}")


@webhook.command("list")
def list_webhooks(company: CompanyName, data: DataDir = None, as_json: AsJson = False) -> None:
    """Where events go, and how that goes."""
    found = _ask("GET", "/webhooks", company, data)
    lines = [
        f"{one['webhook_id']} {one['url']}: {', '.join(one['events'])}; {one['delivered']} delivered,"
        f" {one['waiting']} waiting, {one['dead']} put aside" + ("" if one["active"] else "; resting")
        for one in found["webhooks"]
    ]
    _show(found, as_json=as_json, told="\n".join(lines) or "There are no webhooks.")


@webhook.command()
def deliveries(
    webhook_id: WebhookId,
    company: CompanyName,
    status: Annotated[
        str | None, typer.Option(help="waiting, sending, done or dead (put aside).", show_default=False)
    ] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """What became of every event, the latest first."""
    params = {"webhook_id": webhook_id, **({"status": status} if status else {})}
    found = _ask("GET", "/webhooks/deliveries", company, data, params=params)
    lines = [
        f"{one['changed_at']} {one['status']} {one['type']} {one['event_id']} after {one['attempts']}:"
        f" {one['told'] or '-'}"
        for one in found["deliveries"]
    ]
    _show(found, as_json=as_json, told="\n".join(lines) or "Nothing was to be delivered yet.")


@webhook.command("test")
def try_webhook(
    webhook_id: WebhookId, company: CompanyName, data: DataDir = None, as_json: AsJson = False
) -> None:
    """Send one signed event that says nothing. Exit code 1 when the receiver does not take it."""
    answer = _ask("POST", "/webhooks/test", company, data, json={"webhook_id": webhook_id})
    _show(answer, as_json=as_json, told=f"{answer['told']} after {answer['seconds']} s")
    if not answer["ok"]:
        raise typer.Exit(1)


@webhook.command("replay")
def replay_webhook(
    webhook_id: WebhookId, company: CompanyName, since: Since, data: DataDir = None, as_json: AsJson = False
) -> None:
    """Deliver everything from a day on again, under the ids it had."""
    body = {"webhook_id": webhook_id, "since": f"{since.date()}"}
    answer = _ask("POST", "/webhooks/replay", company, data, json=body)
    _show(answer, as_json=as_json, told=f"Everything from {answer['since']} on is delivered again.")


@webhook.command()
def retry(
    webhook_id: WebhookId,
    company: CompanyName,
    event: Annotated[list[str] | None, typer.Option(help="Only this one; may be given again.")] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Try again what was put aside."""
    body = {"webhook_id": webhook_id, "event_ids": event or None}
    answer = _ask("POST", "/webhooks/retry", company, data, json=body)
    _show(answer, as_json=as_json, told=f"{answer['retried']} events are tried again.")


@webhook.command()
def change(
    webhook_id: WebhookId,
    company: CompanyName,
    url: Annotated[str | None, typer.Option(help="Another address.", show_default=False)] = None,
    events: Annotated[str | None, typer.Option(help="Other events, separated by commas.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--rest", help="Deliver, or rest.")] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change a webhook; what is left out stays as it is."""
    body = {
        "webhook_id": webhook_id,
        "url": url,
        "events": None if events is None else _names(events),
        "active": active,
    }
    answer = _ask("POST", "/webhooks/change", company, data, json=body)
    _show(answer, as_json=as_json, told=f"{answer['url']}: {', '.join(answer['events'])}")


@webhook.command("rotate")
def rotate_webhook(
    webhook_id: WebhookId,
    company: CompanyName,
    overlap_hours: Overlap = 24,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """A new secret; meanwhile events are signed by both."""
    body = {"webhook_id": webhook_id, "overlap_hours": overlap_hours}
    answer = _ask("POST", "/webhooks/rotate", company, data, json=body)
    _show(answer, as_json=as_json, told=f"secret: {answer['secret']}")


@webhook.command("remove")
def remove_webhook(
    webhook_id: WebhookId, company: CompanyName, data: DataDir = None, as_json: AsJson = False
) -> None:
    """End a webhook; what waits for it is forgotten."""
    answer = _ask("POST", "/webhooks/remove", company, data, json={"webhook_id": webhook_id})
    _show(answer, as_json=as_json, told="It is removed.")
