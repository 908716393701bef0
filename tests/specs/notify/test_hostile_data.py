"""What a client, an entry or a note is called is never more than words: in mails, in their text, in letters."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from services.notify.delivered import Text, delivered
from services.notify.domain import Subjects
from services.notify.letters.bundle import text_of
from services.notify.letters.layout import letter
from services.notify.letters.press import Press
from services.notify.messages import compose, read
from services.notify.rendering import Rendered, render
from tests.specs.notify.given import PERSON, SENDER, about, entry
from tests.specs.notify.hostile import NAMES

AT = datetime(2026, 4, 8, 9, tzinfo=UTC)
EVERYTHING = (
    "<p>%client_name%, %client_code%, %contact_name%</p><p>%client_address%</p><p>%invoice_list%</p>"
    "<p>%tag1% et %tag10%</p><p>%salesperson%</p><p>%tableau_comptable1%</p><p>%tableau_comptable3%</p>"
    "<p>%pay%</p><p>%sender_name%, %company_name%, %company_address%</p><ul><li>%client_name%</li></ul>"
    "<p><a href='https://delcourt.example'>%client_name%</a></p>"
)


def named(name: str) -> Subjects:
    """Everything that data can say, said by ``name``."""
    person = replace(
        PERSON,
        client_id=name,
        name=name,
        contact_name=name,
        address=(name, name),
        salesperson=name,
        free_fields={f"tag{number}": name for number in range(1, 11)},
    )
    sender = replace(SENDER, name=name, company_name=name, company_address=name, footer=name, bank_details=name)
    subjects = about(entry(name, "10"), entry("AV1", "-3"), person=person, sender=sender)
    lines = tuple(replace(line, label=name, level="R1") for line in subjects.statement.lines)
    return replace(subjects, statement=replace(subjects.statement, lines=lines))


class Elements(HTMLParser):
    """What a document is made of, without its words."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: Counter[tuple[str, tuple[tuple[str, str | None], ...]]] = Counter()
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag, tuple(attrs)] += 1

    def handle_comment(self, data: str) -> None:
        self.found["comment", ()] += 1


def mail(name: str) -> Rendered:
    return render("Pour %client_name%", EVERYTHING, named(name), "fr", "email", "html")


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_has_the_same_elements_whatever_its_data_say(name: str) -> None:
    assert Elements(mail(name).html).found == Elements(mail("Diaz").html).found


@pytest.mark.parametrize("name", NAMES)
def test_tags_and_code_in_data_stay_words(name: str) -> None:
    """Rule 13.5: only a template has tags."""
    shown = mail(name)
    words = " ".join(name.split())
    assert words in " ".join(shown.text.split())
    assert words in shown.subject


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_has_the_headers_that_it_has(name: str) -> None:
    """No name ends a header and begins another."""
    sender = replace(SENDER, name=name)
    raw = compose(mail(name), sender, ["a@b.example"], "<1@x.example>", AT).raw
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    known = {line.partition(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))}
    assert known == {
        "From", "To", "Subject", "Date", "Message-ID", "Content-Language", "Auto-Submitted",
        "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert read(raw).recipients == "a@b.example"


@pytest.fixture(scope="module")
def press() -> Press:
    return Press()


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_prints_the_words(press: Press, name: str) -> None:
    page = letter(Text("Pour %client_name%", EVERYTHING, form="html"), named(name), "fr")
    assert plain(name) in plain(text_of(press.letter(page)))


def plain(words: str) -> str:
    """Letters and digits alone: a page breaks words and draws some signs together."""
    return "".join(one for one in words if one.isascii() and one.isalnum())


@pytest.mark.parametrize("medium", ["email", "letter"])
def test_no_delivered_text_is_moved_by_what_a_client_is_called(medium: str) -> None:
    for step in ("notice", "R1", "R5", "R7", "thanks"):
        text = delivered(step, medium, "fr")
        assert text is not None
        kind = step if step in ("notice", "thanks") else "reminder"
        for name in NAMES:
            subjects = named(name)
            subjects = replace(subjects, action=subjects.action.model_copy(update={"kind": kind, "step": step}))
            harmless = replace(named("Diaz"), action=subjects.action)
            one, other = (render(text.subject, text.body, each, "fr") for each in (subjects, harmless))
            assert Elements(one.html).found == Elements(other.html).found, (step, name)
