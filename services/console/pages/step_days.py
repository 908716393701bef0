"""The days and the hour that a step of a scenario has otherwise than its company (rule 4.16)."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

from services.console.language import N_
from services.console.visits import Visit

HOLIDAYS: Mapping[str, bool | None] = {"": None, "true": True, "false": False}
"""As the company has it, without the public holidays, on public holidays too."""
MONTH_DAYS_UNREADABLE = N_("Les jours du mois vont de 1 à 31 : écrivez-les comme « 5, 20 ».")


def own_days(
    form: FormData, prefix: str, own: Mapping[str, Any], unreadable: dict[str, str]
) -> dict[str, Any] | None:
    """The step's own calendar; ``None`` when it is that of the company. A form that does not show it leaves it."""
    if form.get(f"{prefix}.own_days") != "shown":
        kept: dict[str, Any] | None = own.get("calendar")
        return kept
    days = sorted({int(str(day)) for day in form.getlist(f"{prefix}.weekdays") if str(day) in "1234567"})
    calendar = {
        "weekdays": days or None,
        "month_days": _month_days(form, prefix, unreadable),
        "skip_holidays": HOLIDAYS.get(str(form.get(f"{prefix}.holidays", ""))),
        "not_before": str(form.get(f"{prefix}.not_before", ""))[:5] or None,
    }
    return calendar if any(value is not None for value in calendar.values()) else None


def _month_days(form: FormData, prefix: str, unreadable: dict[str, str]) -> list[int] | None:
    if form.get(f"{prefix}.any_month_day") == "true":
        return []
    text = str(form.get(f"{prefix}.month_days", "")).strip()
    if not text:
        return None
    days = sorted({int(number) for number in re.findall(r"\d+", text)})
    if not days or days[0] < 1 or days[-1] > 31 or re.search(r"[^\d\s,;.]", text):
        unreadable[prefix] = MONTH_DAYS_UNREADABLE
        return None
    return days


def weekday_names(visit: Visit) -> list[tuple[int, str, str]]:
    """Number, name and short name of each day of the week, Monday first."""
    _ = visit.words.gettext
    return [
        (1, _("lundi"), _("lun.")),
        (2, _("mardi"), _("mar.")),
        (3, _("mercredi"), _("mer.")),
        (4, _("jeudi"), _("jeu.")),
        (5, _("vendredi"), _("ven.")),
        (6, _("samedi"), _("sam.")),
        (7, _("dimanche"), _("dim.")),
    ]


def days_in_words(visit: Visit, calendar: Mapping[str, Any] | None) -> str:
    """``lun., mar. · dès 08:30``; empty when a step has nothing of its own."""
    if not calendar:
        return ""
    _ = visit.words.gettext
    told = []
    if calendar.get("weekdays"):
        chosen = set(calendar["weekdays"])
        told.append(", ".join(short for number, _name, short in weekday_names(visit) if number in chosen))
    if calendar.get("month_days"):
        told.append(_("les %(days)s du mois") % {"days": ", ".join(map(str, calendar["month_days"]))})
    elif calendar.get("month_days") is not None:
        told.append(_("tous les jours du mois"))
    if calendar.get("skip_holidays") is not None:
        told.append(_("sauf fériés") if calendar["skip_holidays"] else _("fériés compris"))
    if calendar.get("not_before"):
        told.append(_("dès %(hour)s") % {"hour": calendar["not_before"]})
    return " · ".join(told)
