"""The main job over HTTP, as any other caller would do it: import, round, confirm, send.

Used by the commands, the demonstration, the benchmarks and the fault campaign. Every call goes to the public API
of the service that owns the fact; nothing here reads a database.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from cli.calling import Addresses, Calls, Json, RoadBlocked

__all__ = ["Addresses", "Json", "Road", "RoadBlocked", "email_actions"]

CHUNK_BYTES = 1 << 20


class Road(Calls):
    """One company's main job."""

    def register(self, name: str, currency: str = "EUR") -> Json:
        """Register the company, or leave it as it is when it is known already."""
        known = self._call("GET", self.addresses.ledger, "", missing_is_none=True)
        if known is not None:
            return known
        return self._call("PUT", self.addresses.ledger, "", json={"name": name, "currency": currency}) or {}

    def import_file(
        self,
        file: Path,
        *,
        email_domain: str | None = None,
        mapping: str | None = None,
        dry_run: bool = False,
        within: float = 600,
    ) -> Json:
        """Send the file to sync and wait for its run to end; the run's result, completed or failed."""
        chosen = {"email_domain": email_domain, "mapping": mapping, "dry_run": "true" if dry_run else None}
        query = {"filename": file.name, **{name: value for name, value in chosen.items() if value}}
        # A company just registered is known to sync a moment later.
        started = self._retry_while_unknown(
            lambda: self._call("POST", self.addresses.sync, "/imports", params=query, content=_chunks(file)),
            within=15,
        )
        return self.follow_import(started["run_id"], within)

    def follow_import(self, run_id: str, within: float = 600) -> Json:
        """Wait for a run of sync to end; its result, completed or failed."""
        return self._poll(
            self.addresses.sync,
            f"/imports/{run_id}",
            lambda run: run["status"] in ("completed", "failed"),
            within,
            f"the import {run_id}",
        )

    def put_connector(self, name: str, connector: Json) -> Json:
        """Make a connector to a live base, once sync has heard of the company."""
        return self._retry_while_unknown(
            lambda: self._call("PUT", self.addresses.sync, f"/connectors/{name}", json=connector), within=15
        )

    def synchronise(self, name: str, mode: str = "incremental") -> Json:
        """Ask a connector for a sync; ``run_id`` to follow it with."""
        return (
            self._call("POST", self.addresses.sync, f"/connectors/{name}/synchronise", json={"mode": mode}) or {}
        )

    def imports(self) -> Json:
        """The last runs of sync, the newest first."""
        return self._call("GET", self.addresses.sync, "/imports") or {}

    def mappings(self) -> Json:
        """Every saved mapping."""
        return self._call("GET", self.addresses.sync, "/mappings") or {}

    def mapping(self, name: str) -> Json:
        """One saved mapping."""
        return self._call("GET", self.addresses.sync, f"/mappings/{name}") or {}

    def save_mapping(self, name: str, mapping: Json) -> Json:
        """Save how a file is read, under a name; what was kept of it."""
        return self._retry_while_unknown(
            lambda: self._call("PUT", self.addresses.sync, f"/mappings/{name}", json=mapping), within=15
        )

    def look_at(self, file: Path, holds: str | None = None) -> Json:
        """Send a file to be looked at: its columns with examples, and the mapping that seems to fit."""
        query = {"filename": file.name, **({"holds": holds} if holds else {})}
        return self._retry_while_unknown(
            lambda: self._call("POST", self.addresses.sync, "/samples", params=query, content=_chunks(file)),
            within=15,
        )

    def set_policy(self, policy: Json) -> Json:
        """Change the company's policy once dunning has heard of the company."""
        return self._retry_while_unknown(
            lambda: self._call("PUT", self.addresses.dunning, "/policy", json=policy), within=15
        )

    def set_sender(self, sender: Json) -> Json:
        """Say who writes for the company."""
        return self._call("PUT", self.addresses.notify, "/sender", json=sender) or {}

    def hand_people(self, source: str, people: Sequence[Json]) -> Json:
        """Hand names, addresses, mail and phones of clients to ledger; the same again changes nothing."""
        body = {"source": source, "clients": list(people)}
        return self._call("POST", self.addresses.ledger, "/people", json=body) or {}

    def tell(self, command: str, **fact: Any) -> Json:
        """A person's statement to ledger, by the name of its command: ``stop-client``, ``record-promise``…"""
        return self._call("POST", self.addresses.ledger, f"/{command}", json=fact) or {}

    def write_contact(self, **contact: Any) -> Json:
        """A contact of a client written by hand."""
        return self._call("PUT", self.addresses.ledger, "/contact", json=contact) or {}

    def person_data(self, client_id: str) -> Json:
        """Everything that is kept of the person behind a client, by the service that keeps it."""
        asked = {"client_id": client_id}
        return {
            name: self._call("GET", base, "/person-data", params=asked) or {}
            for name, base in (("ledger", self.addresses.ledger), ("notify", self.addresses.notify))
        }

    def documents_of_person(self, client_id: str) -> bytes:
        """The documents of the person behind a client, as a ZIP."""
        asked = {"client_id": client_id}
        return self._answer("GET", self.addresses.ledger, "/documents/of-person", params=asked).content

    def files_of_person(self, client_id: str) -> dict[str, bytes]:
        """The files of the person behind a client, a ZIP by the service that keeps them."""
        asked = {"client_id": client_id}
        return {
            name: self._answer("GET", base, "/person-files", params=asked).content
            for name, base in (("ledger", self.addresses.ledger), ("notify", self.addresses.notify))
        }

    def missing_documents(self, *, unlettered: bool = False, since: date | None = None) -> Iterator[Json]:
        """The invoices and credit notes without a document, as ledger pages them."""
        query: dict[str, str | int] = {"limit": 5000}
        if unlettered:
            query["unlettered"] = "true"
        if since is not None:
            query["since"] = f"{since}"
        while True:
            found = self._call("GET", self.addresses.ledger, "/documents/missing", params=query) or {}
            yield from found["entries"]
            if not found.get("next"):
                return
            query["after"] = found["next"]

    def upload_documents(self, bundle: Path) -> Json:
        """Send a ZIP of PDFs with its metadata.json; what became of each."""
        headers = {"Content-Type": "application/zip"}
        return (
            self._call(
                "POST", self.addresses.ledger, "/documents", content=_chunks(bundle), more=headers, timeout=600
            )
            or {}
        )

    def wait_until_ledger_heard(self, after: Mapping[str, Mapping[int, int]], within: float = 60) -> None:
        """Wait until ledger has applied ``{speaker: {partition: number}}``."""
        asked = ",".join(f"{speaker}/{p}/{n}" for speaker, heard in after.items() for p, n in heard.items())
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            answer = self._http.get(
                f"{self.addresses.ledger}/companies/{self.company}?wait=10",
                headers={**self._headers(), "Relance-At-Least": asked},
            )
            if answer.is_success and "Relance-Updating" not in answer.headers:
                return
        raise RoadBlocked(f"ledger did not hear everything within {within:.0f} s")

    def statement(self, client_id: str) -> list[Json]:
        """The client's open entries by due date, as ledger knows them."""
        query = {"client_id": client_id, "lettered": "false"}
        entries: list[Json] = []
        while True:
            found = self._call("GET", self.addresses.ledger, "/statement", params=query) or {}
            entries += found["entries"]
            if not found.get("next"):
                return entries
            query["after"] = found["next"]

    def round(
        self, as_of: date, after: Mapping[str, Mapping[str, int] | Mapping[int, int]], within: float = 600
    ) -> Json:
        """Run the round of that day once the named positions are known to dunning; its result."""
        self._call("POST", self.addresses.dunning, "/rounds", json={"as_of": f"{as_of}", "after": dict(after)})
        return self._poll(
            self.addresses.dunning,
            f"/rounds/{as_of}",
            lambda state: state["status"] in ("completed", "failed"),
            within,
            f"the round of {as_of}",
        )

    def explain(self, *, as_of: date | None = None, history: bool = False, **asked: str | None) -> Json:
        """Why a client (``client_id``) or an entry (``entry_id``) is reminded or not, in words (``language``)."""
        query = {**asked, "as_of": as_of and as_of.isoformat(), "history": "true" if history else None}
        found = {name: value for name, value in query.items() if value}
        return self._call("GET", self.addresses.dunning, "/explain", params=found) or {}

    def simulate(self, wanted: Json, within: float = 600) -> Json:
        """Ask what would be sent and wait for the end of it; the simulation with its result."""
        asked = self._call("POST", self.addresses.dunning, "/simulations", json=wanted) or {}
        return self._poll(
            self.addresses.dunning,
            f"/simulations/{asked['simulation_id']}",
            lambda state: state["status"] not in ("waiting", "running"),
            within,
            "the simulation",
        )

    def ask_dunning(self, path: str, body: Json) -> Json:
        """What dunning answers at one of its public addresses."""
        return self._call("POST", self.addresses.dunning, path, json=body) or {}

    def tasks(self, as_of: date) -> Json:
        """The day's tasks by medium and step, excluded rows included."""
        return self.ask("dunning", "/tasks", as_of=f"{as_of}")

    def complete_task(self, action_id: str, outcome: str, comment: str) -> Json:
        """Mark a call or a letter as done."""
        body = {"action_id": action_id, "outcome": outcome, "comment": comment}
        return self.ask_of("notify", "POST", "/complete-task", json=body)

    def letters(self, state: str = "prepared") -> list[Json]:
        """Letters that were made, in the order of the post: those to be posted, or those that were."""
        found: list[Json] = []
        while True:
            params: dict[str, str | int] = {"state": state, "limit": 1000, "offset": len(found)}
            part = (self._call("GET", self.addresses.notify, "/letters", params=params) or {})["letters"]
            found += part
            if len(part) < 1000:
                return found

    def prepare_letters(self, action_ids: Sequence[str]) -> Json:
        """Have letters made; those that were, and why the others were not."""
        wanted: Json = {"params": {"wait": 10}, "json": {"action_ids": list(action_ids)}}
        return self.ask_of("notify", "POST", "/letters/prepare", **wanted)

    def print_letters(self, action_ids: Sequence[str], *, both_sides: bool = False) -> bytes:
        """One PDF of letters, in the order of the post."""
        return self.file("/letters/bundle", {"action_ids": list(action_ids), "both_sides": both_sides})

    def file(self, path: str, body: Json) -> bytes:
        """What notify answers as a file."""
        return self._answer("POST", self.addresses.notify, path, json=body, timeout=600).content

    def letters_posted(self, action_ids: Sequence[str], on: date | None = None) -> Json:
        """Note that letters went to the post."""
        body = {"action_ids": list(action_ids), "done_on": on and f"{on}"}
        return self._call("POST", self.addresses.notify, "/letters/posted", json=body) or {}

    def confirm(self, action_ids: Sequence[str], as_of: date) -> Json:
        """Confirm proposals; which were confirmed, which refused and why."""
        return self.ask_dunning("/confirm", {"action_ids": list(action_ids), "as_of": f"{as_of}"})

    def set_levels(self, levels: Sequence[Json]) -> Json:
        """Choose what comes next for entries; how many were set, and which could not be and why."""
        return self._call("POST", self.addresses.dunning, "/levels", json={"levels": list(levels)}) or {}

    def scenarios(self, profiles: Sequence[str] = ()) -> Json:
        """The scenarios of these profiles, or all, as another company can take them."""
        params = {"profile": list(profiles)} if profiles else {}
        return self._call("GET", self.addresses.dunning, "/scenarios/export", params=params) or {}

    def import_scenarios(self, exported: Json, *, dry_run: bool = False) -> Json:
        """Publish what an export holds, or tell what that would change."""
        params = {"dry_run": dry_run}
        return self._call("POST", self.addresses.dunning, "/scenarios/import", json=exported, params=params) or {}

    def ask_of(self, service: str, method: str, path: str, **request: Any) -> Json:
        """What a service answers about its own things: templates, subscribers and the like."""
        return self._call(method, getattr(self.addresses, service), path, **request) or {}

    def sending(self, as_of: date) -> Json:
        """How far the messages of that day have come."""
        return self._call("GET", self.addresses.notify, "/sending", params={"as_of": f"{as_of}"}) or {}

    def sending_of(self, action_ids: Sequence[str]) -> Json:
        """How far the messages of these actions have come."""
        body = {"action_ids": list(action_ids)}
        return self._call("POST", self.addresses.notify, "/sending/query", json=body) or {}

    def resolve_doubt(self, action_id: str, decided: str) -> Json:
        """Say what became of a message in doubt: ``sent``, or ``resend`` it."""
        return self.ask_of("notify", "POST", "/resolve-doubt", json={"action_id": action_id, "as": decided})

    def ask(self, service: str, path: str, **asked: str) -> Json:
        """What a service answers at one of its public addresses."""
        return self._call("GET", getattr(self.addresses, service), path, params=asked) or {}


def email_actions(tasks: Json) -> list[str]:
    """Ids of the proposed e-mail actions that are ticked: what a person confirms with one button."""
    rows = (row for group in tasks["groups"] if group["medium"] == "email" for row in group["rows"])
    return [row["action_id"] for row in rows if row["ticked"]]


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while chunk := content.read(CHUNK_BYTES):
            yield chunk
