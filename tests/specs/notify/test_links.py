"""The private links to debtors' pages (rule 13.8)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify import links

DAY = date(2026, 3, 10)
SECRET = "s3cret"
LINK = links.new("acme", "411DUPONT É/1", DAY, 60)
TOKEN = links.written(SECRET, LINK)
LAST = DAY + timedelta(days=60)


def test_a_link_is_read_as_it_was_written() -> None:
    """Rule 13.8."""
    assert links.read(SECRET, TOKEN) == LINK
    assert links.url("https://espace.example/", SECRET, LINK) == f"https://espace.example/d/{TOKEN}"


@pytest.mark.parametrize(
    ("day", "over"), [(LAST - timedelta(days=1), False), (LAST, False), (LAST + timedelta(days=1), True)]
)
def test_the_last_day_is_a_good_one(day: date, over: bool) -> None:
    """Rule 13.8."""
    assert LINK.is_over(day) is over


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("abcXYZ019-_="))
def test_one_letter_changed_opens_nothing(place: int, letter: str) -> None:
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    if changed != TOKEN:
        with pytest.raises(links.LinkForged):
            links.read(SECRET, changed)


@given(st.text(max_size=120))
def test_whatever_else_is_shown_opens_nothing(shown: str) -> None:
    with pytest.raises(links.LinkForged):
        links.read(SECRET, shown)


def test_another_client_behind_the_same_signature_opens_nothing() -> None:
    """Rule 13.8: foreign links."""
    raw = urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))
    foreign = urlsafe_b64encode(raw.replace(b"411DUPONT", b"411MARTIN")).rstrip(b"=").decode()
    with pytest.raises(links.LinkForged):
        links.read(SECRET, foreign)


@pytest.mark.parametrize("secret", ["other", ""])
def test_another_secret_opens_nothing(secret: str) -> None:
    """Neither does no secret, even of links that were signed with none."""
    with pytest.raises(links.LinkForged):
        links.read(secret, TOKEN)
    with pytest.raises(links.LinkForged):
        links.read(secret, links.written(secret, LINK) if not secret else TOKEN)


def test_company_and_client_are_told_apart() -> None:
    one, other = links.Link("ab", "c", DAY), links.Link("a", "bc", DAY)
    assert links.written(SECRET, one) != links.written(SECRET, other)
    assert links.read(SECRET, links.written(SECRET, other)) == other
