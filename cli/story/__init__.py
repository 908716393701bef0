"""``relance story``: a dated case, written so that people can read it, lived by the real rules."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.story import answering
from cli.story.reading import StoryRefused, read
from cli.story.state import Telling
from cli.story.telling import begin, tell


def told(file: Path) -> tuple[Telling, list[str]]:
    """The story once lived, and where its own expectations were missed. Raises ``StoryRefused``."""
    story, places = read(file)
    telling = begin(story, places)
    missed: list[str] = []
    for _, happening, path in tell(telling):
        if happening.expect is not None:
            missed.extend(
                places.complaint(path, sentence) for sentence in answering.misses(telling, happening.expect)
            )
    return telling, missed


def story(
    files: Annotated[list[Path], typer.Argument(help="Story files (YAML), told one by one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer with JSON.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the stories' own expectations; exit 1 on a miss.")
    ] = False,
) -> None:
    """Tell stories: decide each round of a dated case by the real rules, and say why each entry is reminded.

    The format is described in docs/guide/stories.md. A story that cannot be told exits 1 and names file, line and
    key.
    """
    console = Console()
    answers: list[dict[str, Any]] = []
    complaints: list[str] = []
    for file in files:
        try:
            telling, missed = told(file)
        except StoryRefused as refused:
            complaints.extend(refused.complaints)
            answers.append({"story": str(file), "errors": refused.complaints})
            continue
        answer: dict[str, Any] = {"story": str(file), "rounds": answering.rounds(telling)}
        if check:
            answer["missed"] = missed
            complaints.extend(missed)
        answers.append(answer)
        if not as_json:
            console.print(f"[bold]{file}[/bold]")
            answering.show(telling, console)
    if as_json:
        typer.echo(json.dumps(answers[0] if len(answers) == 1 else answers, ensure_ascii=False, indent=2))
    for complaint in complaints:
        typer.echo(complaint, err=True)
    if complaints:
        raise typer.Exit(1)
