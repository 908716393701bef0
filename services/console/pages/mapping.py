"""Synchronisation, choosing columns: what a file holds, checked without changing anything, then imported."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from services.console.gateway import Json, Neighbours, Refused
from services.console.pages.imports import stage_of, why_refused
from services.console.rendering import page
from services.console.visits import ActingDep, NotAllowed, PageUnknown, Visit, VisitDep, WholeCompany
from services.console.vocabulary.codes import MAPPED_FIELDS

router = APIRouter(dependencies=[WholeCompany])

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
CHOICES = ("dates", "decimal", "thousands", "positive", "credits", "missing")
KIND_WORDS = {
    "facture": "invoice", "avoir": "credit_note", "règlement": "payment", "reglement": "payment",
    "invoice": "invoice", "credit note": "credit_note", "payment": "payment",
}  # fmt: skip
SIDE_WORDS = {"débit": "debit", "debit": "debit", "crédit": "credit", "credit": "credit"}
SPOKEN = {
    "fr": {"invoice": "facture", "credit_note": "avoir", "payment": "règlement", "debit": "débit",
           "credit": "crédit"},
    "en": {"invoice": "invoice", "credit_note": "credit note", "payment": "payment", "debit": "debit",
           "credit": "credit"},
}  # fmt: skip
DEFAULTS: Json = {
    "dates": "YYYY-MM-DD", "decimal": ".", "thousands": "", "positive": "debit", "credits": "payment",
    "missing": "archive",
}  # fmt: skip


@router.get("/c/{company}/imports/files/{sample_id}")
async def choose(
    request: Request,
    visit: VisitDep,
    sample_id: UUID,
    holds: str = "",
    sheet: str = "",
    header_row: int | None = None,
    name: str = "",
    run: UUID | None = None,
) -> Response:
    """The columns of a kept file with what they seem to hold, or with what was chosen under ``name``."""
    if not visit.may_act:
        raise NotAllowed
    neighbours = visit.neighbours()
    look = await _look(neighbours, sample_id, holds, sheet, header_row)
    chosen = look["mapping"]
    if name:
        chosen = await neighbours.get("sync", f"/mappings/{name}")
    result = await neighbours.get("sync", f"/imports/{run}", language=visit.language) if run else None
    titles = await _titles(neighbours, chosen["holds"])
    return _page(request, visit, look, chosen, name or _likely_name(look["file"]), result, titles)


@router.post("/c/{company}/imports/files/{sample_id}")
async def save(request: Request, visit: ActingDep, sample_id: UUID) -> Response:
    """Save the mapping under its name, then check the file or import it."""
    form = await request.form()
    mapping, name = mapping_of(form), str(form.get("name", "")).strip().lower()
    wrong = _why_wrong(visit, mapping, name)
    neighbours = visit.neighbours()
    if not wrong:
        is_check = form.get("then") == "check"
        asked = {"sample": str(sample_id), "mapping": name} | ({"dry_run": "true"} if is_check else {})
        try:
            await neighbours.request("sync", "PUT", f"/mappings/{name}", json=mapping)
            answer = await neighbours.request("sync", "POST", "/imports", params=asked)
        except Refused as refusal:
            if refusal.code == "sample-unknown":
                return RedirectResponse(visit.url("imports", refused=refusal.code), status_code=303)
            wrong = [_told(visit, refusal)]
        else:
            run = answer.json()["run_id"]
            if not is_check:
                return RedirectResponse(visit.url("imports", run=run), status_code=303)
            back = {"name": name, "run": run, "holds": mapping["holds"]}
            back |= {part: mapping[part] for part in ("sheet", "header_row") if part in mapping}
            return RedirectResponse(visit.url(f"imports/files/{sample_id}", **back), status_code=303)
    look = await _look(
        neighbours, sample_id, mapping["holds"], mapping.get("sheet", ""), mapping.get("header_row")
    )
    titles = await _titles(neighbours, mapping["holds"])
    return _page(request, visit, look, mapping, name, None, titles, wrong=wrong, status=422)


async def _titles(neighbours: Neighbours, holds: str) -> dict[str, str]:
    """What the company calls the free fields that a file can fill."""
    named: Json = await neighbours.get("ledger", "/fields")
    about = {"entries": "entry", "clients": "client"}.get(holds)
    return {one["field"]: one["title"] for one in named[about]} if about else {}


async def _look(neighbours: Neighbours, sample_id: UUID, holds: str, sheet: str, header_row: int | None) -> Json:
    try:
        found: Json = await neighbours.get(
            "sync", f"/samples/{sample_id}", holds=holds, sheet=sheet, header_row=header_row
        )
    except Refused as refusal:
        if refusal.status == 404:
            raise PageUnknown from refusal
        raise
    return found


def _page(
    request: Request,
    visit: Visit,
    look: Json,
    chosen: Json,
    name: str,
    result: Json | None,
    titles: Mapping[str, str],
    *,
    wrong: Iterable[str] = (),
    status: int = 200,
) -> Response:
    fields = {column: field for field, column in chosen["columns"].items()}
    return page(
        request,
        visit,
        "mapping.html",
        status=status,
        look=look,
        chosen=DEFAULTS | chosen,
        fields=fields,
        titles=titles,
        known=MAPPED_FIELDS[chosen["holds"]],
        name=name,
        words=_words(chosen, SPOKEN[visit.language]),
        result=result,
        stage=stage_of(visit, result) if result else None,
        notice={"tone": "stop", "text": " ".join(wrong)} if wrong else None,
    )


def _words(chosen: Json, spoken: Mapping[str, str]) -> dict[str, str]:
    """What the words of the file mean, as a person writes it: one ``word = meaning`` per line."""

    def meanings(part: str) -> str:
        return "\n".join(
            f"{word} = {spoken.get(meaning, meaning)}" for word, meaning in chosen.get(part, {}).items()
        )

    return {
        "kinds": meanings("kinds"),
        "sides": meanings("sides"),
        "open_words": ", ".join(chosen.get("open_words", [])),
        "closed_words": ", ".join(chosen.get("closed_words", [])),
        "rates": "\n".join(f"{code} = {rate}" for code, rate in chosen.get("rates", {}).items()),
        "only": "\n".join(f"{column} = {', '.join(some)}" for column, some in chosen.get("only", {}).items()),
        "currency": chosen.get("constants", {}).get("currency", ""),
        "account": chosen.get("constants", {}).get("account", ""),
    }


def mapping_of(form: FormData) -> Json:
    """The mapping that the form describes."""

    def text(name: str) -> str:
        return str(form.get(name, "")).strip()

    columns: dict[str, str] = {}
    whole = []
    place = 0
    while (column := form.get(f"name_{place}")) is not None:
        if field := text(f"column_{place}"):
            columns[field] = str(column)
            if form.get(f"whole_{place}"):
                whole.append(field)
        place += 1
    mapping: Json = {"holds": text("holds") or "entries", "columns": columns}
    mapping |= {choice: str(form.get(choice, "")) for choice in CHOICES if form.get(choice) is not None}
    constants = {field: text(field) for field in ("currency", "account") if text(field) and field not in columns}
    lists: dict[str, Any] = {
        "constants": constants,
        "whole_numbers": whole,
        "kinds": _meanings(text("kinds"), KIND_WORDS),
        "sides": _meanings(text("sides"), SIDE_WORDS),
        "rates": {code.upper(): rate.replace(",", ".") for code, rate in _lines(text("rates"))},
        "only": {column: _some(values) for column, values in _lines(text("only"))},
        "open_words": _some(text("open_words")),
        "closed_words": _some(text("closed_words")),
        "sheet": text("sheet"),
        "separator": text("separator"),
    }
    mapping |= {part: held for part, held in lists.items() if held}
    if (row := text("header_row")).isdigit() and row != "1":
        mapping["header_row"] = int(row)
    return mapping


def _lines(text: str) -> list[tuple[str, str]]:
    return [
        (word.strip(), meaning.strip())
        for line in text.splitlines()
        for word, equals, meaning in [line.rpartition("=")]
        if equals and word.strip() and meaning.strip()
    ]


def _some(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _meanings(text: str, known: Mapping[str, str]) -> dict[str, str]:
    return {word: known.get(meaning.lower(), meaning) for word, meaning in _lines(text)}


def _why_wrong(visit: Visit, mapping: Json, name: str) -> list[str]:
    """What a person can mend before sync is asked, in the person's language."""
    _ = visit.words.gettext
    columns = mapping["columns"]
    wrong = []
    if NAME.fullmatch(name) is None:
        wrong.append(_("Donnez un nom à la correspondance : minuscules sans accent, chiffres, - et _."))
    if "client_id" not in columns:
        wrong.append(_("Dites quelle colonne contient le code du client."))
    if mapping["holds"] == "entries":
        if "amount" not in columns and not {"debit", "credit"} <= columns.keys():
            wrong.append(_("Dites quelle colonne contient le montant, ou lesquelles le débit et le crédit."))
        if not {"invoice_date", "entry_date", "due_date"} & columns.keys():
            wrong.append(_("Dites quelle colonne contient une date : facture, écriture ou échéance."))
    elif mapping["holds"] == "contacts" and not {"email", "phone", "mobile"} & columns.keys():
        wrong.append(_("Dites quelle colonne contient l’e-mail ou le téléphone."))
    return wrong


def _told(visit: Visit, refusal: Refused) -> str:
    """What sync refused, part by part where it says so."""
    parts = [str(one["message"]) for one in refusal.facts.get("errors", [])]
    return " ".join([why_refused(visit, refusal.code), *parts])


def _likely_name(file: str) -> str:
    """A name for a mapping out of the name of a file, its dates left out."""
    stem = re.sub(r"[^a-z0-9]+", "-", file.rpartition(".")[0].lower() or file.lower())
    return re.sub(r"-?\d{2,}(-\d+)*", "", stem).strip("-")[:40] or "fichier"
