"""Which encoding a file is written in, decided on the evidence of its bytes."""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterable

UTF8_BOM = codecs.BOM_UTF8
OTHERS = ("iso-8859-15", "cp850", "cp1252")
CONFUSED_SHARE = 0.2
"""A file that is UTF-8 but for this share of its non-ASCII bytes is UTF-8 with damage, not another encoding."""

_IN_CONTEXT = re.compile(rb"(?<![\x80-\xff])[\x00-\x7f]?[\x80-\xff]+[\x00-\x7f]?")
_FRENCH = frozenset("àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆ")
_WORDS = frozenset("àÀ")
"""Letters that stand alone as words."""
_SIGNS = frozenset("€°§«»’‘“”–—…²³µ£\u00a0")


def decide(blocks: Callable[[], Iterable[bytes]]) -> str:
    """Python's name of the encoding: ``utf-8``, or the likeliest of the others. Each call of ``blocks`` reads the
    file from its beginning.

    A byte above 127 speaks for an encoding in which it is a French letter that fits its neighbours: a small
    letter after a small letter, a capital beside capitals. The evidence of the whole file is summed.
    """
    if _is_utf8(blocks()):
        return "utf-8"
    contexts: Counter[bytes] = Counter()
    for block in blocks():
        if not block.isascii():
            contexts.update(_IN_CONTEXT.findall(block))
    damaged = sum(count for run, count in contexts.items() if not _is_utf8([run]))
    if damaged < CONFUSED_SHARE * contexts.total():
        return "utf-8"
    return max(OTHERS, key=lambda name: sum(_score(run, name) * n for run, n in contexts.items()))


def _is_utf8(blocks: Iterable[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        for block in blocks:
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _score(run: bytes, encoding: str) -> int:
    """How well a few bytes around a non-ASCII one read as French in an encoding."""
    text = run.decode(encoding, errors="replace")
    score = 0
    for index, letter in enumerate(text):
        if letter < "\x80":
            continue
        before, after = text[index - 1 : index], text[index + 1 : index + 2]
        if letter in _FRENCH and not (before.isalpha() or after.isalpha()):
            score += 1 if letter in _WORDS else 0
        elif letter in _FRENCH:
            misfit = letter.isupper() and (before.islower() or (after.islower() and before.isupper()))
            score += -1 if misfit else 3
        elif letter in _SIGNS:
            score += 0 if before.isalpha() and after.isalpha() and letter != "’" else 1
        elif letter < "\xa0" or letter == "\ufffd":
            score -= 4
        else:
            score -= 2
    return score
