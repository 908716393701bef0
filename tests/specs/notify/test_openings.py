"""What loading the pixel tells (rule 16.5): nobody is told to have read what a machine fetched."""

from datetime import timedelta

import pytest

from services.notify.openings import TOO_SOON, Machine, all_consented, machine

PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile"
LATER = timedelta(hours=1)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0",  # Apple's mail privacy protection
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Microsoft Office Existence Discovery",
        "Barracuda Sentinel (EE)",
        "python-requests/2.32",
        "Slackbot-LinkExpanding 1.0",
    ],
)
def test_what_calls_itself_a_machine_is_one_at_any_time(agent: str) -> None:
    assert machine(agent, LATER) is Machine.AGENT


@pytest.mark.parametrize("agent", [PERSON, "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0)"])
def test_a_mail_program_is_a_person_from_the_tenth_second_on(agent: str) -> None:
    second = timedelta(seconds=1)
    assert machine(agent, TOO_SOON - second) is Machine.TOO_SOON
    assert machine(agent, TOO_SOON) is None
    assert machine(agent, TOO_SOON + second) is None


def test_everybody_who_gets_the_message_has_agreed() -> None:
    agreed = frozenset({"a@diaz.example", "b@diaz.example"})
    assert all_consented(["A@diaz.example", "b@diaz.example"], agreed)
    assert not all_consented(["a@diaz.example", "collegue@delcourt.example"], agreed)
    assert not all_consented(["a@diaz.example"], frozenset())
    assert not all_consented([], agreed), "the recipients of an erased person are not known any more"
