"""PostgreSQL, NATS and every service killed once inside the work; ``./relance faults`` is the long form."""

from cli.faults.campaign import campaign
from cli.faults.site import TARGETS


def test_a_company_whose_processes_are_killed_ends_as_one_whose_are_not() -> None:
    told: list[str] = []
    found = campaign(kills=len(TARGETS), entries=600, seed=5, report=told.append)
    assert found["kills"] == len(TARGETS), told
    assert found["targets"] == sorted(TARGETS)
    assert found["messages"] > 0
    assert found["twice"] == 0
    assert found["missing_unnamed"] == []
    assert found["differences"] == []
    assert found["ok"], found
