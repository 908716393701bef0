"""Commands of kubectl, and how they fail."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]


class ClusterTrouble(Exception):
    """What stands in the way of a cluster, in one sentence."""


class KubectlMissing(ClusterTrouble):
    """There is no kubectl on this machine."""

    def __init__(self) -> None:
        super().__init__(
            "no kubectl was found: kubectl 1.27 or newer is needed, and a context that reaches a cluster"
        )


class KubectlFailed(ClusterTrouble):
    """A command of kubectl did not succeed."""

    def __init__(self, command: Sequence[str], said: str) -> None:
        super().__init__(f"kubectl {' '.join(command[:4])} … failed: {said.strip()[-1000:]}")
        self.said = said


class Kubectl:
    """kubectl on one namespace of one context; the current context where none is named."""

    def __init__(self, namespace: str, context: str | None = None) -> None:
        found = shutil.which("kubectl")
        if found is None:
            raise KubectlMissing
        self._program = [found, *([f"--context={context}"] if context else [])]
        self.namespace = namespace

    def command(self, *arguments: str) -> list[str]:
        """The whole command line."""
        return [*self._program, f"--namespace={self.namespace}", *arguments]

    def run(self, *arguments: str, told: str | None = None) -> str:
        """What a command printed; ``told`` is its standard input. Raises ``KubectlFailed``."""
        done = subprocess.run(self.command(*arguments), input=told, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise KubectlFailed(arguments, done.stderr)
        return done.stdout

    def succeeds(self, *arguments: str, told: str | None = None) -> bool:
        """Whether a command does what it is asked."""
        try:
            self.run(*arguments, told=told)
        except KubectlFailed:
            return False
        return True

    def read(self, *arguments: str) -> Any:
        """What ``kubectl get`` finds, as JSON."""
        return json.loads(self.run("get", *arguments, "--output=json"))

    def items(self, kind: str, **labels: str) -> list[Manifest]:
        """Every object of a kind that carries these parts of ``app.kubernetes.io/…``."""
        chosen = ",".join(f"app.kubernetes.io/{name}={value}" for name, value in labels.items())
        found: list[Manifest] = self.read(kind, *([f"--selector={chosen}"] if chosen else []))["items"]
        return found


def rendered(overlay: Path) -> list[Manifest]:
    """What an overlay consists of. Raises ``KubectlMissing`` and ``KubectlFailed``."""
    found = shutil.which("kubectl")
    if found is None:
        raise KubectlMissing
    made = subprocess.run([found, "kustomize", str(overlay)], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise KubectlFailed(("kustomize", str(overlay)), made.stderr)
    return [one for one in yaml.safe_load_all(made.stdout) if one]
