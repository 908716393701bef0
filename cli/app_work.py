"""Commands that do the product's work: ``demo``, ``import``, ``round``, ``run``, ``bench``, ``faults``."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say

AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="The business date; by default today.", show_default=False),
]
Day = Annotated[
    datetime, typer.Option("--as-of", formats=["%Y-%m-%d"], help="The business date.", show_default=False)
]
CompanyName = Annotated[str, typer.Option("--company", help="The company's slug.", show_default=False)]
EmailDomain = Annotated[
    str | None,
    typer.Option(
        "--email-domain", help="Invent an address per client at this domain: for trials, a FEC has none."
    ),
]


@app.command()
def demo(
    data: DataDir = None,
    as_of: AsOf = None,
    port: Annotated[int, typer.Option(help="The port of the pages; another one is taken when in use.")] = 8000,
    check: Annotated[
        bool, typer.Option("--check", help="Do the main job once without a person, print its figures and end.")
    ] = False,
) -> None:
    """Start a demonstration company with about 300 clients, today's tasks and a mail server that sends nothing on.

    It prints the address, a login and where to read the mails. Ctrl-C stops everything; the next start is quick.
    """
    from cli import demo as demonstration
    from cli.stack import stop_on_signals

    stop_on_signals()
    day = as_of.date() if as_of else None
    if check:
        typer.echo(json.dumps(demonstration.check(data.resolve() if data else None, day, say)))
        return
    demonstration.demonstrate(data_dir_of(data), day, port, say)


@app.command(name="import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="A FEC, in any of the forms met in real life; with --mapping, any CSV or XLSX.",
            show_default=False,
        ),
    ],
    company: CompanyName,
    as_of: AsOf = None,
    email_domain: EmailDomain = None,
    mapping: Annotated[
        str | None,
        typer.Option(help="A saved mapping that says what the columns hold; see the command mapping."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be found and changed, and change nothing.")
    ] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Import an accounting file into the stack that runs in the data directory.

    Only what changed since the last import is said. A file with errors changes nothing, and the exit code is 1.
    """
    from cli.main_job import ImportRefused, import_file, road_of, show_refusal, show_result

    road = road_of(data_dir_of(data), company, as_of.date() if as_of else None)
    try:
        show_result(import_file(road, file, email_domain, mapping, dry_run=dry_run), as_json=as_json)
    except ImportRefused as refused:
        show_refusal(refused, as_json=as_json)
        raise typer.Exit(1) from refused


@app.command(name="round")
def round_(company: CompanyName, as_of: Day, data: DataDir = None, as_json: AsJson = False) -> None:
    """Decide a company's reminders of one day; running it again continues or does nothing."""
    from cli.main_job import road_of, show_result

    day = as_of.date()
    show_result(road_of(data_dir_of(data), company, day).round(day, {}), as_json=as_json)


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="A FEC, in any of the forms met in real life.", show_default=False)],
    company: CompanyName,
    as_of: Day,
    email_domain: EmailDomain = None,
    name: Annotated[str | None, typer.Option(help="The company's name; by default its slug.")] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Do the whole main job once on its own servers: import, round, confirm every ticked e-mail, send to the sink.

    Nothing leaves this machine. The report counts what was read, decided and received.
    """
    from cli.main_job import ImportRefused, run_file, show_refusal, show_result
    from cli.stack import stop_on_signals

    stop_on_signals()
    try:
        result = run_file(file, company, as_of.date(), data_dir_of(data), email_domain, name)
    except ImportRefused as refused:
        show_refusal(refused, as_json=as_json)
        raise typer.Exit(1) from refused
    show_result(result, as_json=as_json)


@app.command()
def trace(
    file: Annotated[Path, typer.Argument(help="A FEC, in any of the forms met in real life.", show_default=False)],
    company: CompanyName,
    as_of: Day,
    email_domain: EmailDomain = None,
    to: Annotated[Path, typer.Option("--to", help="The page with the picture.", dir_okay=False)] = Path(
        "trace.html"
    ),
    as_json: AsJson = False,
) -> None:
    """Do the whole main job once on its own servers, and draw it as one trace, from the file to the last mail.

    Every service exports its spans, as to any collector of OpenTelemetry.
    """
    from cli.main_job import ImportRefused, show_refusal
    from cli.stack import stop_on_signals
    from cli.tracing.story import traced_run
    from cli.tracing.waterfall import bars_of, page

    stop_on_signals()
    try:
        story = traced_run(file, company, as_of.date(), email_domain)
    except ImportRefused as refused:
        show_refusal(refused, as_json=as_json)
        raise typer.Exit(1) from refused
    to.write_text(page(f"{file.name}, from the file to the mail", story.spans), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps([vars(bar) for bar in bars_of(story.spans)]))
    else:
        typer.echo(f"{len(story.spans)} spans, {story.done['mails_received']} mails: {to}")


@app.command()
def pictures(
    what: Annotated[
        Literal["pages", "messages"],
        typer.Argument(help="pages: of the console, from a demonstration; messages: letters and mails."),
    ] = "pages",
    folder: Annotated[
        Path | None,
        typer.Option("--to", help="The folder; for pages by default docs/pictures.", show_default=False),
    ] = None,
) -> None:
    """Take the pictures of docs/pictures, or of letters and mails, with the machine's Chromium.

    Of messages it also tells what runs over the edge of a window or a cell; the exit code is 1 when anything does.
    """
    from cli.message_pictures import of_messages
    from cli.pictures import PICTURES, BrowserMissing, of_demonstration

    if what == "messages" and folder is None:
        raise typer.BadParameter("pictures of messages need a folder", param_hint="--to")
    try:
        if what == "messages" and folder is not None:
            seen = of_messages(folder.resolve())
            for sight in seen:
                typer.echo(sight.picture)
            for sight in (one for one in seen if one.ugly):
                for name in ("over", "cut", "small", "scrolls"):
                    if told := getattr(sight, name):
                        say(f"{sight.name} at {sight.width}: {name} {told}")
            if any(sight.ugly for sight in seen):
                raise typer.Exit(1)
            return
        for file in of_demonstration((folder or PICTURES).resolve(), say):
            typer.echo(file)
    except BrowserMissing as missing:
        say(f"{missing}.")
        raise typer.Exit(1) from missing


@app.command()
def faults(
    what: Annotated[
        Literal["work", "mail"],
        typer.Argument(help="work: every process is killed; mail: notify is, and the mail server misbehaves."),
    ] = "work",
    kills: Annotated[
        int | None, typer.Option(min=1, help="How many processes are killed; 30, for mail 20.", show_default=False)
    ] = None,
    entries: Annotated[int, typer.Option(min=100, help="For work: customer entries of the first day.")] = 2000,
    mails: Annotated[int, typer.Option(min=50, help="For mail: how many messages.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Draws the instants, the victims and the mail server's moods.")] = 1,
    containers: Annotated[
        bool,
        typer.Option("--containers", help="Those of docker-compose.yml, dunning and notify three times each."),
    ] = False,
    tls: Annotated[
        bool,
        typer.Option("--tls", help="With --containers: PostgreSQL and NATS are reached by TLS alone."),
    ] = False,
) -> None:
    """Kill processes inside the work, and prove that nothing was lost, doubled or decided otherwise.

    It prints one JSON object; the exit code is 1 when anything differs, came twice or is missing unnamed.
    """
    from cli.faults.campaign import campaign
    from cli.faults.mail import mail_campaign
    from cli.stack import stop_on_signals

    stop_on_signals()
    if what == "mail":
        found = mail_campaign(kills or 20, mails, seed, say)
    else:
        found = campaign(kills or 30, entries, seed, say, containers=containers, tls=tls)
    typer.echo(json.dumps(found))
    raise typer.Exit(0 if found["ok"] else 1)


@app.command()
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="pipeline, decide, simulate, backtest, sage, replay, append, files, letters, send, scale.",
            show_default=False,
        ),
    ] = None,
    n: Annotated[int, typer.Option(min=1000, help="How many entries.")] = 200_000,
    companies: Annotated[
        int, typer.Option(min=1, help="How many companies share them, for pipeline, replay and scale.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Measure: ours, the limit of this machine and their ratio, in the same run.

    With --json every benchmark prints one JSON line.
    """
    from bench.harness import Result, show
    from bench.running import BENCHMARKS
    from cli.stack import stop_on_signals

    stop_on_signals()
    unknown = sorted(set(names or ()) - set(BENCHMARKS))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: the benchmarks are {', '.join(BENCHMARKS)}")
    for name in names or list(BENCHMARKS):
        result: Result = BENCHMARKS[name](n, companies)
        typer.echo(result.to_json() if as_json else show(result))
