"""Two trials on one machine may choose the same free port before either listens."""

from pathlib import Path

import pytest

from cli.stack import RunningStack
from cli.trial import Sink


def test_a_sink_whose_port_another_one_took_first_takes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mails of one are never counted as the other's."""
    stacks = [RunningStack(tmp_path / name, services=[]) for name in ("first", "second")]
    for stack in stacks:
        stack.data_dir.mkdir()
    first, second = (Sink(stack) for stack in stacks)
    first.start()
    try:
        taken = first.url.rpartition(":")[2]
        embedded = stacks[1].embedded
        embedded._ports["sink-http"] = int(taken)
        release, looks = embedded.release_taken_ports, []

        def free_at_the_first_look(names: list[str]) -> None:
            looks.append(names)
            if len(looks) > 1:
                release(names)

        monkeypatch.setattr(embedded, "release_taken_ports", free_at_the_first_look)
        second.start()
        assert len(looks) == 2
        assert second.url != first.url
        assert second.counts() == {"count": 0, "distinct": 0}
    finally:
        second.stop()
        first.stop()
