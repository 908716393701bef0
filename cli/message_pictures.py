"""``relance pictures messages``: letters by page, and mails as a computer and a phone show them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.pictures import chromium
from cli.places import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTHS = (1200, 360)
"""CSS pixels: a window of a computer, and the narrowest phone that mail programs are drawn for."""
HEIGHT = 800
MEASURE = """() => {
    const wide = document.documentElement.clientWidth, told = {over: [], cut: [], small: []};
    for (const one of document.body.querySelectorAll('*')) {
        const own = [...one.childNodes].filter(node => node.nodeType === 3 && node.nodeValue.trim());
        const style = getComputedStyle(one);
        if (!own.length || style.visibility === 'hidden' || !one.getClientRects().length) continue;
        if (one.closest('div[style*="max-height:0"]')) continue;  // shown beside the subject, never in the mail
        for (const node of own) {
            const range = document.createRange();
            range.selectNodeContents(node);
            for (const box of range.getClientRects()) {
                const said = node.nodeValue.trim().slice(0, 60);
                if (box.right > wide + 0.5 || box.left < -0.5) told.over.push(said);
                for (let above = one; above !== document.body; above = above.parentElement) {
                    const edge = above.getBoundingClientRect();
                    const hides = getComputedStyle(above).overflow !== 'visible';
                    if (hides && (box.right > edge.right + 0.5 || box.bottom > edge.bottom + 0.5))
                        told.cut.push(said);
                }
                const cell = one.closest('td, th');
                const edge = cell && cell.getBoundingClientRect();
                if (edge && (box.right > edge.right + 0.5 || box.left < edge.left - 0.5)) told.cut.push(said);
            }
        }
        if (parseFloat(style.fontSize) < 12) told.small.push(own[0].nodeValue.trim().slice(0, 60));
    }
    told.scrolls = document.documentElement.scrollWidth - wide;
    told.text = document.body.innerText;
    return told;
}"""


@dataclass(frozen=True, slots=True)
class Sight:
    """One mail at one width: what runs over the window, out of its cell or is smaller than 12 pixels.

    ``scrolls`` are the pixels one has to scroll to the side; ``text`` is what is to be read.
    """

    name: str
    width: int
    picture: Path
    over: tuple[str, ...]
    cut: tuple[str, ...]
    small: tuple[str, ...]
    scrolls: int
    text: str

    @property
    def ugly(self) -> bool:
        return bool(self.over or self.cut or self.small or self.scrolls > 0)


def look(browser: Browser, folder: Path) -> list[Sight]:
    """Open every mail of the folder at every width, take its picture beside it, and measure it."""
    seen = []
    for file in sorted(folder.glob("mail-*.html")):
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": HEIGHT})
            page.goto(file.as_uri())
            told = page.evaluate(MEASURE)
            picture = file.with_name(f"{file.stem}-{width}.png")
            page.screenshot(path=picture, full_page=True)
            page.close()
            over, cut, small = (tuple(told[name]) for name in ("over", "cut", "small"))
            seen.append(Sight(file.stem, width, picture, over, cut, small, told["scrolls"], told["text"]))
    return seen


def of_messages(folder: Path) -> list[Sight]:
    """Have notify write its gallery and open the mails. Raises ``BrowserMissing``, ``CalledProcessError``."""
    subprocess.run(
        [sys.executable, "-m", "services.notify", "gallery", str(folder)], cwd=ROOT, env=os.environ, check=True
    )
    with chromium() as browser:
        return look(browser, folder)
