"""The contract files that outsiders read: a JSON Schema per event, and one AsyncAPI 3 document of them all.

They are generated from the models in ``contracts/``, committed, and checked to be current.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import models_json_schema

from cli.contract_changes import breaking_changes
from cli.contract_examples import golden_files
from cli.places import ROOT
from contracts.event import Event
from contracts.registry import EVENTS
from contracts.subjects import PARTITIONS, SPEAKERS, stream

Json = dict[str, Any]
SCHEMAS = ROOT / "contracts" / "schemas"
ASYNCAPI = ROOT / "contracts" / "asyncapi.yaml"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
UUID = {"type": "string", "format": "uuid"}


class ContractBroken(Exception):
    """An event changed within its major version in a way that readers of yesterday would not survive."""

    def __init__(self, type_name: str, changes: list[str]) -> None:
        super().__init__(f"{type_name} changed in ways that need a new major version: {'; '.join(changes)}")


def wanted() -> dict[Path, str]:
    """Every generated file and what it must hold."""
    files = {SCHEMAS / f"{name}.json": _pretty(schema(event)) for name, event in EVENTS.items()}
    files[ASYNCAPI] = yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=110)
    return files


def write() -> None:
    """Writes what is not current. Raises ``ContractBroken`` where a committed schema forbids the change."""
    for name, event in EVENTS.items():
        file = SCHEMAS / f"{name}.json"
        if file.exists():
            changes = breaking_changes(json.loads(file.read_text(encoding="utf-8")), schema(event))
            if changes:
                raise ContractBroken(name, changes)
    SCHEMAS.mkdir(exist_ok=True)
    for file, text in {**wanted(), **golden_files(EVENTS)}.items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def outdated() -> list[str]:
    """The generated files that do not hold what they must, and those that nothing generates any more."""
    files = wanted()
    stale = [file for file, text in files.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    strangers = [file for file in SCHEMAS.glob("*.json") if file not in files]
    missing = [file for file in golden_files(EVENTS) if not file.exists()]
    return sorted(str(file.relative_to(ROOT)) for file in (*stale, *strangers, *missing))


def schema(event: type[Event]) -> Json:
    """The JSON Schema of an event's data."""
    body = event.model_json_schema(mode="serialization")
    return {"$schema": DIALECT, "$id": f"urn:{event.type_name().replace('.', ':')}", **_tidy(body)}


def asyncapi() -> Json:
    """The AsyncAPI 3 document: who says what on which subject, with which headers."""
    events = sorted(EVENTS.items(), key=lambda item: (SPEAKERS.index(item[1].speaker), item[0]))
    _, definitions = models_json_schema(
        [(event, "serialization") for _, event in events], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Relance events",
            "version": "1.0.0",
            "description": (
                "What the services of Relance say to each other and to subscribers. A message is one CloudEvent"
                " 1.0 in binary mode: its attributes are headers whose names are lower case and whose values are"
                " percent-encoded, its payload is the data. Within a major version only optional fields are added:"
                " ignore what you do not know. Personal data never enters an event. How to subscribe, and what may"
                " change, is in docs/guide/subscribing.md."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "nats": {
                "host": "{host}",
                "protocol": "nats",
                "description": "NATS with JetStream. Each speaker has one stream, named in its channels.",
                "variables": {"host": {"default": "127.0.0.1:4222", "description": "Host and port."}},
                "security": [{"$ref": "#/components/securitySchemes/subscriber"}],
            }
        },
        "channels": {_channel_name(event): _channel(event) for _, event in events},
        "operations": {
            f"say.{_channel_name(event)}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{_channel_name(event)}"},
                "summary": f"{event.speaker} says {event.__name__}.",
                "bindings": {"nats": {"bindingVersion": "0.1.0"}},
            }
            for _, event in events
        },
        "components": {
            "securitySchemes": {
                "subscriber": {
                    "type": "userPassword",
                    "description": "As relance subscriber add hands it out, with the names of the consumers.",
                }
            },
            "messages": {name: _message(event) for name, event in events},
            "schemas": {"CloudEventHeaders": _headers(), **_tidy(definitions["$defs"])},
        },
    }


def _channel_name(event: type[Event]) -> str:
    suffix = "" if event.major == 1 else f".v{event.major}"
    return f"{event.speaker}.{event.__name__}{suffix}"


def _channel(event: type[Event]) -> Json:
    return {
        "address": f"evt.{event.speaker}.{{company}}.{{partition}}.{event.__name__}",
        "title": event.__name__,
        "description": (
            f"In the JetStream stream {stream(event.speaker)}. Order is kept within a partition, and all events of"
            " one client are in one partition."
        ),
        "parameters": {
            "company": {"description": "Slug of the company; * for all that you may hear."},
            "partition": {
                "description": f"p00 to p{PARTITIONS - 1}: crc32 of 'company:client' modulo {PARTITIONS};"
                " * for all."
            },
        },
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.type_name()}"}},
        "x-jetstream-stream": stream(event.speaker),
    }


def _message(event: type[Event]) -> Json:
    return {
        "name": event.type_name(),
        "title": event.__name__,
        "summary": _described(event),
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEventHeaders"},
                {"type": "object", "properties": {"ce-type": {"const": event.type_name()}}},
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
    }


def _described(event: type[Event]) -> str:
    return cleandoc(event.__doc__ or event.__name__).replace("``", "")


def _headers() -> Json:
    """The headers of every event. Values are strings, as NATS carries them."""
    properties = {
        "ce-specversion": {"const": "1.0"},
        "ce-id": {**UUID, "description": "The same for every delivery of the event."},
        "ce-source": {"type": "string", "pattern": f"^relance/({'|'.join(SPEAKERS)})$"},
        "ce-type": {"type": "string", "description": "Its last part is the major version."},
        "ce-time": {"type": "string", "format": "date-time", "description": "The instant of recording, in UTC."},
        "ce-subject": {"type": "string", "description": "The client, for events about one client."},
        "ce-company": {"type": "string", "pattern": "^[a-z0-9_-]{1,32}$"},
        "ce-partition": {"type": "string", "pattern": "^[0-9]{1,2}$"},
        "ce-partitionseq": {
            "type": "string",
            "pattern": "^[1-9][0-9]*$",
            "description": "Gapless within stream and partition: tells duplicates and losses.",
        },
        "ce-asof": {"type": "string", "format": "date", "description": "The business date of the fact."},
        "ce-actor": {"type": "string", "description": "Who caused it: user:…, service:…, system, debtor."},
        "ce-correlationid": UUID,
        "ce-causationid": {**UUID, "description": "The event that caused this one."},
        "content-type": {"const": "application/json"},
        "correlation_id": UUID,
        "traceparent": {"type": "string", "description": "W3C trace context."},
    }
    optional = {"ce-subject", "ce-causationid", "traceparent"}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def _tidy(value: Any) -> Any:
    """A schema without the titles that only repeat names, and with plain descriptions."""
    if isinstance(value, list):
        return [_tidy(one) for one in value]
    if not isinstance(value, dict):
        return value
    return dict(_tidied(value))


def _tidied(schema: Json) -> Iterator[tuple[str, Any]]:
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "description" and isinstance(value, str):
            yield key, re.sub(r"\s+", " ", value.replace("``", "")).strip()
        elif key == "properties":
            yield key, {name: _tidy(one) for name, one in value.items()}
        else:
            yield key, _tidy(value)


def _pretty(value: Json) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
