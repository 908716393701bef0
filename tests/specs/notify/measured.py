"""Where things stand on a page of PDF, in millimetres, and what the windows of envelopes show of it."""

import pypdfium2

MM = 72 / 25.4


def boxes(pdf: bytes, number: int = 0) -> list[tuple[str, float, float, float, float]]:
    """The characters of a page with their places in millimetres from its left and upper edges."""
    sheet = pypdfium2.PdfDocument(pdf)[number]
    texts = sheet.get_textpage()
    found = []
    for index in range(texts.count_chars()):
        character = texts.get_text_range(index, 1)
        if character.strip():
            left, bottom, right, top = texts.get_charbox(index)
            height = sheet.get_height()
            found.append((character, left / MM, (height - top) / MM, right / MM, (height - bottom) / MM))
    return found


# Envelopes of French offices: width and height, then the window: from the right, from below, width and height.
ENVELOPES = {
    "DL, window 45 x 100": (220, 110, 20, 20, 100, 45),
    "DL, window 35 x 100": (220, 110, 20, 20, 100, 35),
    "C5, window 45 x 100": (229, 162, 20, 60, 100, 45),
}


def windows(envelope: tuple[int, ...]) -> list[tuple[float, float, float, float]]:
    """What the window shows of the sheet in each corner of the envelope: left, top, right, bottom."""
    width, height, from_right, from_below, wide, high = envelope
    folded = 297 / 3 if height < 148 else 297 / 2
    left, top = width - from_right - wide, height - from_below - high
    return [
        (left - dx, top - dy, left - dx + wide, top - dy + high)
        for dx in (0.0, width - 210.0)
        for dy in (0.0, height - folded)
    ]
