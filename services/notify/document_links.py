"""Links to the documents of invoices, in place of files that go with the message.

A link leads through the client's own pages: it is as private, ends on the same day and is taken back with them
(rule 13.8). It opens one document, which ledger hands to that client alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from chassis.running import Running
from services.notify.delivered import Text
from services.notify.domain import LinkedDocument, statement
from services.notify.invoices import documents_of
from services.notify.manuscript import read

if TYPE_CHECKING:
    from services.notify.desk import Desk

TAG = "documents"
MOST_LINKS = 50
_TABLE = {
    "text": re.compile(r"^%tableau_comptable\d?%[ \t]*$", re.MULTILINE),
    "html": re.compile(r"<p>%tableau_comptable\d?%</p>"),
}
_WRITTEN = {"text": f"\n%{TAG}%\n", "html": f"<p>%{TAG}%</p>"}


def with_links(template: Text) -> Text:
    """The template with the links below its table, or at its end; as it is where it has them."""
    if TAG in read(template.body, template.form).blocks:
        return template
    form, added = template.form, _WRITTEN[template.form]
    found = _TABLE[form].search(template.body)
    at = found.end() if found else len(template.body)
    between = "\n" if form == "text" else ""
    return replace(template, body=f"{template.body[:at]}{between}{added}{template.body[at:]}")


async def links_of_messages(
    running: Running, desk: Desk, templates: Mapping[UUID, Text]
) -> Mapping[UUID, tuple[LinkedDocument, ...]]:
    """The documents of the invoices of each message whose text shows them, the oldest due first. Raises what
    ``Neighbour`` raises."""
    lines = {
        one: statement(desk.looked[one].action, desk.looked[one].now.entries, desk.as_of).lines
        for one, template in templates.items()
        if TAG in read(template.body, template.form).blocks and desk.looked[one].action.client_id in desk.spaces
    }
    asked = {line.entry_id for every in lines.values() for line in every}
    if not asked:
        return {}
    documents = await documents_of(running.neighbour("ledger"), desk.company, asked)
    return {
        one: tuple(
            LinkedDocument(
                line.piece, file.name, f"{desk.spaces[desk.looked[one].action.client_id]}/documents/{document_id}"
            )
            for line in every
            for document_id, file in documents.get(line.entry_id, ())
        )[:MOST_LINKS]
        for one, every in lines.items()
    }
