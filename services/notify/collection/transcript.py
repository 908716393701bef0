"""An e-mail on paper: who wrote to whom, when, and what; for readers who open no ``.eml``."""

from services.notify.collection.wording import WORDS
from services.notify.letters.layout import Page, shown
from services.notify.messages import read


def transcript(raw: bytes, file: str, files: list[str], proof: list[str], language: str) -> Page:
    """As ``letters/transcript.typ`` reads it. ``file`` is the name of the message itself, ``proof`` what shows
    that it was handed over."""
    words, mail = WORDS[language], read(raw)
    heads = [
        (words["from"], mail.sender),
        (words["to"], mail.recipients),
        (words["copies"], mail.copies),
        (words["sent_on"], mail.date),
        (words["subject"], mail.subject),
        (words["attachments"], ", ".join(files)),
        (words["proof"], " ; ".join(proof)),
    ]
    return {
        "language": language,
        "title": words["transcript"],
        "note": words["transcript_of"].format(file=file),
        "page": words["page"],
        "subject": shown(mail.subject),
        "heads": [[label, shown(value)] for label, value in heads if value],
        "lines": [shown(line) for line in mail.text.strip().splitlines()],
    }
