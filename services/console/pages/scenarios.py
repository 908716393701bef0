"""Configurer, Scénarios: both columns of a scenario side by side, its days while one types, its versions."""

import asyncio
import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from services.console.formatting import day_written
from services.console.gateway import Json, Refused
from services.console.language import N_
from services.console.pages.step_days import days_in_words, own_days, weekday_names
from services.console.rendering import page
from services.console.visits import ActingDep, Visit, VisitDep

router = APIRouter(prefix="/c/{company}")

VARIANTS = ("with_email", "without_email")
REMINDERS = tuple(f"R{level}" for level in range(1, 8))
STEPS = ("notice", *REMINDERS, "thanks")
FIXED_REFERENCE = {"notice": "due_date", "thanks": "payment_date"}
ENDS = {"": (False, False), "reference": (True, False), "result": (False, True), "both": (True, True)}
"""Which end of month: of the date counted from, of the day found."""
MEDIA = {"with_email": ("email", "letter", "phone", "other"), "without_email": ("letter", "phone", "other")}
WRITTEN = ("email", "letter")
PUBLISHED = N_("La version %(version)s est publiée ; la prochaine décision la suit.")
UNCHANGED = N_("Rien n’a changé : la version %(version)s reste en vigueur.")
CALENDAR_SAVED = N_("Le calendrier est enregistré ; la prochaine décision le suit.")
CALENDAR_REFUSED = N_("Le calendrier ne se lit pas : les jours du mois vont de 1 à 31, l’heure s’écrit HH:MM.")
COPY_ENTERED = N_("L’adresse est enregistrée ; choisissez-la dans les étapes.")
NO_ADDRESS = N_("Cette adresse e-mail ne se lit pas.")
NOT_A_NUMBER = N_("Indiquez un nombre de jours.")


@router.get("/scenarios")
async def scenarios(
    request: Request,
    visit: VisitDep,
    profile: str = "",
    like: str = "",
    version: int = 0,
    published: int = 0,
    said: str = "",
) -> Response:
    """The scenario in force of a profile; with ``like`` the steps of another profile, with ``version`` an old one,
    both to be published if wanted.
    """
    known = await _known(visit, profile)
    wanted = known["of"].get(like) or known["of"].get(known["profile"])
    if version:
        old = [one["scenario"] for one in known["versions"] if one["version"] == version]
        wanted = old[0] if old else wanted
    body = _body(known["profile"], wanted)
    notice = None
    if said in SAID:
        text = visit.words.gettext(SAID[said]) % {"version": published}
        notice = {"tone": "stop" if said in ("refused", "no_address") else "ok", "text": text}
    return await _shown(request, visit, known, body, notice=notice)


SAID = {
    "published": PUBLISHED,
    "unchanged": UNCHANGED,
    "calendar": CALENDAR_SAVED,
    "refused": CALENDAR_REFUSED,
    "copy": COPY_ENTERED,
    "no_address": NO_ADDRESS,
}


@router.post("/scenarios/try")
async def try_out(request: Request, visit: VisitDep) -> Response:
    """The days, the mistakes and the changes of what stands in the form now; nothing is saved."""
    form = await request.form()
    known = await _known(visit, str(form.get("profile", "")))
    body, unreadable = _typed(form, known["of"])
    return await _shown(
        request, visit, known, body, form=form, unreadable=unreadable, template="scenario_try.html"
    )


@router.post("/scenarios")
async def publish(request: Request, visit: ActingDep) -> Response:
    """A new version; what cannot work comes back as it was typed, with the reasons at the fields."""
    visit.only_for("admin")
    form = await request.form()
    known = await _known(visit, str(form.get("profile", "")))
    body, unreadable = _typed(form, known["of"])
    before = known["of"].get(known["profile"], {}).get("version", 0)
    if not unreadable and form.get("then") != "look":
        try:
            answer: Json = await visit.neighbours().command("dunning", "PUT", "/scenarios", body)
        except Refused as refusal:
            if refusal.status != 422:
                raise
        else:
            version = answer["version"]
            said = "unchanged" if version == before else "published"
            to = visit.url("scenarios", profile=known["profile"], published=version, said=said)
            return RedirectResponse(to, status_code=303)
    status = 200 if form.get("then") == "look" else 422
    return await _shown(request, visit, known, body, form=form, unreadable=unreadable, status=status)


@router.post("/scenarios/calendar")
async def save_calendar(request: Request, visit: ActingDep) -> Response:
    """The days on which the company reminds at all; the rest of the policy stays as it is."""
    visit.only_for("admin")
    form = await request.form()
    neighbours = visit.neighbours()
    policy: Json = await neighbours.get("dunning", "/policy")
    days = re.findall(r"\d+", str(form.get("month_days", "")))
    calendar = {
        "weekdays": [int(str(day)) for day in form.getlist("weekdays") if str(day).isdigit()],
        "month_days": sorted({int(day) for day in days}),
        "skip_holidays": form.get("skip_holidays") == "true",
        "not_before": str(form.get("not_before", ""))[:5] or None,
    }
    wanted = {name: value for name, value in policy.items() if name != "version"} | {"calendar": calendar}
    said = "calendar"
    try:
        await neighbours.command("dunning", "PUT", "/policy", wanted)
    except Refused as refusal:
        if refusal.status != 422:
            raise
        said = "refused"
    profile = str(form.get("profile", ""))
    return RedirectResponse(visit.url("scenarios", profile=profile, said=said), status_code=303)


@router.post("/scenarios/copies")
async def enter_copy(
    visit: ActingDep,
    email: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    profile: Annotated[str, Form()] = "",
) -> Response:
    """One more address for copies; it stays in notify's address book, and steps carry its id (rule 4.14)."""
    visit.only_for("admin")
    said = "copy"
    try:
        await visit.neighbours().command(
            "notify", "PUT", "/copies", {"email": email.strip(), "name": name.strip()}
        )
    except Refused as refusal:
        if refusal.status != 422:
            raise
        said = "no_address"
    return RedirectResponse(visit.url("scenarios", profile=profile, said=said), status_code=303)


async def _known(visit: Visit, profile: str) -> Json:
    """Everything the page needs besides what is typed."""
    neighbours = visit.neighbours()
    found, policy, options, templates = await asyncio.gather(
        neighbours.get("dunning", "/scenarios"),
        neighbours.get("dunning", "/policy"),
        neighbours.get("reporting", "/options"),
        neighbours.get("notify", "/templates"),
    )
    of = {one["profile"]: one for one in found["scenarios"]}
    profile = profile.strip()[:64] or policy["default_profile"]
    history = await neighbours.get("dunning", "/scenarios/versions", profile=profile)
    book: list[Json] = (await neighbours.get("notify", "/copies"))["copies"] if visit.may_act else []
    return {
        "profile": profile,
        "of": of,
        "profiles": sorted({*of, *options["profiles"], policy["default_profile"], profile}),
        "calendar": policy.get("calendar") or {},
        "templates": _templates(templates["templates"]),
        "versions": history["versions"],
        "copies": [{"copy_id": one["copy_id"], "name": one["name"] or one["email"]} for one in book],
    }


def _templates(known: list[Json]) -> Mapping[str, Mapping[str, str]]:
    """By what they are for: the names, and of a company's own the titles (rule 13.1)."""
    found: dict[str, dict[str, str]] = {"notice": {}, "reminder": {}, "thanks": {}}
    for one in sorted(known, key=lambda one: str(one["name"])):
        title = one["title"] if one["own"] else ""
        found[one["kind"]][one["name"]] = title or found[one["kind"]].get(one["name"], "")
    return found


def _body(profile: str, wanted: Json | None) -> Json:
    """A scenario as it is published; one of a profile that has none begins with nothing switched on."""
    found = wanted or {}
    return {
        "profile": profile,
        **{variant: [dict(step) for step in found.get(variant, ())] for variant in VARIANTS},
        **{f"{variant}_enabled": found.get(f"{variant}_enabled", True) for variant in VARIANTS},
    }


def _typed(form: FormData, of: Mapping[str, Json]) -> tuple[Json, dict[str, str]]:
    """What the form says, and the fields that cannot be read."""
    profile = str(form.get("profile", "")).strip()
    body = _body(profile, of.get(profile))
    unreadable: dict[str, str] = {}
    for variant in VARIANTS:
        own = {step["step"]: step for step in body[variant]}
        body[f"{variant}_enabled"] = form.get(f"{variant}.enabled") == "true"
        body[variant] = []
        for name in STEPS:
            prefix = f"{variant}.{name}"
            enabled = form.get(f"{prefix}.enabled") == "true"
            if not enabled and form.get(f"{prefix}.kept") != "true":
                continue
            body[variant].append(_step(form, prefix, own.get(name, {}), enabled, unreadable))
    return body, unreadable


def _step(form: FormData, prefix: str, own: Json, enabled: bool, unreadable: dict[str, str]) -> Json:
    name = prefix.split(".")[1]
    delay = str(form.get(f"{prefix}.delay_days", "")).strip()
    if not re.fullmatch(r"\d{1,5}", delay):
        unreadable[prefix] = NOT_A_NUMBER
        delay = "0"
    reference, _, end = str(form.get(f"{prefix}.reference", "")).partition(":")
    from_end, to_end = ENDS.get(end, ENDS[""])
    medium = str(form.get(f"{prefix}.medium", "")) or "phone"
    template = str(form.get(f"{prefix}.template", "")) or name
    return {
        "step": name,
        "medium": medium,
        "delay_days": int(delay),
        "counted_from": FIXED_REFERENCE.get(name) or reference or "due_date",
        "mode": "automatic" if form.get(f"{prefix}.automatic") == "true" and medium == "email" else "manual",
        "template": template if medium in WRITTEN else None,
        "ignorable": form.get(f"{prefix}.ignorable") == "true",
        "enabled": enabled,
        "from_end_of_month": from_end,
        "end_of_month": to_end,
        "calendar": own_days(form, prefix, own, unreadable),
        "copies": [str(one) for one in form.getlist(f"{prefix}.copies")] if medium == "email" else [],
    }


async def _shown(
    request: Request,
    visit: Visit,
    known: Json,
    body: Json,
    *,
    form: FormData | None = None,
    unreadable: Mapping[str, str] | None = None,
    notice: Json | None = None,
    template: str = "scenarios.html",
    status: int = 200,
) -> Response:
    due_date = day_written(str(form.get("due_date", ""))) if form is not None else None
    asked: Json = {"scenario": body}
    if due_date is not None:
        asked |= {"due_date": due_date.isoformat(), "invoice_date": due_date.replace(day=1).isoformat()}
    tried = (await visit.neighbours().request("dunning", "POST", "/scenarios/check", json=asked)).json()
    problems: dict[str, list[str]] = {key: [visit.words.gettext(text)] for key, text in (unreadable or {}).items()}
    for one in tried["problems"]:
        where = ".".join(part for part in (one["variant"], one["step"]) if part)
        language = "fr" if visit.language == "fr" else "en"
        problems.setdefault(where, []).append(f"{one['why'][language]} {one['remedy'][language]}")
    return page(
        request,
        visit,
        template,
        status=status,
        known=known,
        profile=known["profile"],
        columns=[_column(variant, body, tried) for variant in VARIANTS],
        tried=tried,
        changes=changes_in_words(visit, tried["changes"]),
        problems=problems,
        references=references(visit),
        media=MEDIA,
        steps=STEPS,
        weekdays=weekday_names(visit),
        days_in_words=lambda calendar: days_in_words(visit, calendar),
        notice=notice,
        locked=not visit.is_at_least("admin"),
        fragment=template != "scenarios.html",
    )


def _column(variant: str, body: Json, tried: Json) -> Json:
    rows = {step["step"]: step for step in body[variant]}
    stops = tried["timeline"][variant]
    return {
        "variant": variant,
        "enabled": body[f"{variant}_enabled"],
        "steps": [(name, rows.get(name)) for name in STEPS if not (name == "notice" and variant != "with_email")],
        "stops": stops,
        "pins": _pins(stops or (), tried["invoice_date"], tried["due_date"]),
    }


def _pins(stops: Any, invoice_date: str, due_date: str) -> Json:
    """Places on a line of a thousand, from the invoice to the last step."""
    days = [invoice_date, due_date, *(stop["on"] for stop in stops)]
    ordinals = [_ordinal(day) for day in days]
    first, last = min(ordinals), max(ordinals)
    places = [round(20 + 960 * (day - first) / max(1, last - first)) for day in ordinals]
    return {"invoice": places[0], "due": places[1], "steps": list(zip(stops, places[2:], strict=True))}


def _ordinal(day: str) -> int:
    found = day_written(day)
    assert found is not None
    return found.toordinal()


def references(visit: Visit) -> list[tuple[str, str]]:
    """What a reminder may be counted from, and where the ends of months come in."""
    _ = visit.words.gettext
    return [
        ("due_date:", _("après l’échéance")),
        ("due_date:result", _("après l’échéance, puis fin de mois")),
        ("due_date:reference", _("après la fin du mois de l’échéance")),
        ("invoice_date:", _("après la date de facture")),
        ("invoice_date:result", _("après la date de facture, puis fin de mois")),
        ("invoice_date:reference", _("après la fin du mois de facture")),
        ("previous_step:", _("après la relance précédente")),
        ("previous_step:result", _("après la relance précédente, puis fin de mois")),
    ]


def changes_in_words(visit: Visit, found: list[Json]) -> list[Json]:
    """Column, step, and the sentence of each change."""
    _ = visit.words.gettext
    words = {
        "enabled": _("active"),
        "medium": _("média"),
        "delay_days": _("délai"),
        "counted_from": _("point de départ"),
        "mode": _("envoi"),
        "template": _("modèle"),
        "ignorable": _("étape à ignorer"),
        "end_of_month": _("fin de mois du résultat"),
        "from_end_of_month": _("fin de mois du point de départ"),
        "calendar": _("jours et heure"),
        "copies": _("copies"),
    }
    told = []
    for one in found:
        if one["step"] is None:
            text = _("colonne activée") if one["after"] else _("colonne désactivée")
        elif one["field"] is None:
            text = _("étape ajoutée") if one["before"] is None else _("étape retirée")
        elif one["field"] in {"calendar", "copies"}:
            text = words[one["field"]]
        else:
            before, after = (_said(visit, one["field"], one[side]) for side in ("before", "after"))
            text = _("%(field)s : %(before)s → %(after)s") % {
                "field": words.get(one["field"], one["field"]),
                "before": before,
                "after": after,
            }
        told.append({"variant": one["variant"], "step": one["step"], "text": text})
    return told


def _said(visit: Visit, field: str, value: object) -> str:
    _ = visit.words.gettext
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if field == "medium":
        return visit.vocabulary.medium(str(value))
    spoken = {
        "manual": _("manuel"),
        "automatic": _("automatique"),
        "due_date": _("échéance"),
        "invoice_date": _("date de facture"),
        "previous_step": _("relance précédente"),
        "payment_date": _("règlement"),
    }
    return "–" if value is None else spoken.get(str(value), str(value))
