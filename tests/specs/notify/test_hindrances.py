"""A company is told of its own troubles and of those of all, and of no other company's."""

from services.notify.hindrances import of_company
from services.notify.retention import RETENTION


def test_other_companies_and_their_servers_are_not_told() -> None:
    hindered_by = {
        "mail server": "no connection to mail:25; messages wait",
        "people": "ledger does not answer",
        "mail server of acme": "no connection to smtp.acme.example:587",
        "imap of acme-2": "mailbox_unreachable",
        "mail server of not-acme": "no connection to smtp.other.example:587",
        RETENTION: "contents that had their time are still kept in other, third; tried again",
    }
    assert set(of_company(hindered_by, "acme", own_server=False)) == {
        "mail server",
        "people",
        "mail server of acme",
    }
    own = of_company(hindered_by, "acme", own_server=True)
    assert set(own) == {"people", "mail server of acme"}, "the shared server carries nothing of it"
