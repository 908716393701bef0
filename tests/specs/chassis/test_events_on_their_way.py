"""How events are numbered, grouped, spelled as messages, and cut when a client's part must wait."""

import json
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.msg import Msg

from chassis.delivered import Cause, Delivered, Position, Said, UnknownEvent, in_runs, vector
from chassis.envelope import Heard, headers, heard
from chassis.parking import key_of, slices, without
from contracts.event import Event
from contracts.subjects import partition_of

DAY = date(2026, 3, 2)


class Weighed(Event):
    speaker = "alpha"
    grams: int


def event(name: str, partition: int, number: int, **more: object) -> Delivered:
    made = Delivered.of(
        Weighed(grams=1), company="acme", client_id="C1", as_of=DAY, partition=partition, number=number
    )
    return Delivered(**{slot: getattr(made, slot) for slot in made.__slots__} | {"type": name} | more)


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 4)), max_size=40))
def test_runs_keep_the_order_of_every_partition_and_lose_nothing(said: list[tuple[str, int]]) -> None:
    events = [event(name, p, number) for number, (name, p) in enumerate(said, 1)]
    runs = in_runs(events)
    assert all(len({one.type for one in run}) == 1 for run in runs)
    flat = [one for run in runs for one in run]
    assert len(flat) == len(events)
    for p in range(5):
        assert [one for one in flat if one.partition == p] == [one for one in events if one.partition == p]


def test_runs_reach_across_partitions() -> None:
    said = [event(name, p, 1) for p in range(10) for name in "AB"]
    assert [len(run) for run in in_runs(said)] == [10, 10]


@given(
    st.text(min_size=1, max_size=20).filter(lambda text: text.strip("\r\n") == text),
    st.text(min_size=1, max_size=20),
)
def test_a_message_brings_back_the_event_it_was_made_of(client_id: str, actor: str) -> None:
    cause = Cause(actor, uuid4(), uuid4(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    said = Delivered.of(Weighed(grams=5), company="acme", client_id=client_id, as_of=DAY, number=7, cause=cause)
    made = headers(said)
    assert all(value.isascii() and value.isprintable() and " " not in value for value in made.values())
    message = Msg(
        _client=None,  # type: ignore[arg-type]
        subject="evt.alpha.acme.p07.Weighed",
        reply="$JS.ACK.EVT_ALPHA_G1.c.1.42.42.1700000000000000000.0",
        data=said.body,
        headers=made,
    )
    back = heard(message, {Weighed.type_name(): Weighed}, {"Weighed"})
    assert back.at == 42
    assert back.event is not None
    assert heard(message, {}, set()) == Heard(back.partition, 7, str(said.event_id), 42, None)
    assert back.event == said
    assert back.event.parse() == Weighed(grams=5)


def test_an_event_of_an_unknown_type_passes_but_cannot_be_parsed() -> None:
    with pytest.raises(UnknownEvent, match=r"relance\.alpha\.Later\.v1"):
        event("Later", 0, 1, model=None, parsed=None).parse()


def test_what_follows_from_an_event_names_it_as_its_cause() -> None:
    first = Delivered.of(Weighed(grams=1), company="acme", client_id="C1", as_of=DAY, cause=Cause.new("user:7"))
    assert first.cause() == Cause("user:7", first.correlation_id, first.event_id)
    assert first.cause("dunning").actor == "dunning"


def test_positions_are_spelled_and_read_back_and_make_a_vector() -> None:
    positions = [Position.parse(text) for text in ("ledger/7/42", " ledger/7/40", "sync/7/3")]
    assert str(positions[0]) == "ledger/7/42"
    assert vector(positions) == {"ledger": {7: 42}, "sync": {7: 3}}
    with pytest.raises(ValueError, match="not enough"):
        Position.parse("ledger/7")


def test_a_client_s_events_share_a_partition_and_bulk_events_name_theirs() -> None:
    weighed = Weighed(grams=1)
    assert Said(weighed, "C1").partition_in("acme") == partition_of("acme", "C1")
    assert Said(weighed).partition_in("acme") == partition_of("acme", None)
    assert Said(weighed, partition=9).partition_in("acme") == 9


def bulk(*clients: str) -> Delivered:
    body = {"run": 1, "lines": [{"client_id": client, "n": n} for n, client in enumerate(clients)]}
    return event("Loaded", 3, 1, client_id=None, body=json.dumps(body).encode(), parsed=None)


def lines(part: Delivered) -> list[str]:
    return [line["client_id"] for line in json.loads(part.body)["lines"]]


def test_a_bulk_event_is_cut_by_client() -> None:
    parts = slices(bulk("a", "b", "a"), {"Loaded": "lines"})
    assert [(part.client_id, lines(part)) for part in parts] == [("a", ["a", "a"]), ("b", ["b"])]
    assert json.loads(parts[0].body)["run"] == 1


def test_only_the_parked_clients_part_of_a_bulk_event_waits() -> None:
    names = {"Loaded": "lines"}
    now, later = without(bulk("a", "b", "a", "c"), {("acme", "a"), ("other", "b")}, names)
    assert now is not None
    assert lines(now) == ["b", "c"]
    assert [key_of(part) for part in later] == [("acme", "a")]
    assert without(bulk("a"), {("acme", "a")}, names)[0] is None
    untouched = bulk("b", "c")
    assert without(untouched, {("acme", "a")}, names) == (untouched, [])
