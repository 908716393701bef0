"""Disasters and the way back, as the runbooks say; ``./relance drill`` is the long form."""

from cli.drills.rehearsal import rehearse


def test_streams_and_postgresql_are_brought_back_as_the_runbooks_say() -> None:
    told: list[str] = []
    found = rehearse(entries=400, report=told.append)
    drills = found["drills"]
    assert {name: drill["differences"] for name, drill in drills.items()} == {
        "store-deleted": [],
        "store-rolled-back": [],
        "stream-ahead": [],
        "point-in-time": [],
    }, told
    assert drills["stream-ahead"]["refused"] == ["dunning", "ledger", "notify", "sync"]
    restored = drills["point-in-time"]
    assert restored["events_only_streams_knew"] > 0
    # mails that left after the instant left for good: each that leaves again is named
    assert restored["messages_named_as_sent"] >= restored["messages_sent_again"] > 0
    assert found["ok"]
