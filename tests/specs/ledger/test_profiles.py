"""Profiles are made, renamed and deleted; a word of accounting means one of them (rules 3.1 to 3.6)."""

import pytest

from contracts.ledger import ClientChanged, ProfileAssigned, ProfilesChanged
from services.ledger.domain import AssignProfile, ClientFacts, ClientSeen, Profile, Profiles, decide_profiles
from services.ledger.domain.profiles import (
    AddProfile,
    ChooseDefaultProfile,
    DeleteProfile,
    ProfileCommand,
    RenameProfile,
)
from services.ledger.domain.refusals import (
    ProfileInUse,
    ProfileIsDefault,
    ProfileNameTaken,
    ProfileTakesOverItself,
    Refusal,
    UnknownProfile,
)
from tests.specs.ledger.given import CLIENT, given


def after(*wanted: ProfileCommand) -> Profiles:
    known = Profiles()
    for one in wanted:
        for said in decide_profiles(known, one):
            assert isinstance(said, ProfilesChanged)
            listed = tuple(Profile(named.profile, named.name) for named in said.profiles)
            known = Profiles(listed, said.default_profile, said.taken_over)
    return known


def words(known: Profiles) -> list[str]:
    return [one.profile for one in known.profiles]


def test_a_company_begins_with_the_delivered_profiles() -> None:
    assert (words(Profiles()), Profiles().default) == (
        ["Standard", "Export", "Grand Compte", "Interne"],
        "Standard",
    )


def test_a_profile_keeps_its_word_whatever_its_name_becomes() -> None:
    known = after(AddProfile("  VIP "), RenameProfile("VIP", "Clients clés"))
    assert known.profiles[-1] == Profile("VIP", "Clients clés")
    assert known.told("clients  CLÉS") == "VIP", "accounting may write the new name"
    assert known.told("vip") == "VIP", "or the one it was made under"


def test_what_is_so_already_says_nothing() -> None:
    assert decide_profiles(Profiles(), RenameProfile("Export", "Export")) == []
    assert decide_profiles(Profiles(), ChooseDefaultProfile("Standard")) == []


def test_accounting_says_nothing_or_something_that_is_on_no_list() -> None:
    known = Profiles()
    assert known.told(None) is known.told(" ") is None, "the default (rule 3.4)"
    assert known.told("GROSSISTE") == "GROSSISTE", "no scenario: never reminded (rule 3.6)"
    assert known.told("GRAND COMPTE") == "Grand Compte"
    assert after(AddProfile("Grossiste")).told("GROSSISTE") == "Grossiste"


def test_a_deleted_profile_is_taken_over_also_for_what_accounting_says() -> None:
    known = after(AddProfile("VIP"), DeleteProfile("Export", "VIP", clients=3), DeleteProfile("VIP", "Standard"))
    assert words(known) == ["Standard", "Grand Compte", "Interne"]
    assert (known.told("Export"), known.told("VIP")) == ("Standard", "Standard")
    again = after(DeleteProfile("Export", "Standard"), AddProfile("Export"))
    assert again.profiles[-1] == Profile("Export (2)", "Export"), "the word of the old one stays the old one's"
    assert again.told("Export") == "Export (2)"


def test_each_deleted_profile_means_the_one_that_took_it_over() -> None:
    """Rule 3.3."""
    known = after(DeleteProfile("Export", "Standard"), DeleteProfile("Interne", "Grand Compte"))
    assert (known.told("Export"), known.told("Interne")) == ("Standard", "Grand Compte")


def test_another_profile_may_be_the_default_one() -> None:
    """Rule 3.2; it is then not deleted, and the former one may be."""
    known = after(ChooseDefaultProfile("Export"), DeleteProfile("Standard"))
    assert known.default == "Export"
    with pytest.raises(ProfileIsDefault):
        decide_profiles(known, DeleteProfile("Export", "Interne"))


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        (AddProfile("standard"), ProfileNameTaken),
        (RenameProfile("Export", "Grand  compte"), ProfileNameTaken),
        (RenameProfile("VIP", "x"), UnknownProfile),
        (DeleteProfile("Export", None, clients=1), ProfileInUse),
        (DeleteProfile("Standard", "Export"), ProfileIsDefault),
        (DeleteProfile("Export", "Export", clients=1), ProfileTakesOverItself),
        (DeleteProfile("Export", "VIP", clients=1), UnknownProfile),
        (ChooseDefaultProfile("VIP"), UnknownProfile),
    ],
)
def test_what_cannot_be_is_refused(wanted: ProfileCommand, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal) as told:
        decide_profiles(Profiles(), wanted)
    assert str(told.value).endswith(".")
    assert None not in vars(told.value).values()


def test_a_profile_that_nobody_has_is_deleted_without_a_taker() -> None:
    known = after(DeleteProfile("Interne"))
    assert "Interne" not in words(known)
    assert known.taken_over == {}


def test_only_a_profile_of_the_list_is_assigned() -> None:
    told = given().when(AssignProfile("VIP")).refused(UnknownProfile)
    assert isinstance(told, UnknownProfile)
    chosen = ProfileAssigned(client_id=CLIENT, profile="VIP")
    given().when(AssignProfile("VIP", after(AddProfile("VIP")))).then(chosen)


def test_the_choice_of_a_person_stands_whatever_accounting_says_next() -> None:
    """Rule 3.5."""
    chosen = ProfileAssigned(client_id=CLIENT, profile="Export")
    (told,) = given(chosen).when(ClientSeen(ClientFacts(profile="Grand Compte"))).events()
    assert isinstance(told, ClientChanged)
    assert told.profile == "Export"
