"""Commands of Docker, and how they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence


class DockerTrouble(Exception):
    """What stands in the way of containers, in one sentence."""


class DockerMissing(DockerTrouble):
    """There is no Docker on this machine."""

    def __init__(self) -> None:
        super().__init__("no docker command was found: Docker with Compose 2 is needed, and its engine must run")


class DockerFailed(DockerTrouble):
    """A command of Docker did not succeed."""

    def __init__(self, command: Sequence[str], said: str) -> None:
        super().__init__(f"docker {command[0]} … {command[-1]} failed: {said.strip()[-1000:]}")


class ContainersUnwell(DockerTrouble):
    """Containers did not become healthy in time."""

    def __init__(self, project: str, seconds: float, states: Mapping[str, str]) -> None:
        told = ", ".join(f"{name} is {state}" for name, state in sorted(states.items()))
        super().__init__(f"not healthy within {seconds:.0f} s: {told}; see docker compose -p {project} logs")


def docker(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run ``docker`` with these arguments; what it printed. Raises ``DockerMissing`` and ``DockerFailed``."""
    program = shutil.which("docker")
    if program is None:
        raise DockerMissing
    done = subprocess.run(
        [program, *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DockerFailed(arguments, done.stderr)
    return done.stdout
