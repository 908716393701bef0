"""Sealed records: a chain that shows what was changed, and that outlives the person (rules 19.9, 22.25)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from uuid import UUID

import pytest

from services.notify.archive.chain import BEGINNING, Broken, Fact, Record, Walk, digest, seal_all

AT = datetime(2026, 6, 12, 8, 0, tzinfo=UTC)
PERSON = {"recipients": ["jeanne@exemple.fr"]}
MAIL = Fact("email_sent", "C1", AT, date(2026, 6, 12), "user:alice", UUID(int=1), person=PERSON)
FACTS = (MAIL, replace(MAIL, kind="letter_posted", person=None), replace(MAIL, client_id="C2"))


def given(*facts: Fact) -> list[Record]:
    return seal_all("delcourt", (0, BEGINNING), facts, [bytes([n]) * 16 for n in range(len(facts))])


def walked(records: Sequence[Record], **erasures: int) -> Broken | None:
    """The first broken record."""
    walk = Walk("delcourt", erasures)
    return next((broken for record in records if (broken := walk.check(record))), None)


def test_a_record_is_the_digest_of_its_body_which_names_the_one_before():
    """Rule 19.9: whoever has the records checks them with any program."""
    first, second, _ = given(*FACTS)
    assert first.hash == sha256(first.body.encode()).hexdigest()
    assert f'"previous":"{BEGINNING}"' in first.body
    assert f'"previous":"{first.hash}"' in second.body
    assert walked(given(*FACTS)) is None


def test_an_address_is_outside_the_record_and_not_to_be_guessed_from_it():
    one, two = given(MAIL, MAIL)
    assert "jeanne" not in one.body
    assert one.person is not None
    assert two.person is not None
    assert f'"person":"{digest(one.person)}"' in one.body
    assert digest(one.person) != digest(two.person), "salted: the same address twice has two digests"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"body": given(*FACTS)[1].body.replace("alice", "bob")}, "changed"),
        ({"client_id": "C9"}, "relabelled"),
        ({"kind": "letter_prepared"}, "relabelled"),
        ({"person": '{"recipients":["other@exemple.fr"]}'}, "person-changed"),
        ({"n": 3}, "missing"),
    ],
)
def test_a_changed_record_is_named(changed, why):
    records = given(*FACTS)
    records[1] = replace(records[1], **changed)
    broken = walked(records)
    assert broken is not None
    assert (broken.n, broken.why) == (2, why)


def test_a_record_that_was_sealed_again_breaks_the_one_after_it():
    records = given(*FACTS)
    body = records[1].body.replace("alice", "bob")
    records[1] = replace(records[1], body=body, hash=digest(body))
    broken = walked(records)
    assert broken is not None
    assert (broken.n, broken.why) == (3, "unchained")


def test_a_record_that_was_taken_out_is_missed():
    first, _, third = given(*FACTS)
    assert walked([first, third]) == Broken(2, "missing", "email_sent", "C2", UUID(int=1))


def test_an_erased_person_is_missing_before_its_erasure_and_not_after():
    """Rule 22.25: the eve, the erasure, the day after."""
    erasure = replace(MAIL, kind="person_erased", action_id=None, person=None)
    before, erased, after = given(MAIL, erasure, MAIL)
    gone = replace(before, person=None)
    assert walked([gone, erased, after], C1=2) is None
    broken = walked([gone, erased, replace(after, person=None)], C1=2)
    assert broken is not None
    assert (broken.n, broken.why) == (3, "person-missing")
    assert walked([gone, erased, after]) is not None, "nobody of that client was erased"
