"""A sealed secret opens for the company and the use it was sealed for, and for nothing else."""

import base64
from hashlib import sha256

import pytest
from cryptography.fernet import Fernet

from chassis.sealing import Seal, SealBroken, SealMissing

OF_ACME = {"company": "acme", "purpose": "mailbox"}


def test_it_opens_for_whom_it_was_sealed() -> None:
    seal = Seal("a key")
    sealed = seal.seal("s3cret é", **OF_ACME)
    assert b"s3cret" not in sealed
    assert seal.open(sealed, **OF_ACME) == "s3cret é"


@pytest.mark.parametrize("other", [{"company": "beta"}, {"purpose": "mail-server"}])
def test_put_into_another_row_or_column_it_stays_shut(other: dict[str, str]) -> None:
    """Whoever writes to the database cannot have another company's password used for a server of theirs."""
    seal = Seal("a key")
    with pytest.raises(SealBroken):
        seal.open(seal.seal("s3cret", **OF_ACME), **(OF_ACME | other))


def test_names_do_not_run_into_one_another() -> None:
    seal = Seal("a key")
    sealed = seal.seal("s3cret", company="a", purpose="b-c")
    with pytest.raises(SealBroken):
        seal.open(sealed, company="a-b", purpose="c")


def test_every_key_opens_and_the_first_seals() -> None:
    before = Seal("old").seal("s3cret", **OF_ACME)
    both = Seal("new, old")
    assert both.open(before, **OF_ACME) == "s3cret"
    assert not both.is_newest(before, **OF_ACME)
    after = both.seal("s3cret", **OF_ACME)
    assert both.is_newest(after, **OF_ACME)
    assert Seal("new").open(after, **OF_ACME) == "s3cret"


def test_seals_that_name_nobody_still_open() -> None:
    unbound = Fernet(base64.urlsafe_b64encode(sha256(b"old").digest())).encrypt(b"s3cret")
    seal = Seal("new, old")
    assert seal.open(unbound, **OF_ACME) == "s3cret"
    assert not seal.is_newest(unbound, **OF_ACME)


@pytest.mark.parametrize("torn", [b"", b"\x02", b"\x02short", b"\x02" + bytes(40), b"gAAAA"])
def test_what_is_torn_stays_shut(torn: bytes) -> None:
    with pytest.raises(SealBroken):
        Seal("a key").open(torn, **OF_ACME)


def test_without_a_key_nothing_is_sealed_or_opened() -> None:
    with pytest.raises(SealMissing):
        Seal(" , ").seal("s3cret", **OF_ACME)
    with pytest.raises(SealBroken):
        Seal("").open(Seal("a key").seal("s3cret", **OF_ACME), **OF_ACME)
