"""``relance story``: a dated case, written so that people can read it, lived by the real rules."""

import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from cli.story import answering
from cli.story.calendar import Calendar
from cli.story.reading import StoryRefused, read
from cli.story.state import Telling
from cli.story.telling import begin, tell


def told(file: Path) -> tuple[Telling, list[str]]:
    """The story once lived, and where its own expectations were missed. Raises ``StoryRefused``."""
    telling, missed, _ = told_with_calendar(file)
    return telling, missed


def told_with_calendar(file: Path) -> tuple[Telling, list[str], str]:
    """The same, and the diary of all its days. Raises ``StoryRefused``."""
    story, places = read(file)
    telling = begin(story, places)
    diary = Calendar(telling)
    missed: list[str] = []
    for on, happening, path in tell(telling):
        diary.happened(on, happening)
        if happening.expect is not None:
            missed.extend(
                places.complaint(path, sentence) for sentence in answering.misses(telling, happening.expect)
            )
    return telling, missed, diary.text()


def story(files: list[Path], as_json: bool = False, check: bool = False, calendar: bool = False) -> None:
    """Tell stories: decide each round of a dated case by the real rules, and say why each entry is reminded.

    The format is described in docs/guide/stories.md. A story that cannot be told exits 1 and names file, line and
    key.
    """
    console = Console()
    answers: list[dict[str, Any]] = []
    complaints: list[str] = []
    for file in files:
        try:
            telling, missed, diary = told_with_calendar(file)
        except StoryRefused as refused:
            complaints.extend(refused.complaints)
            answers.append({"story": str(file), "errors": refused.complaints})
            continue
        if check:
            complaints.extend(missed)
        if as_json:
            answer: dict[str, Any] = {"story": str(file), "rounds": answering.rounds(telling)}
            answers.append(answer | ({"missed": missed} if check else {}))
        elif calendar:
            typer.echo(diary, nl=False)
        else:
            console.print(f"[bold]{file}[/bold]")
            answering.show(telling, console)
    if as_json:
        typer.echo(json.dumps(answers[0] if len(answers) == 1 else answers, ensure_ascii=False, indent=2))
    for complaint in complaints:
        typer.echo(complaint, err=True)
    if complaints:
        raise typer.Exit(1)
