"""What dunning answers about scenarios: the delivered ones, tried out by its own rules."""

from datetime import date
from typing import Any

import httpx

from services.dunning.api.scenarios import ScenarioTried, _next_version, _timelines
from services.dunning.defaults import delivered_scenarios
from services.dunning.domain import scenario as scenarios
from services.dunning.domain.calendar import EVERY_DAY
from services.dunning.domain.scenario_changes import changes
from services.dunning.domain.timeline import example_dates

KNOWN = list(delivered_scenarios())


def answered(path: str, body: Any, request: httpx.Request, today: date) -> Any:
    """``None`` for what is asked elsewhere. A scenario that cannot work is refused as dunning does."""
    if path == "/scenarios/versions":
        profile = request.url.params["profile"]
        return {
            "profile": profile,
            "versions": [
                {
                    "version": one.version,
                    "set_on": "2026-01-05",
                    "said_at": "2026-01-05T08:00:00+00:00",
                    "actor": "system:dunning",
                    "changes": [],
                    "scenario": one.model_dump(mode="json"),
                }
                for one in KNOWN
                if one.profile == profile
            ],
        }
    if path == "/scenarios/check":
        return _tried(ScenarioTried.model_validate(body), today)
    if path == "/scenarios" and request.method == "PUT":
        found = _tried(ScenarioTried.model_validate({"scenario": body}), today)
        if found["problems"]:
            refused = {"type": "refused", "title": "Refused", "status": 422, "problems": found["problems"]}
            return httpx.Response(422, json=refused)
        return {"version": found["version"], "positions": ["dunning/7/21"]}
    if path == "/scenarios":
        return {"scenarios": [one.model_dump(mode="json") for one in KNOWN]}
    return None


def _tried(tried: ScenarioTried, today: date) -> dict[str, Any]:
    before = next((one for one in KNOWN if one.profile == tried.scenario.profile), None)
    new = _next_version(tried.scenario, KNOWN, today)
    invoice_date, due_date = example_dates(today)
    invoice_date, due_date = tried.invoice_date or invoice_date, tried.due_date or due_date
    problems = scenarios.check(new)
    timeline = _timelines(new, EVERY_DAY, invoice_date, due_date)
    return {
        "possible": not problems,
        "problems": [one.as_problem() for one in problems],
        "version": new.version,
        "changes": [one._asdict() for one in changes(before, new)],
        "invoice_date": invoice_date.isoformat(),
        "due_date": due_date.isoformat(),
        "timeline": {
            variant: None if stops is None else [_plain(stop) for stop in stops]
            for variant, stops in timeline.items()
        },
    }


def _plain(stop: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in stop.items()}
