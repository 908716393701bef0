"""A first look at a file: its columns with examples, and the mapping that seems to fit."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from services.sync.connectors.mapped.mapping import (
    AMOUNT_FIELDS,
    DATE_FIELDS,
    DATING,
    FIELDS,
    DateForm,
    Holds,
)
from services.sync.connectors.mapped.table import SEPARATOR_NAMES, Row, Table, header_of
from services.sync.connectors.mapped.values import AmountTexts, best_form, date_pattern
from services.sync.domain.fields import CLIENT_FIELDS

SAMPLE_ROWS = 200
SHOWN_ROWS = 8
TITLE_ROWS = 10

NAMES: dict[str, tuple[str, ...]] = {
    "key": ("ecno", "entryid", "docid", "documentid", "idecriture", "extid", "identifiant", "id"),
    "client_id": (
        "clientid", "custnumber", "customerid", "customernumber", "customer", "custno", "codeclient", "client",
        "clientcode", "numclient", "noclient", "compteauxiliaire", "compauxnum", "tiers", "codetiers", "ctnum",
        "extidclient", "debtor", "debiteur", "accountnumber", "code",
    ),
    "client_name": (
        "clientname", "namecustomer", "customername", "custname", "nomclient", "raisonsociale", "intitule",
        "compauxlib", "nomtiers", "name", "nom", "societe", "company", "ctintitule",
    ),
    "account": ("account", "compte", "comptecollectif", "comptegeneral", "cgnum", "comptenum", "glaccount"),
    "journal": ("journal", "codejournal", "journalcode", "jonum"),
    "number": ("numeroecriture", "ecriturenum", "entrynumber", "noecriture"),
    "piece": (
        "piece", "invoiceid", "invoicenumber", "invoiceno", "invoice", "numerofacture", "nofacture", "facture",
        "numpiece", "pieceref", "numeropiece", "nodefacture", "numerodefacture", "nopiece", "nodepiece",
        "numerodepiece", "reference", "documentnumber", "ecrefpiece", "ref",
    ),
    "entry_date": ("entrydate", "postingdate", "dateecriture", "ecrituredate", "datecomptable", "date"),
    "invoice_date": (
        "invoicedate", "documentcreatedate", "documentdate", "datefacture", "piecedate", "datepiece", "billdate",
    ),
    "due_date": ("duedate", "dueindate", "dateecheance", "echeance", "echeancedate", "ececheance"),
    "label": ("label", "libelle", "objet", "description", "text", "ecriturelib", "ecintitule", "memo"),
    "debit": ("debit", "montantdebit"),
    "credit": ("credit", "montantcredit"),
    "amount": (
        "amount", "montant", "totalopenamount", "openamount", "invoiceamount", "solde", "balance", "montantttc",
        "totalttc", "ttc", "total", "resteadu", "restedu",
    ),
    "side": ("side", "sens", "dc", "debitcredit", "ecsens", "shkzg"),
    "book_amount": ("bookamount", "montanteur", "montantdevisetenue", "localamount", "amountlocal"),
    "currency": ("currency", "devise", "invoicecurrency", "codedevise", "idevise"),
    "kind": ("kind", "type", "documenttype", "typepiece", "typedocument", "doctype", "nature"),
    "payment_mode": ("paymentmode", "modereglement", "moderglt", "modedereglement", "paymentmethod"),
    "lettering": ("lettering", "lettrage", "lettre", "ecriturelet", "codelettrage", "eclettrage"),
    "lettered_on": ("letteredon", "datelettrage", "datelet"),
    "settled_on": (
        "settledon", "settleddate", "cleardate", "clearingdate", "datereglement", "paymentdate", "paidon",
    ),
    "department": ("department", "service", "fonction", "role"),
    "is_default": ("isdefault", "default", "principal", "pardefaut"),
    "removed": ("removed", "deleted", "supprime", "supprimee"),
    "status": ("status", "statut", "isopen", "etat", "open"),
    "profile": ("profile", "profil"),
    "category": ("category", "categorie", "famille", "catcompta"),
    "language": ("language", "langue"),
    "contact_name": ("contactname", "contact", "nomcontact", "interlocuteur"),
    "email": ("email", "mail", "courriel", "adresseemail", "adressemail", "contactemail"),
    "phone": ("phone", "telephone", "tel", "telfixe"),
    "mobile": ("mobile", "portable", "telportable", "gsm"),
    "address": ("address", "adresse", "adresse1", "address1", "rue", "street"),
    "address_2": ("address2", "adresse2", "complement"),
    "postcode": ("postcode", "codepostal", "cp", "zip", "zipcode", "postalcode"),
    "city": ("city", "ville"),
    "country": ("country", "pays", "countrycode", "codepays"),
    "salesperson": (
        "salesperson", "commercial", "representant", "vendeur", "salesrep", "nomcommercial", "collaborateur",
    ),
    "salesperson_code": ("salespersoncode", "codecommercial", "coderepresentant", "codevendeur", "cono"),
    **{field: (field, field.replace("tag", "champlibre"), field.replace("tag", "tagclient"))
       for field in CLIENT_FIELDS},
}  # fmt: skip
OPEN_WORDS = {"1", "true", "yes", "oui", "open", "ouvert", "ouverte", "o", "y", "unpaid", "non soldé", "due"}
CLOSED_WORDS = {"0", "false", "no", "non", "closed", "soldé", "soldée", "paid", "payé", "payée", "n", "settled"}
KIND_WORDS: dict[str, tuple[str, ...]] = {
    "invoice": ("facture", "fac", "fa", "invoice", "inv", "rv", "f", "dr", "vente"),
    "credit_note": ("avoir", "av", "credit note", "creditnote", "credit memo", "crn", "dg", "a"),
    "payment": ("règlement", "reglement", "rglt", "payment", "pay", "pmt", "dz", "paiement", "r", "encaissement"),
}


@dataclass(frozen=True)
class Column:
    name: str
    examples: list[str]
    field: str | None
    """The field it seems to feed."""


@dataclass(frozen=True)
class Look:
    """What a file shows at first sight. ``mapping`` may lack what a person must say."""

    columns: list[Column]
    rows: list[list[str]]
    sheets: list[str]
    encoding: str
    mapping: dict[str, Any]


def look(path: Path, holds: Holds | None = None, sheet: str | None = None, header_row: int | None = None) -> Look:
    """Read the beginning of a file. Raises ``TableUnreadable``."""
    table = Table(path, None, sheet)
    sample = list(islice(table.rows(), SAMPLE_ROWS + TITLE_ROWS))
    row = header_row or likely_header(sample)
    rest: Iterator[Row] = iter(sample)
    names, _ = header_of(rest, row)
    rows = [[cell.strip() for cell in cells[: len(names)]] for _, cells in rest]
    values = {
        name: [cells[place] for cells in rows if place < len(cells) and cells[place]]
        for place, name in enumerate(names)
    }
    held = holds or _likely_content(names)
    columns = _fields_of(names, held)
    mapping: dict[str, Any] = {"holds": held, "columns": {field: name for name, field in columns.items()}}
    if table.separator:
        mapping["separator"] = SEPARATOR_NAMES[table.separator]
    if len(table.sheets) > 1:
        mapping["sheet"] = table.sheet
    if row != 1:
        mapping["header_row"] = row
    _complete(mapping, values)
    shown = [
        Column(name, list(dict.fromkeys(values[name]))[:3], columns.get(name))
        for name in dict.fromkeys(names)
        if name
    ]
    return Look(shown, rows[:SHOWN_ROWS], table.sheets, table.encoding, mapping)


def likely_header(rows: list[Row]) -> int:
    """The first row that is as wide as the table and holds no number: titles above it are narrower."""
    widths = [sum(bool(cell.strip()) for cell in cells) for _, cells in rows]
    usual = max(widths, default=0)
    for (number, cells), width in zip(rows[:TITLE_ROWS], widths, strict=False):
        if width * 2 >= usual and not any(re.fullmatch(r"[\d.,/ -]+", cell) for cell in cells if cell.strip()):
            return number
    return rows[0][0] if rows else 1


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("°", "o")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", plain)


def _likely_content(names: list[str]) -> Holds:
    """What the columns speak of: amounts make entries, names or addresses clients, a contact's mail contacts."""
    told = {field for name in names for field, known in NAMES.items() if _folded(name) in known}
    if told & {"amount", "debit", "credit"}:
        return "entries"
    if "contact_name" in told and not told & {"client_name", "address", "profile"}:
        return "contacts"
    return "clients"


def _fields_of(names: list[str], holds: Holds) -> dict[str, str]:
    """Column to field: each field the column whose name comes first among those that it is known by."""
    folded = {_folded(name): name for name in reversed(names) if name}
    taken: dict[str, str] = {}
    for field in FIELDS[holds]:
        for known in NAMES.get(field, ()):
            name = folded.get(known)
            if name is not None and name not in taken:
                taken[name] = field
                break
    fields = {field: name for name, field in taken.items()}
    if "debit" in fields and "credit" in fields and "amount" in fields:
        del taken[fields["amount"]]
    elif "amount" in fields:
        for side in ("debit", "credit"):
            if side in fields:
                del taken[fields[side]]
    if "settled_on" in fields and "lettering" in fields:
        del taken[fields["settled_on"]]
    return taken


def _complete(mapping: dict[str, Any], values: dict[str, list[str]]) -> None:
    """Forms of dates and amounts, words, and what else the values tell."""
    columns: dict[str, str] = mapping["columns"]
    forms = {form: date_pattern(form) for form in get_args(DateForm)}
    dates = [text for field in DATE_FIELDS & columns.keys() for text in values[columns[field]]]
    if (form := best_form(dates, forms)) and mapping["holds"] == "entries":
        mapping["dates"] = form
    amounts = [text for field in AMOUNT_FIELDS & columns.keys() for text in values[columns[field]]]
    if amounts:
        mapping["decimal"], mapping["thousands"] = _marks(amounts)
    whole = [
        field
        for field in ("key", "client_id", "piece", "number")
        if field in columns and (texts := values[columns[field]]) and all(text.endswith(".0") for text in texts)
    ]
    if whole:
        mapping["whole_numbers"] = sorted(whole)
    if key := columns.get("key"):
        texts = values[key]
        if len(set(texts)) < len(texts):
            del columns["key"]
    if status := columns.get("status"):
        _read_status(mapping, values[status])
    if kind := columns.get("kind"):
        _read_kinds(mapping, values[kind])
    if mapping["holds"] == "entries" and not any(field in columns for field in DATING):
        dated = next((name for name, texts in values.items() if best_form(texts, forms)), None)
        if dated and dated not in columns.values():
            columns["invoice_date"] = dated
            mapping["dates"] = best_form(values[dated], forms)


def _marks(texts: list[str]) -> tuple[str, str]:
    """The decimal mark and the thousands separator that read the most amounts."""
    marks = ((".", ""), (",", ""), (",", " "), (".", ","), (",", "."), (".", " "), (".", "'"))

    def read(mark: tuple[str, str]) -> int:
        form = AmountTexts(*mark)
        return sum(form[text] is not None for text in texts)

    return max(marks, key=read)


def _read_status(mapping: dict[str, Any], texts: list[str]) -> None:
    words = set(texts)
    mapping["open_words"] = sorted(word for word in words if word.casefold() in OPEN_WORDS)
    mapping["closed_words"] = sorted(word for word in words if word.casefold() in CLOSED_WORDS)
    if not (mapping["open_words"] or mapping["closed_words"]):
        del mapping["columns"]["status"]


def _read_kinds(mapping: dict[str, Any], texts: list[str]) -> None:
    kinds = {
        word: kind for word in sorted(set(texts)) for kind, known in KIND_WORDS.items() if word.casefold() in known
    }
    if kinds:
        mapping["kinds"] = kinds
    else:
        del mapping["columns"]["kind"]
