"""Commands about a whole company: ``company register``, ``export``, ``verify``, ``compare``, ``import``,
``offboard``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.servers import HERE, Servers, on_servers


class Companies(TyperGroup):
    """``relance company acme --name ACME`` registers: the first word is a company's where it is no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["register", *args]
        return list(super().parse_args(ctx, args))


company = typer.Typer(
    name="company",
    cls=Companies,
    no_args_is_help=True,
    help="A whole company: register it, hand it out, take it in, let it go.",
)
app.add_typer(company)

Slug = Annotated[str, typer.Argument(help="The company's slug.", show_default=False)]
Export = Annotated[Path, typer.Argument(help="An export: a ZIP file or a folder.", show_default=False)]
By = Annotated[
    str, typer.Option("--by", envvar=["RELANCE_OPERATOR", "USER"], help="Who does this.", show_default=False)
]


@contextmanager
def told() -> Iterator[None]:
    """What hinders is told in one sentence, with exit code 1."""
    from cli.company.bundle import BundleExists, BundleUnreadable
    from cli.company.deleting import StillThere
    from cli.company.exporting import CompanyBusy
    from cli.company.importing import CompanyThere, NotHeard, OtherVersion
    from cli.company.inventory import CompanyMissing, ServicesRun, TablesBeside
    from cli.company.judging import RowsRefused
    from cli.company.offboarding import NotItsExport, NotLeaving, OthersStillHear, SaidSince, TooEarly
    from cli.company.verifying import BundleBroken
    from cli.credentials import CredentialsMissing
    from cli.refilling import HistoryDivided, StreamUnreadable
    from cli.refilling import ServicesRun as WorkersRun

    hindrances = (
        HistoryDivided,
        NotItsExport,
        NotLeaving,
        OthersStillHear,
        SaidSince,
        StillThere,
        StreamUnreadable,
        TooEarly,
        WorkersRun,
        BundleBroken,
        BundleExists,
        BundleUnreadable,
        CompanyBusy,
        CompanyMissing,
        CompanyThere,
        CredentialsMissing,
        NotHeard,
        OtherVersion,
        RowsRefused,
        ServicesRun,
        TablesBeside,
    )
    try:
        yield
    except hindrances as hindered:
        say(f"relance: {hindered}")
        raise typer.Exit(1) from None


@company.command()
def register(
    slug: Annotated[
        str, typer.Argument(help="Its short name in addresses: a-z, 0-9, - and _.", show_default=False)
    ],
    name: Annotated[str, typer.Option(help="Its name, as people read it.", show_default=False)],
    currency: Annotated[str, typer.Option(help="The currency of its books.")] = "EUR",
    data: DataDir = None,
) -> None:
    """Register a company; one that is known stays as it is. The word ``register`` may be left out."""
    from cli.main_job import road_of

    known = road_of(data_dir_of(data), slug).register(name, currency)
    say(f"{slug}: {known.get('name', name)}")


@company.command()
@on_servers
def export(
    slug: Slug,
    to: Annotated[Path, typer.Option("--to", help="A file ending in .zip, or a folder.", show_default=False)],
    by: By = "operator",
    wait: Annotated[float, typer.Option(help="Seconds to wait until nothing of it is under way.")] = 60,
    servers: Servers = HERE,
    as_json: AsJson = False,
) -> None:
    """Hand out everything of a company in an open format: events, rows, files, the archive with its hashes.

    Services may run. Secrets stay here; the manifest names what is to be entered again.
    """
    from cli.company.bundle import opened
    from cli.company.exporting import export as hand_out

    with told(), servers.reached() as (dsn, _):
        hand_out(dsn, slug, to, by=by, wait_seconds=wait)
    with opened(to) as bundle:
        _summary(bundle.manifest, bundle.manifest_sha256, as_json=as_json)
    say(f"Written to {to}: it holds personal data, and whoever has it reads all of it.")


def _summary(manifest: dict[str, Any], sha256: str, *, as_json: bool) -> None:
    summary = {
        "company": manifest["company"],
        "events": sum(manifest["events"].values()),
        "rows": sum(manifest["rows"].values()),
        "files": len([name for name in manifest["files"] if name.startswith("files/")]),
        "archive": manifest["archive"],
        "left_out": manifest["left_out"],
        "manifest_sha256": sha256,
    }
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
        return
    typer.echo(f"{summary['events']} events, {summary['rows']} rows, {summary['files']} files; manifest {sha256}")
    _say_left_out(manifest["left_out"])


def _say_left_out(left_out: list[dict[str, Any]]) -> None:
    for one in left_out:
        names = f" ({', '.join(map(str, one['names']))})" if one.get("names") else ""
        typer.echo(f"left out: {one['what']}, {one['rows']}{names}: {one['why']}")


@company.command()
@on_servers
def exports(
    most_mb: Annotated[int, typer.Option(min=1, help="Larger ones are handed out by the operator.")] = 2000,
    wait: Annotated[float, typer.Option(help="Seconds to wait until nothing of a company is under way.")] = 60,
    every: Annotated[float | None, typer.Option(help="Again after so many seconds.", show_default=False)] = None,
    servers: Servers = HERE,
    as_json: AsJson = False,
) -> None:
    """Make the exports that administrators asked for on their page; exit code 1 when one could not be made."""
    import time

    from cli.company.asked import make_asked

    with told(), servers.reached() as (dsn, _):
        while True:
            made = make_asked(dsn, most_bytes=most_mb * 1_000_000, wait_seconds=wait)
            for one in made:
                words = f"{one.company}: {one.told or f'{one.bytes} bytes, to be fetched for a week'}"
                typer.echo(json.dumps(vars(one), ensure_ascii=False) if as_json else words)
            if every is None:
                break
            time.sleep(every)
    if any(one.told for one in made):
        raise typer.Exit(1)


@company.command()
def verify(file: Export, as_json: AsJson = False) -> None:
    """Check an export without any server: digests, events, the archive's chain. Exit 1 when it is broken."""
    from cli.company.bundle import opened
    from cli.company.verifying import verify as judge

    with told(), opened(file) as bundle:
        found = judge(bundle)
    if as_json:
        typer.echo(json.dumps({**vars(found), "unknown_types": sorted(found.unknown_types)}, ensure_ascii=False))
    else:
        for sentence in found.wrong:
            typer.echo(sentence)
        for name in sorted(found.unknown_types):
            say(f"{name} is not known to this version, and was not looked into")
    if found.wrong:
        raise typer.Exit(1)
    say(
        f"{found.company}: {found.events} events, {found.rows} rows, {found.files} files,"
        f" {found.archive_records} records of the archive are as they were written;"
        f" manifest {found.manifest_sha256}"
    )


@company.command()
def compare(one: Export, other: Export) -> None:
    """Name what two exports of a company have otherwise, but for places and times; then the exit code is 1."""
    from cli.company.bundle import opened
    from cli.company.comparing import differences

    with told(), opened(one) as mine, opened(other) as theirs:
        found = differences(mine, theirs)
    for sentence in found:
        typer.echo(sentence)
    if found:
        raise typer.Exit(1)
    say("They are alike.")


@company.command(name="import")
@on_servers
def import_(
    file: Export,
    servers: Servers = HERE,
    as_json: AsJson = False,
) -> None:
    """Take a company in from an export, the services being stopped. All of it is there afterwards, or nothing.

    Nothing is sent, and no reminder leaves by itself until a person switches that on again.
    """
    from cli.company.bundle import opened
    from cli.company.importing import take_in

    with (
        told(),
        opened(file) as bundle,
        servers.reached() as (dsn, _),
    ):
        done = take_in(dsn, bundle)
    if as_json:
        typer.echo(json.dumps(vars(done), ensure_ascii=False))
        return
    typer.echo(f"{done.company}: {done.events} events and {done.rows} rows were taken in")
    _say_left_out(done.again)
    if done.automatic_switched_off:
        say("Automatic reminders are off: a person switches them on again, in the company's policy.")
    say("Start the services: they publish the events, and go on where the company was.")


@company.command()
@on_servers
def offboard(
    slug: Slug,
    to: Annotated[Path, typer.Option("--to", help="Where the final export goes.", show_default=False)],
    by: By,
    days: Annotated[int, typer.Option(min=0, help="For so many days it can still be kept.")] = 30,
    wait: Annotated[float, typer.Option(help="Seconds to wait until nothing of it is under way.")] = 120,
    servers: Servers = HERE,
    as_json: AsJson = False,
) -> None:
    """Bring a company to rest and hand it out; it is deleted later, with ``company delete``.

    Its subscribers and webhooks end for good. Nothing is synchronised, decided, sent or changed any more, and its
    debtors' links show nothing. ``company keep`` takes it back until it is deleted.
    """
    from cli.company.bundle import BundleExists
    from cli.company.offboarding import bring_to_rest, hand_out

    with told(), servers.reached() as (dsn, _):
        if to.exists():
            raise BundleExists(to)
        _end_other_systems(slug, servers.data)
        resting = bring_to_rest(dsn, slug, by=by, days=days)
        digest = hand_out(dsn, slug, to, by=by, wait_seconds=wait)
    if as_json:
        typer.echo(json.dumps({**vars(resting), "export_sha256": digest}, default=str))
        return
    typer.echo(f"{slug} is at rest since {resting.since:%Y-%m-%d %H:%M} UTC; exported to {to}, manifest {digest}")
    say(f"Until {resting.until} it can be kept: relance company keep {slug}")
    say(f"From then on, the services being stopped: relance company delete {to} --certificate FILE")


def _end_other_systems(slug: str, data: Path | None) -> None:
    """Whoever subscribes hears nothing more. Where no service answers, the next step says who is left."""
    from cli.main_job import road_of
    from cli.places import StackNotRunning
    from cli.road import RoadBlocked

    try:
        road = road_of(data_dir_of(data), slug)
        for one in road.ask_of("reporting", "GET", "/subscribers")["subscribers"]:
            road.ask_of("reporting", "POST", "/subscribers/remove", json={"name": one["name"]})
            say(f"subscriber {one['name']} is removed")
        for one in road.ask_of("reporting", "GET", "/webhooks")["webhooks"]:
            road.ask_of("reporting", "POST", "/webhooks/remove", json={"webhook_id": one["webhook_id"]})
            say(f"webhook {one['url']} is removed")
    except (RoadBlocked, StackNotRunning):
        return


@company.command()
@on_servers
def leaving(
    servers: Servers = HERE,
    as_json: AsJson = False,
) -> None:
    """List the companies at rest: since when, by whom, and from which day on they may be deleted."""
    import psycopg

    from cli.company.offboarding import leaving as at_rest

    with (
        told(),
        servers.reached() as (dsn, _),
        psycopg.connect(dsn) as connection,
    ):
        found = at_rest(connection)
    if as_json:
        typer.echo(json.dumps([vars(one) for one in found], default=str))
        return
    for one in found:
        export_of = one.export_sha256 or "not exported yet"
        typer.echo(f"{one.company}\t{one.since:%Y-%m-%d}\t{one.held_by}\t{one.until}\t{export_of}")
    say(f"{len(found)} at rest.")


@company.command()
@on_servers
def keep(
    slug: Slug,
    servers: Servers = HERE,
) -> None:
    """Let a company go on that was brought to rest."""
    from cli.company.offboarding import keep as take_back

    with told(), servers.reached() as (dsn, _):
        take_back(dsn, slug)
    say(f"{slug} goes on. Subscribers and webhooks that ended are added again, by `relance subscriber add` and")
    say("`relance webhook add`.")


def certificate_files(certificate: Path) -> list[Path]:
    """Where a certificate goes: read by machines, by people, and what only streams knew. A name may have points:
    of endings only these are taken for one."""
    name = certificate.name
    for ending in (".json", ".txt"):
        name = name.removesuffix(ending)
    return [certificate.with_name(f"{name}{ending}") for ending in (".json", ".txt", ".lost.jsonl")]


@company.command()
@on_servers
def delete(
    file: Export,
    by: By,
    certificate: Annotated[
        Path,
        typer.Option("--certificate", help="Its name; written as NAME.json and NAME.txt.", show_default=False),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    servers: Servers = HERE,
    as_json: AsJson = False,
) -> None:
    """Delete the company of its final export, once it may be, the services being stopped. This cannot be undone.

    Rows of every service, events in the logs, streams, lines of log files. The certificate tells what was deleted,
    and where the legal archive is kept.
    """
    from cli.company.bundle import BundleExists, opened
    from cli.company.offboarding import delete as remove
    from cli.company.offboarding import readable

    def hand_over(made: dict[str, Any]) -> None:
        files[0].write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        files[1].write_text(readable(made), encoding="utf-8")

    files = certificate_files(certificate)
    with told(), opened(file) as bundle:
        for one in files[:2]:
            if one.exists():
                raise BundleExists(one)
        if not yes:
            typer.confirm(f"Delete {bundle.company} for good?", abort=True)
        with (
            servers.reached() as (dsn, nats_url),
            files[2].open("a", encoding="utf-8") as lost,
        ):
            done = remove(dsn, nats_url, bundle, by=by, lost=lost, hand_over=hand_over, data_dir=servers.data_dir)
    if not files[2].stat().st_size:
        files[2].unlink()
    else:
        say(f"{files[2]} holds events that only the streams knew, of any company")
    typer.echo(json.dumps(done, ensure_ascii=False) if as_json else readable(done))
    say("Start the services: their relays fill the streams again.")
