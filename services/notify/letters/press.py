"""From data to pages: typst makes the PDF of a letter and pictures of its pages.

One press serves a process: its compiler keeps fonts and what it has laid out before. The same data makes the same
bytes, whenever and in whatever company of other letters: nothing of the machine or of the day is read.
"""

import json
import shutil
import tempfile
import threading
from functools import cache
from pathlib import Path

import font_source_sans_pro
import typst

from services.notify.letters.layout import Page

SOURCES = Path(__file__).parent
FONTS = Path(font_source_sans_pro.font_directory)
FACES = ("Regular", "Bold", "It", "BoldIt")
SCREEN_PPI = 110
ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}
"""What a logo may be. SVG may name other files, and is left out."""
DOCUMENTS = ("letter", "cover", "pages", "logo", "dossier", "transcript")


class Press:
    """``fonts`` is a folder of further fonts, for scripts that the delivered ones do not write; empty is none."""

    def __init__(self, fonts: str = "") -> None:
        self._kept = tempfile.TemporaryDirectory(prefix="relance-letters-")
        self.folder = Path(self._kept.name)
        own = self.folder / "fonts"
        own.mkdir()
        for face in FACES:
            shutil.copy(FONTS / f"SourceSansPro-{face}.ttf", own)
        known = typst.Fonts(include_system_fonts=False, font_paths=[str(own), *([fonts] if fonts else [])])
        self._compilers = {name: self._compiler(name, known) for name in DOCUMENTS}
        # a compiler does one thing at a time
        self._lock = threading.Lock()

    def _compiler(self, name: str, fonts: typst.Fonts) -> typst.Compiler:
        shutil.copy(SOURCES / f"{name}.typ", self.folder)
        return typst.Compiler(str(self.folder / f"{name}.typ"), root=str(self.folder), font_paths=fonts)

    def compiler(self, name: str) -> typst.Compiler:
        """The compiler alone, for measuring it."""
        return self._compilers[name]

    def keep_logo(self, digest: str, media_type: str, content: bytes) -> str:
        """Its name, for ``layout.letter``. ``digest`` is hexadecimal."""
        name = f"{digest}.{ENDINGS[media_type]}"
        file = self.folder / name
        if not file.exists():
            half = file.with_suffix(".half")
            half.write_bytes(content)
            half.rename(file)
        return name

    def try_logo(self, name: str) -> None:
        """Raises ``typst.TypstError`` when the picture cannot be read."""
        with self._lock:
            self._compilers["logo"].compile(sys_inputs={"logo": name}, format="png", ppi=10)

    def letter(self, page: Page) -> bytes:
        """The PDF. Raises ``typst.TypstError``."""
        return self._pdf("letter", page)

    def cover(self, page: Page) -> bytes:
        """The PDF of a posting list."""
        return self._pdf("cover", page)

    def dossier(self, page: Page) -> bytes:
        """The PDF of the index of a collection file."""
        return self._pdf("dossier", page)

    def transcript(self, page: Page) -> bytes:
        """The PDF that shows an e-mail."""
        return self._pdf("transcript", page)

    def lay_ready(self, name: str, data: str) -> None:
        """Put the data where the source reads it; the compiler keeps what did not change since."""
        (self.folder / f"{name}.json").write_text(data, encoding="utf-8")

    def _pdf(self, name: str, page: Page) -> bytes:
        with self._lock:
            self.lay_ready(name, json.dumps(page))
            # no tags: they are for reading on a screen, cost a fifth of the time, and what is posted is paper
            made = self._compilers[name].compile(format="pdf", pdf_tags=False)
        assert isinstance(made, bytes)
        return made

    def pictures(self, page: Page) -> list[bytes]:
        """The pages of a letter as PNG, for a screen."""
        return self._png("letter", json.dumps(page))

    def pictures_of(self, pdf: bytes, pages: int) -> list[bytes]:
        """The same for a letter that was kept as PDF."""
        return self._png("pages", json.dumps({"pdf": list(pdf), "pages": pages}))

    def _png(self, name: str, data: str) -> list[bytes]:
        with self._lock:
            self.lay_ready(name, data)
            made = self._compilers[name].compile(format="png", ppi=SCREEN_PPI)
        return [made] if isinstance(made, bytes) else list(made or ())


@cache
def press(fonts: str = "") -> Press:
    """The press of this process, made when the first letter is."""
    return Press(fonts)
