"""A letter on a screen: a page of HTML that holds pictures of its pages, and runs and loads nothing."""

from base64 import b64encode
from collections.abc import Sequence

from markupsafe import escape

from services.notify.words import WORDS

MOST = 10
"""A screen shows so many pages; the PDF has them all."""

_FRAME = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title><style>'
    "body{{margin:0;padding:12px;background:#eef1f5}}img{{display:block;width:100%;max-width:900px;height:auto;"
    "margin:0 auto 12px;background:#fff;border:1px solid #d5dae2}}p{{position:absolute;left:-200vw;width:100vw}}"
    "</style></head><body>{pages}<p>{text}</p></body></html>"
)


def html_of(pictures: Sequence[bytes], text: str, language: str) -> str:
    """``pictures`` are PNG; ``text`` is what they show, for those who hear a page. The page needs no
    other address: it may stand in a frame that forbids all of them.
    """
    words = WORDS[language]
    shown = "".join(
        f'<img alt="{words["page"].format(page=number, pages=len(pictures))}"'
        f' src="data:image/png;base64,{b64encode(picture).decode()}">'
        for number, picture in enumerate(pictures[:MOST], start=1)
    )
    return _FRAME.format(language=language, title=words["subject"], pages=shown, text=escape(text))
