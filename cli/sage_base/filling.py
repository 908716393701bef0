"""Fill a base with the customer ledger of an invented company: three fiscal years, always the same for a seed.

There is one of everything that a real base surprises with: partial payments, pre-lettering, foreign invoices,
lines without due date, balances brought forward line by line, suppliers, clients asleep, several contacts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from cli.sage_base.shapes import EMPTY_DATE, create

CLOSING = date(2026, 12, 31)
YEARS = (2024, 2025, 2026)
WRITTEN_AT = datetime(2024, 1, 1, 8)  # noqa: DTZ001 Sage writes its server's local time
LAST_WRITTEN_AT = datetime(2026, 12, 29, 18)  # noqa: DTZ001
"""Nothing in a filled base was written later."""
LINES_PER_CLIENT = 12
RATE = Decimal("0.9")
MODES = ("Chèque", "Virement", "Prélèvement", "Traite", "Carte bancaire")
FIRST_NAMES = (
    "Anne",
    "Bruno",
    "Chloé",
    "Denis",
    "Élise",
    "Farid",
    "Gaëlle",
    "Hugo",
    "Inès",
    "Jean",
    "Karim",
    "Lise",
)
LAST_NAMES = (
    "Abadie",
    "Bonnet",
    "Caron",
    "Dufour",
    "Estève",
    "Fabre",
    "Garnier",
    "Hamel",
    "Imbert",
    "Joly",
    "Klein",
)
TRADES = ("Menuiserie", "Transports", "Boulangerie", "Garage", "Imprimerie", "Électricité", "Jardins", "Plomberie")
CITIES = (
    ("69003", "Lyon"),
    ("13002", "Marseille"),
    ("44000", "Nantes"),
    ("31000", "Toulouse"),
    ("59000", "Lille"),
)

LINE = (
    "EC_No", "JO_Num", "JM_Date", "EC_Jour", "EC_Date", "EC_Piece", "EC_RefPiece", "CG_Num", "CT_Num",
    "EC_Intitule", "N_Reglement", "EC_Echeance", "N_Devise", "EC_Devise", "EC_Parite", "EC_Sens", "EC_Montant",
    "EC_Lettre", "EC_Lettrage", "EC_ANType", "cbModification", "Chantier",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written: customer lines (balances brought forward included), clients."""

    lines: int
    clients: int


def fill(connection: psycopg.Connection[Any], schema: str, lines: int, *, seed: int = 11) -> Filled:
    """Make a base in ``schema`` with about ``lines`` customer lines, each with its counterpart, and commit it."""
    create(connection, schema)
    random = Random(seed)
    clients = max(3, lines // LINES_PER_CLIENT)
    _parameters(connection)
    _third_parties(connection, random, clients)
    writing = _Writing(random, clients)
    _copy(connection, "F_ECRITUREC", LINE, writing.rows(lines))
    connection.execute("""select setval(pg_get_serial_sequence('"F_ECRITUREC"', 'cbMarq'), max("cbMarq"))
        from "F_ECRITUREC" """)
    connection.execute("analyze")
    connection.commit()
    return Filled(writing.customer_lines, clients)


def client_code(number: int) -> str:
    return f"CL{number:06d}"


def _copy(
    connection: psycopg.Connection[Any], table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), columns)
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _parameters(connection: psycopg.Connection[Any]) -> None:
    exercises = {f"D_DebutExo{n:02d}": date(year, 1, 1) for n, year in enumerate(YEARS, 1)}
    exercises |= {f"D_FinExo{n:02d}": date(year, 12, 31) for n, year in enumerate(YEARS, 1)}
    _copy(
        connection,
        "P_DOSSIER",
        ("D_RaisonSoc", "N_DeviseCompte", *exercises),
        [("Fournitures Bijou", 1, *exercises.values())],
    )
    _copy(connection, "P_REGLEMENT", ("cbIndice", "R_Intitule"), list(enumerate(MODES, 1)))
    _copy(
        connection,
        "P_DEVISE",
        ("cbIndice", "D_Intitule", "D_CodeISO"),
        [(1, "Euro", "EUR"), (2, "Dollar", "USD"), (3, "", "")],
    )
    _copy(
        connection,
        "F_JOURNAUX",
        ("JO_Num", "JO_Intitule", "JO_Type"),
        [("VTE", "Ventes", 1), ("BNQ", "Banque", 2), ("OD", "Opérations diverses", 3), ("RAN", "À-nouveaux", 3)],
    )
    _copy(
        connection,
        "F_COMPTEG",
        ("CG_Num", "CG_Intitule"),
        [
            ("4110000", "Clients"),
            ("4111000", "Clients export"),
            ("4010000", "Fournisseurs"),
            ("5120000", "Banque"),
        ],
    )
    _copy(connection, "P_SERVICECPTA", ("cbIndice", "S_Intitule"), [(1, "Comptabilité"), (2, "Achats")])
    _copy(
        connection,
        "F_COLLABORATEUR",
        ("CO_No", "CO_Nom", "CO_Prenom", "CO_EMail", "CO_Vendeur"),
        [(n, LAST_NAMES[n], FIRST_NAMES[n], f"vendeur{n}@bijou.example", 1) for n in range(1, 6)],
    )


def _third_parties(connection: psycopg.Connection[Any], random: Random, clients: int) -> None:
    names = (
        "CT_Num", "CT_Intitule", "CT_Type", "CG_NumPrinc", "CT_Adresse", "CT_CodePostal", "CT_Ville", "CT_Pays",
        "CT_Telephone", "CT_EMail", "CT_Contact", "CT_Sommeil", "N_Devise", "CO_No", "CT_LangueISO2",
        "CT_Classement", "CT_Statistique01", "cbModification", "REP TEL", "Segment",
    )  # fmt: skip

    def party(number: int) -> tuple[Any, ...]:
        code = client_code(number)
        postcode, city = random.choice(CITIES)
        title = f"{random.choice(TRADES)} {random.choice(LAST_NAMES)} {number}"
        mail = f"compta@client{number}.example" if random.random() < 0.8 else ""
        abroad = number % 20 == 0
        return (
            code, title, 0, "4111000" if abroad else "4110000", f"{random.randrange(1, 99)} rue du Port", postcode,
            city, "France", f"04 72 {random.randrange(10, 99)} {random.randrange(10, 99)} 00", mail,
            f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}", int(random.random() < 0.02),
            2 if abroad else 0, random.randrange(0, 6), "en" if abroad else "", title[:17].upper(),
            random.choice(("", "Grand Compte", "Export")), WRITTEN_AT, f"06{random.randrange(10**8):08d}",
            random.choice(("", "BTP", "Négoce")),
        )  # fmt: skip

    _copy(connection, "F_COMPTET", names, (party(number) for number in range(1, clients + 1)))
    _copy(
        connection,
        "F_COMPTET",
        ("CT_Num", "CT_Intitule", "CT_Type", "CG_NumPrinc", "cbModification"),
        [(f"FR{n:04d}", f"Fournisseur {n}", 1, "4010000", WRITTEN_AT) for n in range(1, 6)],
    )
    contacts = [
        (client_code(number), random.choice(LAST_NAMES), random.choice(FIRST_NAMES), random.randrange(1, 3),
         f"contact{n}@client{number}.example", number * 10 + n, WRITTEN_AT)
        for number in range(1, clients + 1)
        for n in range(random.randrange(0, 3))
    ]  # fmt: skip
    _copy(
        connection,
        "F_CONTACTT",
        ("CT_Num", "CT_Nom", "CT_Prenom", "N_Service", "CT_EMail", "CT_No", "cbModification"),
        contacts,
    )
    _copy(
        connection,
        "F_REGLEMENTT",
        ("CT_Num", "N_Reglement", "RT_NbJour"),
        [(client_code(number), number % len(MODES) + 1, 30) for number in range(1, clients + 1, 2)],
    )


@dataclass(slots=True)
class _Line:
    client: int
    day: date
    journal: str
    piece: str
    label: str
    amount: Decimal
    """In the bookkeeping currency; a debit when positive."""
    due: date | None
    mode: int = 0
    code: str = ""
    is_lettered: bool = False
    carried: int = 0
    foreign: Decimal | None = None


@dataclass(slots=True)
class _Writing:
    random: Random
    clients: int
    customer_lines: int = 0
    _number: int = 0
    _entry: int = 0
    _codes: dict[int, int] = field(default_factory=dict)

    def rows(self, lines: int) -> Iterator[tuple[Any, ...]]:
        """Lines of ``F_ECRITUREC`` as accountants enter them: year by year, what is open carried forward."""
        opened = self._opening()
        per_year = max(1, (lines - len(opened)) * 9 // (10 * len(YEARS)))
        for number, year in enumerate(YEARS):
            carried = opened if number == 0 else [self._carried(line, year) for line in opened]
            for line in carried:
                yield from self._posted(line)
            target = lines - self.customer_lines if year == YEARS[-1] else per_year
            made: list[_Line] = []
            while len(made) < target:
                made += self._business(year)
            for line in made:
                yield from self._posted(line)
            opened = [line for line in (*opened, *made) if not line.is_lettered][: max(1, lines // 60)]

    def _opening(self) -> list[_Line]:
        """What clients owed before the first year: only its balances brought forward tell of it."""
        start = date(YEARS[0], 1, 1)
        return [
            _Line(n, start, "RAN", f"A{n:05d}", f"Report facture A{n:05d}", self._amount(), start, carried=1)
            for n in range(1, max(2, self.clients // 10))
        ]

    def _carried(self, line: _Line, year: int) -> _Line:
        return _Line(
            line.client, date(year, 1, 1), "RAN", line.piece, line.label, line.amount, line.due, line.mode,
            carried=1, foreign=line.foreign,
        )  # fmt: skip

    def _amount(self) -> Decimal:
        return Decimal(self.random.randrange(1_000, 900_000)) / 100

    def _next_code(self, client: int) -> str:
        number = self._codes[client] = self._codes.get(client, -1) + 1
        letters = ""
        for _ in range(3):
            number, letter = divmod(number, 26)
            letters = chr(65 + letter) + letters
        return letters

    def _business(self, year: int) -> list[_Line]:
        """One invoice, and what became of it."""
        random = self.random
        client = random.randrange(1, self.clients + 1)
        self._number += 1
        day = date(year, 1, 1) + timedelta(days=random.randrange(0, 330))
        amount = self._amount()
        foreign = amount if client % 20 == 0 else None
        if foreign is not None:
            amount = (foreign * RATE).quantize(Decimal("0.01"))
        due = day + timedelta(days=random.choice((30, 45, 60))) if random.random() > 0.05 else None
        mode = random.randrange(0, len(MODES) + 1)
        piece = f"F{year % 100}{self._number:07d}"
        invoice = _Line(client, day, "VTE", piece, f"Facture {piece}", amount, due, mode, foreign=foreign)
        paid_on = day + timedelta(days=random.randrange(5, 30))
        chance = random.random()
        if chance < 0.30:
            if chance < 0.05:
                invoice.code = "aa"  # pre-lettering: in lower case, and no settlement
            return [invoice]
        if chance < 0.40:
            share = (amount / 3).quantize(Decimal("0.01"))
            part = (foreign / 3).quantize(Decimal("0.01")) if foreign is not None else None
            receipt = f"R{self._number}"
            return [invoice, _Line(client, paid_on, "BNQ", receipt, "Acompte", -share, None, mode, foreign=part)]
        journal, label = ("VTE", "Avoir") if chance < 0.45 else ("BNQ", "Règlement")
        settling = _Line(client, paid_on, journal, f"R{self._number}", label, -amount, None, mode, foreign=foreign)
        invoice.code = settling.code = self._next_code(client)
        invoice.is_lettered = settling.is_lettered = True
        return [invoice, settling]

    def _posted(self, line: _Line) -> Iterator[tuple[Any, ...]]:
        """The customer's line and its counterpart."""
        self.customer_lines += 1
        yield self._row(
            line, "4111000" if line.client % 20 == 0 else "4110000", client_code(line.client), line.amount
        )
        yield self._row(line, "7070000" if line.journal == "VTE" else "5120000", None, -line.amount)

    def _row(self, line: _Line, account: str, client: str | None, amount: Decimal) -> tuple[Any, ...]:
        self._entry += 1
        foreign = line.foreign is not None
        return (
            self._entry, line.journal, line.day.replace(day=1), line.day.day, line.day, line.piece[:13],
            line.piece[:17] if line.journal == "VTE" else "", account, client, line.label[:35], line.mode,
            line.due or EMPTY_DATE, 2 if foreign else 0, abs(line.foreign or 0), RATE if foreign else 0,
            0 if amount > 0 else 1, abs(amount), int(line.is_lettered and client is not None),
            line.code if client is not None else "", line.carried,
            datetime.combine(line.day, WRITTEN_AT.time()), "",
        )  # fmt: skip
