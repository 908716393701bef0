"""The commands ``simulate`` and ``backtest``: what would be sent, what would have been sent."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_work import AsOf, CompanyName

DraftFile = Annotated[
    Path | None,
    typer.Option(
        "--scenario",
        help="What to try: a scenario, a list of them or a draft with policy, scenarios, follows (JSON or YAML)."
        " Without it the current rules are lived.",
        show_default=False,
    ),
]


@app.command()
def simulate(
    company: CompanyName,
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days ahead, today included.")] = 90,
    scenario: DraftFile = None,
    assume: Annotated[str, typer.Option(help="nobody_pays, or habits: each client as late as in the past.")] = (
        "nobody_pays"
    ),
    as_of: AsOf = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Tell what would be sent over the days ahead. Nothing is sent, said or changed."""
    from cli.simulating import read_draft

    draft = {} if scenario is None else read_draft(scenario)
    _run({**draft, "days": days, "assume": assume}, company, as_of, data, as_json)


@app.command()
def backtest(
    story: Annotated[
        Path | None, typer.Argument(help="A story (YAML); without it a company's past.", show_default=False)
    ] = None,
    company: Annotated[str | None, typer.Option(help="The company's slug.", show_default=False)] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.", show_default=False)
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.", show_default=False)
    ] = None,
    scenario: DraftFile = None,
    as_of: AsOf = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Live the past again with decisions made anew: of a company, or of a story."""
    from cli.simulating import read_draft

    draft = None if scenario is None else read_draft(scenario)
    if story is not None:
        _story(story, draft, as_json)
    elif company is None or first is None or last is None:
        raise typer.BadParameter("give a story, or --company, --from and --to")
    else:
        period = {"from": f"{first:%Y-%m-%d}", "to": f"{last:%Y-%m-%d}"}
        _run({**(draft or {}), **period}, company, as_of, data, as_json)


def _run(wanted: dict[str, Any], company: str, as_of: datetime | None, data: Path | None, as_json: bool) -> None:
    from rich.console import Console

    from cli.main_job import road_of
    from cli.simulating import run, show

    road = road_of(data_dir_of(data), company, as_of.date() if as_of else None)
    done = run(road, wanted)
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
    else:
        show(done, Console())


def _story(file: Path, draft: dict[str, Any] | None, as_json: bool) -> None:
    from rich.console import Console

    from cli.simulating import show_story
    from cli.story.backtest import answer
    from cli.story.reading import StoryRefused

    try:
        told = answer(file, draft)
    except StoryRefused as refused:
        for complaint in refused.complaints:
            say(complaint)
        raise typer.Exit(1) from refused
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        show_story(told, Console())
