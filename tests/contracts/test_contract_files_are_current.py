"""What outsiders read is what we say; what was once said can be read for ever."""

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from cli.contract_changes import breaking_changes
from cli.contract_examples import GOLDEN
from cli.contract_files import ASYNCAPI, SCHEMAS, outdated, schema
from cli.places import ROOT
from contracts.registry import EVENTS

GOLDEN_FILES = sorted(GOLDEN.rglob("*.json"))
PERSONAL = {
    "address",
    "bic",
    "birth_date",
    "city",
    "comment",
    "contact_name",
    "email",
    "emails",
    "first_name",
    "free_text",
    "iban",
    "label",
    "last_name",
    "name",
    "note",
    "phone",
    "phones",
    "postcode",
    "street",
    "subject",
    "text",
}
NAMES_OF_NO_PERSON = {
    "relance.ledger.CompanyRegistered.v1",
    "relance.ledger.CompanyChanged.v1",
    "relance.ledger.ProfilesChanged.v1",
}


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(ASYNCAPI.read_text(encoding="utf-8"))
    return document


def shown(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def test_every_generated_file_is_current() -> None:
    assert outdated() == [], "run ./relance contracts and commit what it writes"


@pytest.mark.parametrize("file", GOLDEN_FILES, ids=shown)
def test_a_golden_example_loads_for_ever(file: Path) -> None:
    golden = json.loads(file.read_text(encoding="utf-8"))
    event = EVENTS[file.parent.name]
    said = event.model_validate(golden["data"])
    assert json.loads(said.model_dump_json(exclude_unset=True)) == golden["data"]
    jsonschema.validate(golden["data"], schema(event), format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("file", GOLDEN_FILES, ids=shown)
def test_the_cloudevents_sdk_reads_the_headers(file: Path) -> None:
    golden = json.loads(file.read_text(encoding="utf-8"))
    message = HTTPMessage(golden["headers"], json.dumps(golden["data"]).encode())
    read = from_binary(message, JSONFormat())
    assert read.get_type() == file.parent.name
    assert read.get_source() == f"relance/{EVENTS[file.parent.name].speaker}"
    assert read.get_extension("company") == "acme"
    assert read.get_data() == golden["data"]
    jsonschema.validate(golden["headers"], _document()["components"]["schemas"]["CloudEventHeaders"])


def _git(*arguments: str, stdin: str = "") -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, input=stdin, check=False)
    if done.returncode != 0:
        pytest.skip("not a git clone: the history cannot be asked")
    return done.stdout


def test_no_golden_example_was_ever_changed_or_removed() -> None:
    touched = _git("log", "--diff-filter=MDT", "--no-renames", "--format=", "--name-only", "--", str(GOLDEN))
    assert touched.split() == []
    assert _git("diff", "HEAD", "--diff-filter=MDT", "--name-only", "--", str(GOLDEN)).split() == []


def _committed_schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    raw = _git("log", "--raw", "--no-abbrev", "--no-renames", "--format=", "--", str(SCHEMAS))
    blobs = {(line.split("\t")[1], line.split()[3]) for line in raw.splitlines() if line.startswith(":")}
    for path, blob in sorted(blobs):
        if set(blob) != {"0"}:
            yield Path(path).stem, json.loads(_git("cat-file", "blob", blob))


def test_a_major_version_only_grew_since_it_was_first_committed() -> None:
    for name, committed in _committed_schemas():
        assert name in EVENTS, f"{name} was said once: its model must stay to read it"
        assert breaking_changes(committed, schema(EVENTS[name])) == [], name


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = _document()

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for one in value.values():
                yield from references(one)
        elif isinstance(value, list):
            for one in value:
                yield from references(one)

    for reference in references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    said = {message["name"] for message in document["components"]["messages"].values()}
    assert said == set(EVENTS)
    assert len(document["channels"]) == len(document["operations"]) == len(EVENTS)


def _fields(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value.get("properties", {})
        for one in value.values():
            yield from _fields(one)
    elif isinstance(value, list):
        for one in value:
            yield from _fields(one)


@pytest.mark.parametrize("name", EVENTS)
def test_no_event_has_a_field_for_personal_data(name: str) -> None:
    """Architecture, Decided 1."""
    allowed = {"name"} if name in NAMES_OF_NO_PERSON else set()
    assert PERSONAL & set(_fields(schema(EVENTS[name]))) <= allowed
