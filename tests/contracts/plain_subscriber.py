"""A subscriber who has nothing of ours but ``asyncapi.yaml``, a NATS URL and the name of a message.

Prints one JSON object per event that fits the published schemas. Uses nats-py, PyYAML, jsonschema and the
CloudEvents SDK.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import nats
import yaml
from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.formats.json import JSONFormat


async def read(document: dict[str, Any], url: str, title: str, company: str, count: int) -> None:
    channel = next(one for one in document["channels"].values() if one["title"] == title)
    message = document["components"]["messages"][channel["messages"][title]["$ref"].rpartition("/")[2]]
    address = channel["address"].format(company=company, partition="*")
    bus = await nats.connect(url)
    subscription = await bus.jetstream().subscribe(
        address, stream=channel["x-jetstream-stream"], ordered_consumer=True
    )
    for _ in range(count):
        received = await subscription.next_msg(timeout=20)
        headers, data = dict(received.headers or {}), json.loads(received.data)
        fits({**message["headers"], "components": document["components"]}, headers)
        fits({**message["payload"], "components": document["components"]}, data)
        event = from_binary(HTTPMessage(headers, received.data), JSONFormat())
        print(
            json.dumps(
                {"id": event.get_id(), "type": event.get_type(), "subject": event.get_subject(), "data": data}
            )
        )
    await bus.close()


def fits(schema: dict[str, Any], value: Any) -> None:
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(value)


if __name__ == "__main__":
    path, url, title, company, count = sys.argv[1:]
    asyncio.run(read(yaml.safe_load(Path(path).read_text(encoding="utf-8")), url, title, company, int(count)))
