"""The demonstration company's books as a FEC: about 300 invented French clients and 2,000 customer entries.

Everything is drawn from a seed and a business date, so the same day always shows the same books. The names
are made of common French words; any likeness to a real firm is chance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

COMPANY = "ateliers-delcourt"
COMPANY_NAME = "Ateliers Delcourt"
SIREN = "900000001"
CLIENTS = 300
PAYMENT_TERM_DAYS = 30
MAIL_DOMAIN = "example.org"

SURNAMES = (
    "Giraud", "Marion", "Martel", "Bodin", "Germain", "Peron", "Neveu", "Munoz", "Dufour", "Clerc",
    "Lemoine", "Garnier", "Hubert", "Voisin", "Guyot", "Pasquier", "Camus", "Leleu", "Bonnet", "Jacob",
    "Descamps", "Adam", "Albert", "Alves", "Andre", "Antoine", "Barbier", "Berger", "Besson",
    "Blanchard", "Boucher", "Bourgeois", "Brunet", "Caron", "Chevallier", "Colin", "Cordier",
    "Courtois", "Delorme", "Dumas", "Evrard", "Fabre", "Ferrand", "Fontaine", "Gaillard", "Gauthier",
    "Gilbert", "Goncalves", "Hamel", "Humbert", "Joly",
)  # fmt: skip
TRADES = (
    "Bâtiment", "Menuiserie", "Négoce", "Agencement", "Distribution", "Toitures", "Électricité", "Peinture",
    "Maçonnerie", "Plomberie", "Façades", "Ossature", "Vitrages", "Charpente", "Isolation", "Cuisines",
)  # fmt: skip
FORMS = ("SARL", "SAS", "S.A.", "et Fils", "Frères", "& Associés", "")
WORKS = (
    "Façade, situation 3", "Menuiseries bât. C", "Pose bât. B", "Quincaillerie", "Portes atelier, lot 2",
    "Vitrages hall", "Escalier, acompte", "Escalier, solde", "Garde-corps", "Cloisons, étage 2",
    "Parquet, salle de réunion", "Dépose et évacuation", "Maintenance trimestrielle", "Fournitures diverses",
)  # fmt: skip
STREETS = ("rue des Tanneurs", "place Jourdan", "avenue de la Gare", "quai des Forges", "chemin du Moulin")
TOWNS = (
    ("54000", "Nancy"),
    ("69003", "Lyon"),
    ("31000", "Toulouse"),
    ("35000", "Rennes"),
    ("59800", "Lille"),
)
HEADER = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum",
    "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet",
    "ValidDate", "Montantdevise", "Idevise",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoClient:
    """One invented client. ``pays_after_days`` is its habit, counted from the due date."""

    code: str
    name: str
    contact: str
    email: str | None
    phone: str | None
    street: str
    postcode: str
    town: str
    pays_after_days: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice or a credit note (negative amount) and what became of it."""

    client: DemoClient
    piece: str
    dated: date
    work: str
    amount: Decimal
    paid_on: date | None
    part_paid: Decimal | None


@dataclass(frozen=True, slots=True)
class DemoBook:
    """The books of the demonstration company as they will stand at ``as_of``."""

    clients: tuple[DemoClient, ...]
    invoices: tuple[Invoice, ...]

    def fec(self, known_on: date) -> bytes:
        """The FEC as accounting would export it on that day: nothing dated later, no later lettering."""
        lines = ["\t".join(HEADER), *("\t".join(line) for line in self._lines(known_on))]
        return ("\r\n".join(lines) + "\r\n").encode()

    def file_name(self, closing: date) -> str:
        """The legal name of the file, ``<SIREN>FEC<closing date>.txt``."""
        return f"{SIREN}FEC{closing:%Y%m%d}.txt"

    def _lines(self, known_on: date) -> Iterator[tuple[str, ...]]:
        written: list[tuple[date, tuple[str, ...]]] = []
        for number, invoice in enumerate(self.invoices, 1):
            if invoice.dated > known_on:
                continue
            settled = invoice.paid_on is not None and invoice.paid_on <= known_on and invoice.part_paid is None
            lettering = (_letters(number), invoice.paid_on) if settled else ("", None)
            written += _sale(invoice, number, lettering)
            if invoice.paid_on is not None and invoice.paid_on <= known_on and invoice.amount > 0:
                written += _receipt(invoice, number, lettering)
        written.sort(key=lambda dated: dated[0])
        return (line for _, line in written)


def book(as_of: date, seed: int = 20261124) -> DemoBook:
    """Draw the company's books for the nine months before ``as_of``."""
    random = Random(seed)
    clients = tuple(_clients(random))
    invoices: list[Invoice] = []
    for client in clients:
        rhythm = random.choice((1, 2, 2, 3, 4, 6))
        for _ in range(rhythm):
            invoices.append(_invoice(random, client, as_of, len(invoices)))
    while len(invoices) < 1150:
        invoices.append(_invoice(random, random.choice(clients[:140]), as_of, len(invoices)))
    return DemoBook(clients, tuple(invoices))


def _clients(random: Random) -> Iterator[DemoClient]:
    names: set[str] = set()
    while len(names) < CLIENTS:
        surname, other = random.sample(SURNAMES, 2)
        shapes = (
            f"{surname} {random.choice(TRADES)}",
            f"{surname} {other}",
            f"{random.choice(TRADES)} {surname}",
        )
        name = f"{random.choice(shapes)} {random.choice(FORMS)}".strip()
        if name in names:
            continue
        names.add(name)
        code = f"C{len(names):05d}"
        postcode, town = random.choice(TOWNS)
        yield DemoClient(
            code=code,
            name=name,
            contact=f"{random.choice(('M.', 'Mme'))} {surname}",
            email=f"compta.{code.lower()}@{MAIL_DOMAIN}" if random.random() < 0.86 else None,
            phone=f"01 99 00 {random.randint(0, 99):02d} {random.randint(0, 99):02d}"
            if random.random() < 0.9
            else None,
            street=f"{random.randint(1, 240)}, {random.choice(STREETS)}",
            postcode=postcode,
            town=town,
            pays_after_days=random.choice((-5, 0, 0, 2, 4, 7, 12, 20, 35, 60)),
        )


def _invoice(random: Random, client: DemoClient, as_of: date, number: int) -> Invoice:
    dated = as_of - timedelta(days=random.randint(0, 270))
    amount = Decimal(random.choice((9, 38, 120, 260, 410, 780, 1250, 2400, 4800, 9600, 21000)))
    amount = (amount * Decimal(random.randint(70, 160)) / 100).quantize(Decimal("0.01"))
    if random.random() < 0.04:
        return Invoice(client, f"AVR{number:05d}", dated, "Avoir sur facture", -amount / 5 // 1, None, None)
    paid_on: date | None = dated + timedelta(
        days=PAYMENT_TERM_DAYS + client.pays_after_days + random.randint(-3, 9)
    )
    part_paid = (amount / 3).quantize(Decimal("0.01")) if random.random() < 0.03 else None
    if random.random() < 0.06:
        paid_on = None
    return Invoice(client, f"FAC{20000 + number}", dated, random.choice(WORKS), amount, paid_on, part_paid)


@dataclass(frozen=True, slots=True)
class _Writing:
    """What the lines of one bookkeeping entry have in common."""

    journal: str
    journal_name: str
    number: str
    written_on: date
    piece: str
    dated: date
    label: str


Lettering = tuple[str, date | None]
UNLETTERED: Lettering = ("", None)


def _sale(invoice: Invoice, number: int, lettering: Lettering) -> list[tuple[date, tuple[str, ...]]]:
    label = invoice.work if invoice.amount > 0 else f"Avoir {invoice.client.name}"
    vat = (invoice.amount / 6).quantize(Decimal("0.01"))
    writing = _Writing("VE", "Ventes", f"VE{number:06d}", invoice.dated, invoice.piece, invoice.dated, label)
    return [
        _line(writing, ("41100000", "Clients"), invoice.amount, invoice.client, lettering),
        _line(writing, ("70600000", "Prestations"), vat - invoice.amount),
        _line(writing, ("44571000", "TVA collectée"), -vat),
    ]


def _receipt(invoice: Invoice, number: int, lettering: Lettering) -> list[tuple[date, tuple[str, ...]]]:
    assert invoice.paid_on is not None
    amount = invoice.part_paid if invoice.part_paid is not None else invoice.amount
    piece, label = f"VIR{number:05d}", f"Règlement {invoice.piece}"
    writing = _Writing("BQ", "Banque", f"BQ{number:06d}", invoice.paid_on, piece, invoice.paid_on, label)
    return [
        _line(writing, ("51200000", "Banque"), amount),
        _line(writing, ("41100000", "Clients"), -amount, invoice.client, lettering),
    ]


def _line(
    writing: _Writing,
    account: tuple[str, str],
    amount: Decimal,
    client: DemoClient | None = None,
    lettering: Lettering = UNLETTERED,
) -> tuple[date, tuple[str, ...]]:
    code, lettered_on = lettering
    day = f"{writing.written_on:%Y%m%d}"
    third_party = (client.code, client.name) if client else ("", "")
    piece = (writing.piece, f"{writing.dated:%Y%m%d}", writing.label)
    debit, credit = _comma(max(amount, Decimal(0))), _comma(max(-amount, Decimal(0)))
    letters = (code, f"{lettered_on:%Y%m%d}" if lettered_on else "")
    key = (writing.journal, writing.journal_name, writing.number, day)
    return writing.written_on, (*key, *account, *third_party, *piece, debit, credit, *letters, day, "", "")


def _comma(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")


def _letters(number: int) -> str:
    """A lettering code of three letters, as accounting software gives them."""
    first, rest = divmod(number, 676)
    second, third = divmod(rest, 26)
    return chr(65 + first % 26) + chr(65 + second) + chr(65 + third)
