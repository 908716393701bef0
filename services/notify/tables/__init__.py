"""Notify's rows.

``DERIVED`` come from events and are rebuilt; each is written from one speaker's stream alone, so that any
interleaving of the streams ends in the same rows. The others are kept: personal data, texts and messages, which no
event carries.
"""

from services.notify.tables.answered import (
    link_access,
    mailbox,
    mailbox_mail,
    money_back,
    opens_consent,
    payment,
    person,
    report,
)
from services.notify.tables.archived import archive, archive_cursor, archive_head, archive_person
from services.notify.tables.carried_out import online_payment, outcome, posting, reply
from services.notify.tables.chosen import (
    copy_address,
    dkim_key,
    logo,
    mail_server,
    mailbox_account,
    payment_account,
    sender,
    template,
    template_version,
)
from services.notify.tables.heard import (
    COLUMN,
    LINE,
    action,
    client,
    client_merge,
    company,
    dispute,
    entry_stop,
    late_interest_terms,
    lettering_error,
    policy,
    promise,
    synced_lines,
)
from services.notify.tables.metadata import metadata
from services.notify.tables.written import attachment, draft, letter, message, task_comment

DERIVED = (
    online_payment,
    synced_lines,
    company,
    late_interest_terms,
    client,
    client_merge,
    entry_stop,
    dispute,
    promise,
    lettering_error,
    policy,
    action,
    outcome,
    posting,
    reply,
)

__all__ = [
    "COLUMN",
    "DERIVED",
    "LINE",
    "action",
    "archive",
    "archive_cursor",
    "archive_head",
    "archive_person",
    "attachment",
    "client",
    "client_merge",
    "company",
    "copy_address",
    "dispute",
    "dkim_key",
    "draft",
    "entry_stop",
    "late_interest_terms",
    "letter",
    "lettering_error",
    "link_access",
    "logo",
    "mail_server",
    "mailbox",
    "mailbox_account",
    "mailbox_mail",
    "message",
    "metadata",
    "money_back",
    "online_payment",
    "opens_consent",
    "outcome",
    "payment",
    "payment_account",
    "person",
    "policy",
    "posting",
    "promise",
    "reply",
    "report",
    "sender",
    "synced_lines",
    "task_comment",
    "template",
    "template_version",
]
