"""Configurer in groups: everything that a person may open is in one place, and nothing else is."""

import re

from services.console.site import ROOMS
from tests.integration.console.conftest import COMPANY, Person

GROUPS = ["Relances", "Messages", "Données", "Accès", "Exploitation"]
FOR_ADMINISTRATORS = {
    "mail", "inbox", "online-payment", "retention", "leaving", "users", "other-systems", "api-keys", "parked",
    "rebuilds",
}  # fmt: skip
FOR_ALL = {
    "profiles", "scenarios", "rules", "late-interest", "dispute-reasons", "templates", "sender", "imports",
    "fields",
}  # fmt: skip


async def shown(person: Person) -> tuple[list[str], list[str], str]:
    """The groups and the pages in them, and the text of the page."""
    text = (await person.get(f"/c/{COMPANY}/profiles")).text
    menu = text.partition('class="page-groups ')[2].partition("</nav>")[0]
    pages = re.findall(rf'href="/c/{COMPANY}/([\w/-]+)"', menu)
    return re.findall(r'class="group-name">([^<]+)<', menu), pages, text


async def test_an_administrator_finds_every_page_once(clerk: Person) -> None:
    groups, pages, text = await shown(clerk)
    assert groups == GROUPS
    assert sorted(pages) == sorted(FOR_ALL | FOR_ADMINISTRATORS)
    assert text.count('aria-current="page">Profils') == 2, "beside each other on a computer, folded on a phone"
    known = {str(getattr(route, "path", "")) for room in ROOMS for route in room.router.routes}
    assert {f"/c/{{company}}/{page}" for page in pages} <= known


async def test_a_reader_finds_what_a_reader_may_open(reader: Person) -> None:
    groups, pages, _ = await shown(reader)
    assert groups == GROUPS[:3]
    assert sorted(pages) == sorted(FOR_ALL)
    for page in pages:
        assert (await reader.get(f"/c/{COMPANY}/{page}")).status_code == 200, page
