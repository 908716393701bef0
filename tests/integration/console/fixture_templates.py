"""What notify answers about templates: the delivered ones, and what is saved, checked by its own rules."""

from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from services.notify.api.templates import Template, TemplateExported
from services.notify.manuscript import html_of, read
from services.notify.proofreading import problems
from services.notify.shelf import in_use
from services.notify.tags import BLOCK_TAGS, TAGS

SAVED_AT = "2026-11-23T16:20:00+00:00"
SENDER = {"name": "Nathalie Ferrand", "email": "compta@delcourt.example", "company_name": "Ateliers Delcourt"}
TRIED = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Rappel</title></head>
<body style="font-family:Arial"><p>Bonjour Madame Giraud,</p></body></html>"""


@dataclass
class Texts:
    """``saved`` are all versions, in their order; ``tried`` what previews were asked for."""

    saved: list[dict[str, Any]] = field(default_factory=list)
    tried: list[dict[str, Any]] = field(default_factory=list)
    sender: dict[str, Any] | None = field(default_factory=lambda: dict(SENDER))

    def answer(self, path: str, body: Any, request: httpx.Request) -> Any:  # noqa: PLR0911 - one per address
        asked = request.url.params
        match path, request.method:
            case "/sender", _:
                return self._sender(body, request)
            case "/templates/preview", _:
                return self._preview(body)
            case "/templates/versions", _:
                key = (asked["name"], asked["medium"], asked["language"])
                return {"versions": [one for one in reversed(self.saved) if _key(one) == key]}
            case "/templates/export", _:
                members = set(TemplateExported.model_fields)
                texts = [{name: one[name] for name in one if name in members} for one in self._own()]
                return {"format": "relance.templates", "version": 1, "templates": texts}
            case "/templates/import", _:
                return self._import(body, request)
            case _, "PUT":
                return self._save(body)
            case _, "DELETE":
                key = (asked["name"], asked["medium"], asked["language"])
                last = next(one for one in reversed(self.saved) if _key(one) == key)
                self.saved.append(last | {"version": last["version"] + 1, "gone": True})
                return {"deleted": True}
        tags = [
            {"tag": f"%{name}%", "description": said.fr, "description_en": said.en, "block": name in BLOCK_TAGS}
            for name, said in TAGS.items()
        ]
        return {"templates": in_use(self._own()), "tags": tags, "not_yet": []}

    def _preview(self, body: Any) -> Any:
        self.tried.append(body)
        left_out = {"tag": "%pay%", "reason": "Le bouton est laissé de côté.", "reason_en": "Left out."}
        return self._refusal(body) or {
            "client_id": body["client_id"] or "411GIRAUD",
            "client_name": "Giraud & Diaz",
            "fits": True,
            "subject": "Solde échu : 4 656,98 €",
            "text": "Bonjour Madame Giraud,\n",
            "html": TRIED,
            "left_out": [left_out],
        }

    def _own(self) -> list[dict[str, Any]]:
        last = {_key(one): one for one in self.saved}
        return [one for one in last.values() if not one["gone"]]

    def _refusal(self, body: Any) -> httpx.Response | None:
        found = problems(body["subject"], body["body"], body["form"])
        if not found:
            return None
        told = [asdict(problem) for problem in found]
        return httpx.Response(422, json={"type": "unknown-tag", "status": 422, "problems": told})

    def _save(self, body: Any) -> Any:
        if refused := self._refusal(body):
            return refused
        written = Template.model_validate(body).written()
        known = [one for one in self.saved if _key(one) == (written.name, written.medium, written.language)]
        seen = 0 if not known or known[-1]["gone"] else known[-1]["version"]
        if body.get("expected_version") not in (None, seen):
            return httpx.Response(409, json={"type": "template-changed", "status": 409, "version": seen})
        row = asdict(written) | {
            "version": len(known) + 1,
            "gone": False,
            "own": True,
            "changed_by": "user:1",
            "changed_at": SAVED_AT,
            "html": html_of(read(written.body, written.form)),
        }
        self.saved.append(row)
        return row | {"changed": True}

    def _import(self, body: Any, request: httpx.Request) -> Any:
        if body.get("format") != "relance.templates":
            errors = [
                {"where": "body.format", "message": "Input should be 'relance.templates'", "type": "literal"}
            ]
            return httpx.Response(422, json={"type": "invalid-request", "status": 422, "errors": errors})
        if request.url.params["dry_run"] != "true":
            for one in body["templates"]:
                self._save(one)
        imported = [{**one, "version": 1, "state": "new"} for one in body["templates"]]
        return {"dry_run": request.url.params["dry_run"] == "true", "imported": imported}

    def _sender(self, body: Any, request: httpx.Request) -> Any:
        if request.method == "PUT":
            if body["email"] and "@" not in body["email"]:
                errors = [{"where": "body.email", "message": "not an e-mail address", "type": "value_error"}]
                return httpx.Response(422, json={"type": "invalid-request", "status": 422, "errors": errors})
            self.sender = body
            return body
        return {"saved": self.sender, "used": {**SENDER, **(self.sender or {})}}


def _key(one: dict[str, Any]) -> tuple[str, str, str]:
    return one["name"], one["medium"], one["language"]
