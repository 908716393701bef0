"""One trial for the tests of the main job: every service a process, a mail server of its own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.trial import Trial


@pytest.fixture(scope="package")
def trial(ready: Callable[[str], Path]) -> Iterator[Trial]:
    """A running trial; every test takes a company of its own."""
    folder = ready("trial")
    with Trial(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)
