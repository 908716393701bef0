"""Configurer, Profils: what an administrator changes reaches ledger; others only read (rules 3.1 to 3.6, 15.3)."""

from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices, debtors

PAGE = f"/c/{COMPANY}/profiles"
LIST = f"/c/{COMPANY}/who-owes-what"


async def test_the_list_names_the_default_and_what_has_no_scenario(clerk: Person) -> None:
    shown = (await clerk.get(PAGE)).text
    for words in (
        "par défaut",
        "Grands comptes",
        "Sans scénario : jamais relancé".replace(" :", "\u202f:"),
        "GROSSISTE",
    ):
        assert words in shown or words.replace("\u202f", "\xa0") in shown, words


async def test_each_command_reaches_ledger(clerk: Person, fakes: FakeServices) -> None:
    for path, fields, command, body in (
        ("add", {"name": "VIP"}, "/add-profile", {"name": "VIP"}),
        ("rename", {"profile": "Export", "name": "Hors France"}, "/rename-profile", None),
        ("default", {"profile": "Export"}, "/choose-default-profile", {"profile": "Export"}),
        ("delete", {"profile": "Interne"}, "/delete-profile", {"profile": "Interne", "taken_over_by": None}),
    ):
        fakes.commands.clear()
        answer = await clerk.post(f"{PAGE}/{path}", on=PAGE, **fields)
        assert answer.status_code == 303
        assert fakes.commands == [("ledger", command, body or fields)]


async def test_a_used_profile_asks_who_takes_its_clients_over(clerk: Person, fakes: FakeServices) -> None:
    fakes.refuse["/delete-profile"] = {"type": "profile-in-use", "status": 409, "clients": 31}
    answer = await clerk.post(f"{PAGE}/delete", on=PAGE, profile="Export")
    assert "31 clients ont ce profil" in (await clerk.get(answer.headers["location"])).text


async def test_a_name_that_was_given_is_read_everywhere(clerk: Person) -> None:
    assert "Grands comptes" in (await clerk.get(f"/c/{COMPANY}/client?client_id=411MUNOZSA")).text


async def test_one_profile_goes_to_a_whole_list_as_it_was_seen(clerk: Person, fakes: FakeServices) -> None:
    """The played list answers the same rows for each of its sixteen pages."""
    rows = 16 * len(debtors())
    fakes.commands.clear()
    path = f"/c/{COMPANY}/clients/assign-profile"
    other = await clerk.post(path, on=LIST, list="who-owes-what", expected=str(rows + 1), profile="Export")
    assert "refused=list-changed" in other.headers["location"]
    assert fakes.commands == []
    done = await clerk.post(
        path, on=LIST, list="who-owes-what", expected=str(rows), profile="Export", category="B2B"
    )
    ((service, command, body),) = fakes.commands
    assert (service, command, body["profile"], len(body["client_ids"])) == (
        "ledger",
        "/assign-profiles",
        "Export",
        rows,
    )
    assert "category=B2B" in done.headers["location"]


async def test_who_is_no_administrator_only_reads(reader: Person) -> None:
    shown = await reader.get(PAGE)
    assert shown.status_code == 200
    assert "profiles/add" not in shown.text
    for path in (f"{PAGE}/add", f"/c/{COMPANY}/clients/assign-profile"):
        answer = await reader.post(path, on=PAGE, name="VIP", expected="1", profile="Export")
        assert answer.status_code == 403, path
