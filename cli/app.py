"""The commands of ``relance``. Each imports what it needs when it is called, so that ``--help`` is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.places import SERVICES, StackNotRunning, default_data_dir

app = typer.Typer(
    name="relance",
    help="Dunning for finance teams: who owes what, who must be reminded, how and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The data directory: databases, streams, logs, secrets. By default $RELANCE_DATA, else .relance in"
        " the project.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines instead of text.")]
ServiceName = Annotated[str, typer.Argument(help=f"One of: {', '.join(SERVICES)}.", show_default=False)]


def data_dir_of(chosen: Path | None) -> Path:
    """The data directory that an option names, or the default one."""
    return (chosen or default_data_dir()).resolve()


def known(service: str) -> str:
    """A service's name. Raises ``typer.BadParameter`` for any other word."""
    if service not in SERVICES:
        raise typer.BadParameter(f"{service} is no service; the services are {', '.join(SERVICES)}")
    return service


def say(sentence: str) -> None:
    """Tells a person what is going on, on standard error."""
    typer.echo(sentence, err=True)


@app.command()
def up(
    data: DataDir = None,
    allow_as_of: Annotated[
        bool,
        typer.Option("--allow-as-of", help="Let callers choose the business date: for trials, not for real use."),
    ] = False,
    port: Annotated[
        int, typer.Option(help="The port of the pages; another one is taken when it is in use.")
    ] = 8000,
    workers: Annotated[
        list[str] | None,
        typer.Option(help="SERVICE=NUMBER: how many worker processes a service has. May be given several times."),
    ] = None,
) -> None:
    """Start PostgreSQL, NATS and every service on this machine, and keep them running until Ctrl-C."""
    from cli.stack import RunningStack, stop_on_signals

    stop_on_signals()
    stack = RunningStack(
        data_dir_of(data),
        allow_as_of=allow_as_of,
        workers=_numbers(workers or []),
        console_port=port,
        report=say,
    )
    try:
        stack.start()
        say(f"ready: {stack.url('console')}   (Ctrl-C stops everything; logs in {stack.data_dir / 'logs'})")
        stack.watch()
    except KeyboardInterrupt:
        say("stopping")
    finally:
        stack.stop()


def _numbers(workers: list[str]) -> dict[str, int]:
    """``["dunning=2"]`` as ``{"dunning": 2}``."""
    from cli.places import SERVICES

    numbers: dict[str, int] = {}
    for one in workers:
        service, _, number = one.partition("=")
        if service not in SERVICES or not number.isdecimal() or int(number) < 1:
            raise typer.BadParameter(f"{one!r} is not SERVICE=NUMBER; the services are {', '.join(SERVICES)}")
        numbers[service] = int(number)
    return numbers


@app.command()
def serve(service: ServiceName, data: DataDir = None) -> None:
    """Run one service in the foreground until Ctrl-C.

    It is configured by RELANCE_* variables. Where these name no database, the service joins the servers that run
    in the data directory.
    """
    from cli.joining import run_service

    raise typer.Exit(run_service(known(service), ["run"], data_dir_of(data)))


@app.command()
def replay(
    service: ServiceName,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only compare with the live tables; the exit code is 1 when a row differs."),
    ] = False,
    data: DataDir = None,
) -> None:
    """Rebuild a service's tables from the first event of every stream, while it goes on working."""
    from cli.joining import run_service

    arguments = ["rebuild", *(["--check"] if check else [])]
    raise typer.Exit(run_service(known(service), arguments, data_dir_of(data)))


@app.command()
def parked(
    service: ServiceName,
    skipped: Annotated[
        bool, typer.Option("--skipped", help="The events that a person decided never to apply, and why.")
    ] = False,
    data: DataDir = None,
) -> None:
    """List the clients whose events a service has set aside, since one of them could not be applied."""
    from cli.joining import run_service

    arguments = ["parked", *(["--skipped"] if skipped else [])]
    raise typer.Exit(run_service(known(service), arguments, data_dir_of(data)))


@app.command()
def skip(
    service: ServiceName,
    speaker: Annotated[str, typer.Argument(help="Who said the event.", show_default=False)],
    company: Annotated[str, typer.Argument(help="The company's slug.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why it is never applied; it is kept.", show_default=False)],
    client: Annotated[
        str | None,
        typer.Argument(help="The client's code; left out for events that have no client.", show_default=False),
    ] = None,
    by: Annotated[
        str, typer.Option(envvar=["RELANCE_OPERATOR", "USER"], help="Who decides.", show_default=False)
    ] = "operator",
    data: DataDir = None,
) -> None:
    """Decide that the first event that waits for a client is never applied; ``unpark`` then applies the others.

    For an event that no mending makes right. It stays where it was said, and a rebuild leaves it out as well.
    """
    from cli.joining import run_service

    whose = [speaker, company, *([client] if client is not None else [])]
    arguments = ["skip", *whose, "--by", by, "--reason", reason]
    raise typer.Exit(run_service(known(service), arguments, data_dir_of(data)))


@app.command()
def unpark(
    service: ServiceName,
    speaker: Annotated[str, typer.Argument(help="Who said the events.", show_default=False)],
    company: Annotated[str, typer.Argument(help="The company's slug.", show_default=False)],
    client: Annotated[
        str | None,
        typer.Argument(help="The client's code; left out for events that have no client.", show_default=False),
    ] = None,
    data: DataDir = None,
) -> None:
    """Apply the events that were set aside for a client, in their order, once the cause is mended."""
    from cli.joining import run_service

    arguments = ["unpark", speaker, company, *([client] if client is not None else [])]
    raise typer.Exit(run_service(known(service), arguments, data_dir_of(data)))


@app.command()
def migrate(
    services: Annotated[
        list[str] | None, typer.Argument(help="The services to migrate; by default all.", show_default=False)
    ] = None,
    data: DataDir = None,
) -> None:
    """Bring the schemas of services to their newest version.

    With RELANCE_OWNER_DATABASE_URL set, one named service is migrated there; else those of the data directory.
    """
    from cli.joining import migrate_services

    for service in migrate_services([known(name) for name in services or SERVICES], data_dir_of(data)):
        say(f"{service} is at its newest version")


@app.command()
def provision(
    data: DataDir = None,
    nats_url: Annotated[
        str | None,
        typer.Option(
            envvar="RELANCE_NATS_URL",
            help="A NATS server and a user who may make streams; by default the one of the data directory.",
            show_default=False,
        ),
    ] = None,
    replicas: Annotated[int, typer.Option(help="How many servers keep each stream: 3 in production.")] = 1,
    max_bytes: Annotated[
        int | None, typer.Option(help="Size at which a stream refuses more: about 80 % of the volume.")
    ] = None,
    deny_purge: Annotated[
        bool, typer.Option("--deny-purge", help="Forbid for ever that streams are emptied: for production.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the streams that are missing, and bring the others to their configuration."""
    import json

    from cli.joining import provision_streams

    done = provision_streams(
        data_dir_of(data), nats_url, replicas=replicas, max_bytes=max_bytes, deny_purge=deny_purge
    )
    if as_json:
        typer.echo(json.dumps(done))
    else:
        for stream, result in done.items():
            typer.echo(f"{stream}: {result}")


@app.command()
def doctor(data: DataDir = None, as_json: AsJson = False) -> None:
    """Say what is wrong with the installation in the data directory, and how to mend it.

    The exit code is 1 when something keeps it from working.
    """
    from cli.doctor import examine, show

    findings = examine(data_dir_of(data))
    show(findings, as_json=as_json)
    raise typer.Exit(1 if any(finding.level == "wrong" for finding in findings) else 0)


@app.command()
def tail(
    data: DataDir = None,
    speakers: Annotated[
        list[str] | None, typer.Option("--from", help="Only what this service says; may be repeated.")
    ] = None,
    company: Annotated[str | None, typer.Option(help="Only events of this company.")] = None,
    past: Annotated[
        bool, typer.Option("--past", help="Begin with the first event instead of the next one.")
    ] = False,
    bodies: Annotated[bool, typer.Option("--bodies", help="Print what each event holds as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print events as they are said, one line each, until Ctrl-C."""
    from cli.tail import follow

    follow(data_dir_of(data), speakers or [], company, past=past, bodies=bodies, as_json=as_json)


@app.command()
def contracts(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; the exit code is 1 when a file is not current.")
    ] = False,
) -> None:
    """Write the JSON Schemas and the AsyncAPI document of what the services say to each other."""
    from cli.contract_files import ContractBroken, outdated, write

    if not check:
        try:
            write()
        except ContractBroken as broken:
            say(f"relance: {broken}")
            raise typer.Exit(1) from broken
    stale = outdated()
    for file in stale:
        say(f"{file} is not current: run ./relance contracts")
    raise typer.Exit(1 if stale else 0)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """Run the tests, several files at a time. Further arguments go to pytest; paths replace the whole list."""
    from cli.checks import run_tests

    raise typer.Exit(run_tests(context.args))


@app.command()
def story(
    files: Annotated[list[Path], typer.Argument(help="Story files (YAML), told one by one.")],
    as_json: AsJson = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the stories' own expectations; exit 1 on a miss.")
    ] = False,
    calendar: Annotated[
        bool, typer.Option("--calendar", help="Answer with a diary: what was heard, said and held back each day.")
    ] = False,
) -> None:
    """Tell stories: decide each round of a dated case by the real rules, and say why each entry is reminded.

    The format is described in docs/guide/stories.md. A story that cannot be told exits 1 and names file, line and
    key.
    """
    from cli.story import story as tell

    tell(files, as_json, check, calendar)


@app.command()
def mutants(
    patterns: Annotated[
        list[str] | None, typer.Argument(help="Only mutants like these: 'services.dunning.domain.triggers*'.")
    ] = None,
    at_once: Annotated[int, typer.Option("--at-once", min=1, help="Processes at a time.")] = 2,
    afresh: Annotated[bool, typer.Option("--afresh", help="Forget what earlier runs found.")] = False,
    again: Annotated[bool, typer.Option("--survivors", help="Run those again that survived earlier.")] = False,
    diffs: Annotated[bool, typer.Option("--diffs", help="Show every survivor as a change.")] = False,
    each: Annotated[bool, typer.Option("--specs", help="See each spec fail, alone, by some change.")] = False,
    page: Annotated[bool, typer.Option("--page", help="Write docs/mutants.md.")] = False,
    at_least: Annotated[float, typer.Option("--at-least", help="Exit 1 below this score.")] = 0.0,
) -> None:
    """Change the domains for the worse, line by line, and see whether the specs notice.

    Sentences for people are left out: the modules named in pyproject.toml hold words, and another word breaks no
    rule. What earlier runs found is kept for functions that have not changed; after new specs, use --survivors.
    With --specs each spec is run alone as well, until it has noticed a change: one that never does holds nothing.
    """
    from cli.mutants import forget_survivors, mutate, report, results, scores, see_specs, shown, written

    if again:
        forget_survivors()
    mutate(patterns or [], at_once, afresh)
    found = scores(results())
    seen = see_specs() if each else None
    typer.echo(written(report(found, seen)))
    if diffs:
        typer.echo(shown(found["all"].survived))
    if page:
        from cli.mutants_page import write

        write(found, seen)
    if found["all"].share < at_least:
        raise typer.Exit(1)


@app.command()
def lint() -> None:
    """Check style, formats, types and the boundaries between services."""
    from cli.checks import run_lint

    raise typer.Exit(run_lint())


def run() -> None:
    """Runs a command; trouble that can be named is told in one sentence, with exit code 1."""
    from chassis.confine import CannotConfine, NoUnprivilegedUser
    from chassis.embedded import DataDirectoryBusy
    from chassis.embedded_config import ServerNotInstalled
    from chassis.server_process import ServerFailed
    from cli.cluster.kubectl import ClusterTrouble
    from cli.docker import DockerTrouble
    from cli.mutants import MutantsFailed
    from cli.nursery import NurseryDied
    from cli.processes import ChildFailed
    from cli.road import RoadBlocked

    try:
        app(prog_name="relance")
    except (
        StackNotRunning,
        DataDirectoryBusy,
        ServerNotInstalled,
        ServerFailed,
        ChildFailed,
        ClusterTrouble,
        DockerTrouble,
        MutantsFailed,
        NurseryDied,
        CannotConfine,
        NoUnprivilegedUser,
        RoadBlocked,
    ) as trouble:
        say(f"relance: {trouble}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
