"""Mails as bytes: what any mail program reads back is what was written (RFC 5322, 2045, 2047)."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.parser import BytesParser
from itertools import takewhile
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.notify import pixel, rendering
from services.notify.domain import Sender, message_id, tagged
from services.notify.messages import Mail, compose, read, usable_addresses
from services.notify.rendering import Rendered, render
from tests.specs.notify.given import SENDER, about, entry

AT = datetime(2026, 4, 8, 7, 30, tzinfo=UTC)
ACTION = UUID(int=7)


def written(subject: str = "Solde échu : 1 250,40 €", sender: object = SENDER, **more: str) -> Mail:
    rendered = Rendered(subject, more.get("text", "Été\n.\n.. fin"), more.get("html", "<p>Été</p>"), "fr")
    assert isinstance(sender, type(SENDER))
    recipients = ("a@diaz.example", "b@diaz.example")
    return compose(rendered, sender, recipients, message_id(ACTION, sender.email), AT)


def test_headers_are_those_of_a_sober_automatic_message() -> None:
    message = BytesParser(policy=policy.default).parsebytes(written().raw)
    assert {name: str(message[name]) for name in ("From", "To", "Subject", "Message-ID", "Auto-Submitted")} == {
        "From": "Nathalie Ferrand <comptabilite@delcourt.example>",
        "To": "a@diaz.example, b@diaz.example",
        "Subject": "Solde échu : 1 250,40 €",
        "Message-ID": f"<{ACTION}@delcourt.example>",
        "Auto-Submitted": "auto-generated",
    }
    assert message["Date"].datetime == AT
    assert message["Reply-To"] is None
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message.defects == []


def test_the_bytes_read_back_are_the_texts_written() -> None:
    shown = render("%total%", "Bonjour,\n\n%tableau_comptable2%\n\nà bientôt", about(entry("F1", "1250.4")), "fr")
    raw = compose(shown, SENDER, ["a@diaz.example"], "<x@delcourt.example>", AT).raw
    back = read(raw)
    assert back.subject == shown.subject
    assert back.text.replace("\r\n", "\n") == shown.text
    assert back.html.replace("\r\n", "\n").rstrip("\n") == shown.html.rstrip("\n")
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_tagged_addresses_name_the_message_where_answers_and_reports_come() -> None:
    """Rule 22.33: an answer that quotes nothing finds its message."""
    name = ACTION.hex
    mail = written(sender=replace(SENDER, tagged=True))
    message = BytesParser(policy=policy.default).parsebytes(mail.raw)
    assert mail.envelope_from == f"comptabilite+{name}@delcourt.example"
    assert str(message["From"]) == "Nathalie Ferrand <comptabilite@delcourt.example>"
    assert str(message["Reply-To"]) == f"Nathalie Ferrand <comptabilite+{name}@delcourt.example>"
    answers = replace(SENDER, tagged=True, reply_to="reponses@delcourt.example")
    assert f"<reponses+{name}@delcourt.example>".encode() in written(sender=answers).raw
    # too long with its name (RFC 5321): as it is
    long = replace(SENDER, tagged=True, email=f"{'a' * 32}@delcourt.example")
    assert written(sender=long).envelope_from == long.email


@pytest.mark.parametrize(("letters", "fits"), [(30, True), (31, True), (32, False)])
def test_an_address_is_tagged_while_its_local_part_is_no_longer_than_64(letters: int, fits: bool) -> None:
    """RFC 5321, 4.5.3.1.1: a sign between and the 32 letters of the message's name."""
    local = "a" * letters
    expected = f"{local}+{ACTION.hex}@delcourt.example" if fits else f"{local}@delcourt.example"
    assert tagged(f"{local}@delcourt.example", f"<{ACTION}@delcourt.example>") == expected


def test_a_person_writes_from_an_address_of_the_same_domain_where_the_company_allows_it() -> None:
    person = replace(SENDER, reply_to="marie@delcourt.example", person="marie@delcourt.example", tagged=True)

    def headers(sender: Sender) -> tuple[str, str | None, str]:
        mail = written(sender=sender)
        message = BytesParser(policy=policy.default).parsebytes(mail.raw)
        return str(message["From"]), message["Reply-To"], mail.envelope_from

    back = f"comptabilite+{ACTION.hex}@delcourt.example"
    company = "Nathalie Ferrand <comptabilite@delcourt.example>"
    own = "Nathalie Ferrand <marie@delcourt.example>"
    assert headers(person) == (company, own, back)
    allowed = replace(person, personal_from=True)
    assert headers(allowed) == (own, None, back)
    stranger = replace(allowed, reply_to="marie@poste.example", person="marie@poste.example")
    assert headers(stranger) == (company, "Nathalie Ferrand <marie@poste.example>", back)


def test_a_name_cannot_add_a_header() -> None:
    mallory = replace(SENDER, name="Eve\r\nBcc: all@x.example", reply_to="answers@delcourt.example")
    message = BytesParser(policy=policy.default).parsebytes(written("Objet\r\nBcc: x@y.example", mallory).raw)
    assert message["Bcc"] is None
    assert message["Subject"] == "Objet Bcc: x@y.example"
    assert message["Reply-To"].addresses[0].addr_spec == "answers@delcourt.example"


def test_the_message_id_is_that_of_the_action_on_every_attempt() -> None:
    assert written("a").message_id == written("b").message_id == f"<{ACTION}@delcourt.example>"


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a b@c.example", "a@b@c.example", "Eve <e@x.example>", "é@x.example", "a@x\r\nBcc: b@c"],
)
def test_an_address_that_cannot_be_written_to_is_left_out(address: str) -> None:
    assert usable_addresses([address, " ok@x.example ", "ok@x.example"]) == ("ok@x.example",)


def test_a_pixel_link_is_good_for_its_message_alone() -> None:
    link = pixel.url("https://relance.example/", "secret", "acme", ACTION)
    token = link.removeprefix("https://relance.example/o/").removesuffix(".gif")
    assert pixel.read("secret", token) == ("acme", ACTION)
    for secret, forged in (("other", token), ("secret", f"A{token[1:]}"), ("secret", "x"), ("", token)):
        with pytest.raises(pixel.LinkRefused):
            pixel.read(secret, forged)


def test_a_message_is_seen_again_without_its_pixel() -> None:
    """Rule 16.5: whoever of the company looks at what was sent has not opened it for the client."""
    frame = (Path(rendering.__file__).parent / "templates" / "frames" / "mail.html.j2").read_text(encoding="utf-8")
    (tag,) = re.findall(r'<img src="{{ pixel_url }}"[^<>]*>', frame)
    link = pixel.url("https://relance.example/", "secret", "acme", ACTION)
    logo = '<img src="https://delcourt.example/o/logo.gif" alt="Delcourt">'
    assert (
        pixel.without(f"<p>a</p>{logo}{tag.replace('{{ pixel_url }}', link)}<p>b</p>") == f"<p>a</p>{logo}<p>b</p>"
    )


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200))
@example("é" * 80)
@example(" = ?=_ été")
@example("Mise en demeure : 12 450,00 € échus depuis le 1er février 2026, à régler sous huit jours")
def test_any_subject_is_read_back_from_lines_of_76(subject: str) -> None:
    raw = written(subject).raw
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
    start = next(index for index, line in enumerate(head) if line.startswith("Subject:"))
    lines = [head[start], *takewhile(lambda line: line.startswith(" "), head[start + 1 :])]
    message = BytesParser(policy=policy.compat32).parsebytes(raw)

    assert str(make_header(decode_header(str(message["Subject"])))).split() == subject.split()
    if not subject.isascii():
        assert max(map(len, lines)) <= 76
