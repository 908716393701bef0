"""What comes back is read for what it proves (rules 4.2, 22.16, 22.31)."""

import csv
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.notify.reports.judging import Kind, Reason, judge
from services.notify.reports.reading import Report, Unreadable, digest, read
from tests.specs.notify.given_reports import (
    ABSENCE,
    ANSWER,
    COMPLAINT,
    DELAY,
    EXIM,
    FULL,
    HARD,
    MESSAGE_ID,
    REPORTS,
    SUCCESS,
    WITH_RETURN_PATH,
)

REVIEWED = Path(__file__).parents[2] / "data" / "bounces" / "reviewed.csv"
SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "bounces"
beside = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared data is not beside the project")
MUTATIONS = 200


def by_file(listed: Path) -> Mapping[str, list[dict[str, str]]]:
    found: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    with listed.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            found[row["file"]].append(row)
    return found


@beside
def test_every_sample_with_an_expected_result_is_classified_so() -> None:
    """Rule 22.31: hard and not hard as expected, by recipient, and the server's code where one is told."""
    seen = 0
    for name, rows in by_file(SAMPLES / "expected.csv").items():
        if not rows[0]["sisimai_hardbounce"]:
            continue
        findings = read((SAMPLES / name).read_bytes()).findings
        assert len(findings) == len(rows), name
        for found, row in zip(findings, rows, strict=True):
            seen += 1
            assert (found.kind is Kind.HARD) == (row["sisimai_hardbounce"] == "hard"), (name, found)
            # x.9.x is no code of a server: whoever made the list filled it in
            if row["dsn_status"] and ".9." not in row["dsn_status"]:
                assert found.status == row["dsn_status"], name
            if row["smtp_reply"]:
                assert found.reply == row["smtp_reply"], name
    assert seen >= 25


@beside
def test_every_sample_is_read_as_it_was_reviewed_by_hand() -> None:
    """Rule 22.31."""
    reviewed = by_file(REVIEWED)
    assert {file.name for file in SAMPLES.glob("*.eml")} == set(reviewed)
    for name, rows in reviewed.items():
        found = [
            (one.kind, one.reason, one.address or "", one.status or "")
            for one in read((SAMPLES / name).read_bytes()).findings
        ]
        assert found == [(row["kind"], row["reason"], row["address"], row["status"]) for row in rows], name


@pytest.mark.parametrize(
    ("raw", "kind", "reason"),
    [
        (HARD, Kind.HARD, Reason.ADDRESS_UNKNOWN),
        (FULL, Kind.SOFT, Reason.MAILBOX_FULL),
        (DELAY, Kind.DELAYED, Reason.NETWORK),
        (SUCCESS, Kind.DELIVERED, Reason.OTHER),
        (EXIM, Kind.HARD, Reason.ADDRESS_UNKNOWN),
        (COMPLAINT, Kind.COMPLAINT, Reason.ABUSE),
        (ABSENCE, Kind.AUTO_REPLY, Reason.ABSENCE),
        (ANSWER, Kind.REPLY, Reason.OTHER),
    ],
)
def test_every_kind_is_told_and_bound_to_its_message(raw: bytes, kind: Kind, reason: Reason) -> None:
    """Rule 22.31."""
    found = read(raw)
    assert (found.kind, found.findings[0].reason) == (kind, reason)
    assert found.message_ids[0] == MESSAGE_ID


def test_the_return_path_names_the_message_where_nothing_else_does() -> None:
    found = read(WITH_RETURN_PATH)
    assert (found.message_ids, found.returned_to) == ((), (UUID(MESSAGE_ID[1:37]),))


def test_a_mail_that_answers_nothing_is_neither_a_report_nor_a_reply() -> None:
    found = read(b"From: a@b.example\nTo: c@d.example\nSubject: Newsletter\nMessage-ID: <1@b.example>\n\nBuy\n")
    assert (found.kind, found.message_ids) == (Kind.UNKNOWN, ())


def test_the_same_mail_has_one_name_through_whatever_mailbox_it_came() -> None:
    """Servers on the way only add headers, and change how lines end."""
    again = b"Delivered-To: other@box.example\r\nReceived: by mx\r\n" + HARD.replace(b"\n", b"\r\n")
    assert digest(HARD) == digest(again) != digest(FULL)


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        ("5.1.1", "550 5.1.1 User unknown", Kind.HARD),
        ("5.1.1", "", Kind.HARD),
        ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", Kind.HARD),
        ("5.0.0", "550 No such user here", Kind.HARD),
        ("5.4.4", "Host or domain name not found", Kind.HARD),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", Kind.HARD),
        ("5.1.1", "550 5.1.1 Adresse d au moins un destinataire invalide. OFR_416 [416]", Kind.HARD),
        ("5.1.0", "550 5.1.0 Address rejected", Kind.SOFT),
        ("5.1.8", "550 5.1.8 Bad sender, user unknown", Kind.SOFT),
        ("5.2.1", "550 5.2.1 The account is disabled", Kind.SOFT),
        ("5.2.2", "552 5.2.2 Over quota", Kind.SOFT),
        ("5.1.1", "550 5.1.1 La boîte du destinataire est pleine", Kind.SOFT),
        ("5.7.1", "550 5.7.1 Message rejected as spam", Kind.SOFT),
        ("5.0.0", "", Kind.SOFT),
        ("", "", Kind.SOFT),
        ("4.4.7", "delivery time expired", Kind.SOFT),
        ("4.2.2", "mailbox full", Kind.SOFT),
        ("4.1.1", "450 4.1.1 Recipient address rejected: User unknown", Kind.HARD),
        ("4.1.1", "450 4.1.1 Recipient address rejected: unverified address", Kind.SOFT),
        ("4.1.1", "", Kind.SOFT),
        ("4.1.1", "450 4.1.1 try again later", Kind.SOFT),
        ("4.1.2", "450 4.1.2 Domain not found", Kind.SOFT),
        ("4.7.1", "450 4.7.1 Greylisted, user unknown", Kind.SOFT),
    ],
)
def test_only_what_proves_that_an_address_is_dead_is_hard(status: str, said: str, kind: Kind) -> None:
    """Rule 22.31."""
    assert judge(address="a@b.example", status=status, said=said).kind is kind


def test_a_torn_report_is_no_proof() -> None:
    """Rule 22.31."""
    assert judge(address="a@b.example", status="5.1.1", said="User unknown", whole=False).kind is Kind.SOFT


# Mutations, from a seed so that a failure is the same tomorrow.


def _cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw))]


def _bytes_changed(raw: bytes, chance: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.randrange(1, 60)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _lines_lost(raw: bytes, chance: random.Random) -> bytes:
    return b"\n".join(line for line in raw.split(b"\n") if chance.random() > 0.15)


def _lines_shuffled(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def _nested(raw: bytes, chance: random.Random) -> bytes:
    for depth in range(chance.randrange(2, 150)):
        raw = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n%s\n--b%d--\n" % (depth, depth, raw, depth)
    return raw


def _charset_lies(raw: bytes, chance: random.Random) -> bytes:
    lie = chance.choice([b"x-nothing", b"utf-16", b'"', b"=?x?b?!!?=", b"us-ascii'en'\xff", b"idna", b"\xe9"])
    return b"Subject: =?" + lie + b"?q?=ff=?=\nContent-Type: text/plain; charset=" + lie + b"\n" + raw


def _spliced(raw: bytes, chance: random.Random) -> bytes:
    other = chance.choice(REPORTS)
    return raw[: chance.randrange(len(raw))] + other[chance.randrange(len(other)) :]


def _encoding_lies(raw: bytes, chance: random.Random) -> bytes:
    lie = chance.choice([b"base64", b"x-uuencode", b"quoted-printable", b"8bit\x00"])
    return raw.replace(b"\n\n", b"\nContent-Transfer-Encoding: " + lie + b"\n\n")


MUTATE: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _cut,
    _bytes_changed,
    _lines_lost,
    _lines_shuffled,
    _nested,
    _charset_lies,
    _spliced,
    _encoding_lies,
)


@pytest.mark.parametrize("seed", range(MUTATIONS))
def test_a_mutated_report_never_crashes_the_reader(seed: int) -> None:
    """It is read, or said to be unreadable when nothing of a mail is left of it."""
    chance = random.Random(seed)
    samples = [*REPORTS, *(file.read_bytes() for file in sorted(SAMPLES.glob("*.eml")))]
    raw = MUTATE[seed % len(MUTATE)](chance.choice(samples), chance)
    assert _read_or_refused(raw)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=2000),
        st.sampled_from(REPORTS).flatmap(
            lambda raw: st.integers(0, len(raw)).flatmap(
                lambda place: st.binary(max_size=40).map(lambda junk: raw[:place] + junk + raw[place:])
            )
        ),
    )
)
@example(b"From:=?\x00?q??=")
@example(b"Subject: =?utf-8?b?a?=")
def test_whatever_stands_in_a_mail_it_is_read_or_refused(raw: bytes) -> None:
    assert _read_or_refused(raw)


def _read_or_refused(raw: bytes) -> bool:
    """Refused is only what holds no header, or is nested deeper than anybody writes."""
    try:
        return _sound(read(raw))
    except Unreadable as refused:
        return isinstance(refused.__cause__, RecursionError) or refused.__cause__ is None


def _sound(report: Report) -> bool:
    addresses = [one.address for one in report.findings]
    return len(addresses) == len(set(addresses)) > 0 and len(report.digest) == 64


@pytest.mark.parametrize("charset", ["unicode_escape", "raw-unicode-escape", "utf-7", "utf-8"])
def test_whatever_charset_a_mail_names_its_words_can_be_kept(charset: str) -> None:
    """Half a character cannot be written to PostgreSQL: one mail would end the reading of all mailboxes."""
    raw = (
        f"From: =?{charset}?q?=5Cud800?= <jean@dupont.example>\r\nMessage-ID: <1@dupont.example>\r\n"
        f"In-Reply-To: =?{charset}?q?=3Cx=5Cud800+2AA-@b.example=3E?=\r\n"
        f"Content-Type: text/plain; charset={charset}\r\n\r\nOui \\ud800 +2AA- \\x00 d'accord\r\n"
    ).encode()
    report = read(raw)
    assert report.kind is Kind.REPLY
    for told in (report.text, report.sender, report.subject, report.date, *report.message_ids):
        assert "\x00" not in told
        assert told.encode().decode() == told


@pytest.mark.parametrize(
    "raw",
    [
        b"From: mailer-daemon@b.example\r\nReturn-Path: " + b"a" * 2_000_000 + b"\r\n\r\nx\r\n",
        b"From: mailer-daemon@b.example\r\nSubject: undelivered\r\nX-Failed-Recipients: a@b.example\r\n\r\n"
        + b"a@" * 100_000
        + b",\r\n",
        b"From: a@b.example\r\nIn-Reply-To: <1@b.example>\r\nContent-Type: text/plain; charset=punycode\r\n\r\n-"
        + b"zzzz" * 500_000,
    ],
    ids=["a header that is one word", "a line of addresses in one another", "a charset that takes hours"],
)
def test_a_mail_made_to_take_hours_is_read(raw: bytes) -> None:
    assert _read_or_refused(raw)
