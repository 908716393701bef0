"""Notify's rows. Never qualified: the search path says which schema.

``DERIVED`` come from events and are rebuilt; each is written from one speaker's stream alone, so that any
interleaving of the streams ends in the same rows. The others are kept: personal data, texts and messages, which no
event carries.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.columns import FALSE, INSTANT, NOW, day, instant, key, money, partition, word

metadata = MetaData()

# From sync's stream.

COLUMN, LINE = "\x1d", "\x1e"
"""What stands between the columns of a line, and between lines, in ``synced_lines.lines``."""

# what each event told of a client's entries; of an entry the last telling counts, as the view ``entry`` shows it.
# The view is for one client after the other: what a company has in all would be put in order whole
synced_lines = Table(
    "synced_lines",
    metadata,
    word("company"),
    # an entry that accounting moves to another client lives in another partition: told as removed of the one
    word("client_id"),
    # of the event; a client lies in one partition
    Column("number", BigInteger, nullable=False),
    partition(),
    # entry, account, kind, piece, entry date, due date, debit minus credit, currency, lettering or nothing,
    # t or f: removed
    word("lines"),
    PrimaryKeyConstraint("company", "client_id", "number"),
)

# From ledger's stream.

company = Table(
    "company",
    metadata,
    key("company"),
    partition(),
    word("name"),
    word("time_zone"),
    word("currency"),
)

client = Table(
    "client",
    metadata,
    word("company"),
    word("client_id"),
    partition(),
    # of the person; 0: nothing was said of it yet
    Column("version", Integer, nullable=False, server_default="0"),
    Column("removed", Boolean, nullable=False, server_default=FALSE),
    Column("stopped", Boolean, nullable=False, server_default=FALSE),
    day("resumes_on", nullable=True),
    # the code by which portfolios are given
    word("salesperson", nullable=True),
    # by which the company tells businesses from others
    word("category", nullable=True),
    PrimaryKeyConstraint("company", "client_id"),
)

# a company without a row claims nothing of those who pay late
late_interest_terms = Table(
    "late_interest_terms",
    metadata,
    key("company"),
    partition(),
    # as the event says them
    Column("terms", JSONB, nullable=False),
)

client_merge = Table(
    "client_merge",
    metadata,
    word("company"),
    word("client_id"),
    partition(),
    word("into_client_id"),
    PrimaryKeyConstraint("company", "client_id"),
    Index("client_merge_into", "company", "into_client_id"),
)

entry_stop = Table(
    "entry_stop",
    metadata,
    word("company"),
    word("client_id"),
    word("entry_id"),
    partition(),
    day("resumes_on", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

dispute = Table(
    "dispute",
    metadata,
    word("company"),
    Column("dispute_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    # null: the whole account
    word("entry_id", nullable=True),
    instant("opened_at", nullable=True),
    PrimaryKeyConstraint("company", "dispute_id"),
    Index("dispute_client", "company", "client_id"),
)

promise = Table(
    "promise",
    metadata,
    word("company"),
    Column("promise_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    word("entry_id"),
    day("promised_on"),
    # neither kept nor cancelled; a broken one is still open
    Column("open", Boolean, nullable=False),
    instant("recorded_at", nullable=True),
    PrimaryKeyConstraint("company", "promise_id"),
    Index("promise_entry", "company", "client_id", "entry_id", postgresql_where=text("open")),
)

lettering_error = Table(
    "lettering_error",
    metadata,
    word("company"),
    word("client_id"),
    word("account"),
    word("lettering"),
    partition(),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)

# From dunning's stream.

policy = Table(
    "policy",
    metadata,
    key("company"),
    partition(),
    Column("promises_exclude", Boolean, nullable=False),
    Column("disputes_exclude", Boolean, nullable=False, server_default=FALSE),
)

action = Table(
    "action",
    metadata,
    word("company"),
    Column("action_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    word("step"),
    word("medium"),
    # proposed | due | done | withdrawn
    word("state"),
    # the day on which it last became due; null while it only was proposed
    day("due_on", nullable=True),
    # and the instant
    instant("due_at", nullable=True),
    Column("draft_id", Uuid),
    # as dunning said it
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("company", "action_id"),
    Index("action_due_on", "company", "due_on", "medium"),
    Index("action_client", "company", "client_id"),
)

# From notify's own stream.

outcome = Table(
    "outcome",
    metadata,
    word("company"),
    Column("action_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    # sent | failed | in_doubt | withheld | prepared | called | contacted
    word("kind"),
    word("reason", nullable=True),
    word("message_id", nullable=True),
    instant("at"),
    day("as_of"),
    word("actor"),
    instant("opened_at", nullable=True),
    # hard | soft | complaint: it came back
    word("bounced", nullable=True),
    PrimaryKeyConstraint("company", "action_id"),
    Index("outcome_client", "company", "client_id"),
)

posting = Table(
    "posting",
    metadata,
    word("company"),
    Column("action_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    day("posted_on"),
    Column("registered", Boolean, nullable=False),
    instant("at"),
    word("actor"),
    PrimaryKeyConstraint("company", "action_id"),
    Index("posting_client", "company", "client_id"),
)

# lines that debtors paid online; not reminded of until accounting letters them (rule 8.6)
online_payment = Table(
    "online_payment",
    metadata,
    word("company"),
    word("client_id"),
    word("entry_id"),
    Column("payment_id", Uuid, nullable=False),
    partition(),
    day("paid_on"),
    PrimaryKeyConstraint("company", "client_id", "entry_id", "payment_id"),
)

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
)

# Kept.

# a company's own texts as they are used now
template = Table(
    "template",
    metadata,
    word("company"),
    word("name"),
    word("medium"),
    word("language"),
    word("subject"),
    word("body"),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    # notice | reminder | thanks
    word("kind"),
    # 1 to 7; null: any
    Column("level", Integer),
    Column("title", Text, nullable=False, server_default=""),
    # text | html, of the body
    Column("form", Text, nullable=False, server_default="text"),
    Column("version", Integer, nullable=False, server_default="1"),
    PrimaryKeyConstraint("company", "name", "medium", "language"),
)

# every text that ever was in use, and when there was none any more
template_version = Table(
    "template_version",
    metadata,
    word("company"),
    word("name"),
    word("medium"),
    word("language"),
    Column("version", Integer, nullable=False),
    word("kind"),
    Column("level", Integer),
    Column("title", Text, nullable=False, server_default=""),
    word("subject"),
    word("body"),
    word("form"),
    # from here on the delivered text was used, or none
    Column("gone", Boolean, nullable=False, server_default=FALSE),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "name", "medium", "language", "version"),
)

sender = Table(
    "sender",
    metadata,
    key("company"),
    Column("body", JSONB, nullable=False),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
)

# a company's own; without one its messages leave by the installation's
mail_server = Table(
    "mail_server",
    metadata,
    key("company"),
    word("host"),
    Column("port", Integer, nullable=False),
    # none | starttls | tls
    word("encryption"),
    word("username"),
    # sealed; null: none is needed
    Column("password", LargeBinary),
    Column("connections", Integer, nullable=False),
    # messages a second; 0: no limit
    money("per_second"),
    money("per_second_and_domain"),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
)

dkim_key = Table(
    "dkim_key",
    metadata,
    key("company"),
    word("domain"),
    word("selector"),
    # PEM, sealed
    Column("private_key", LargeBinary, nullable=False),
    # as DNS shows it
    word("public_key"),
    # messages are signed
    Column("active", Boolean, nullable=False, server_default=FALSE),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
)

person = Table(
    "person",
    metadata,
    word("company"),
    word("client_id"),
    Column("version", Integer, nullable=False),
    # as ledger answered
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)

message = Table(
    "message",
    metadata,
    word("company"),
    Column("action_id", Uuid, nullable=False),
    word("client_id"),
    word("message_id"),
    Column("recipients", ARRAY(Text), nullable=False),
    word("subject"),
    # the bytes handed to the mail server, without the files it carried; null once the person is erased
    Column("raw", LargeBinary),
    # the files, and where in it they stood; null: none
    Column("files", JSONB),
    Column("cut", Integer),
    Column("composed_at", INSTANT, nullable=False, server_default=NOW),
    # what the mail server answered, and the recipients it refused
    word("answer", nullable=True),
    Column("refused", JSONB),
    # what it was written with; version 0 is the delivered text; null: a person wrote it
    word("template", nullable=True),
    word("template_language", nullable=True),
    Column("template_version", Integer),
    PrimaryKeyConstraint("company", "action_id"),
    Index("message_client", "company", "client_id"),
    Index("message_named", "company", "message_id"),
    Index("message_files", "company", postgresql_where=text("files is not null")),
)

# online payments from the click to the money
payment = Table(
    "payment",
    metadata,
    word("company"),
    Column("payment_id", Uuid, nullable=False),
    word("client_id"),
    money("amount"),
    word("currency"),
    # [{entry_id, amount}]
    Column("entries", JSONB, nullable=False),
    # open | closed | expired | paid
    word("state"),
    # the provider's name of it, and its page; null until the provider answered
    word("session_id", nullable=True),
    word("url", nullable=True),
    instant("expires_at", nullable=True),
    day("as_of"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    instant("ended_at", nullable=True),
    PrimaryKeyConstraint("company", "payment_id"),
    Index("payment_client", "company", "client_id"),
)

# whose links to its own pages were taken back, and which are good since; no row: all of them
link_access = Table(
    "link_access",
    metadata,
    word("company"),
    word("client_id"),
    # that of the links which are good
    Column("generation", Integer, nullable=False),
    word("revoked_by"),
    Column("revoked_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "client_id"),
)

# mails that came back, one row per recipient they speak of
report = Table(
    "report",
    metadata,
    word("company"),
    # the same for every reading of the same mail
    word("digest"),
    Column("n", Integer, nullable=False),
    # hard | soft | complaint | delayed | delivered | auto_reply | reply | unknown
    word("kind"),
    word("reason"),
    word("status", nullable=True),
    # null: it speaks of no message of ours, and nothing of the mail is kept here
    Column("action_id", Uuid),
    word("client_id", nullable=True),
    # one of the message's recipients
    word("address", nullable=True),
    # what a person wrote
    word("text", nullable=True),
    Column("read_at", INSTANT, nullable=False, server_default=NOW),
    # wanted | done: ledger is to mark the address
    word("mark", nullable=True),
    PrimaryKeyConstraint("company", "digest", "n"),
    Index("report_action", "company", "action_id"),
    Index("report_mark", "company", postgresql_where=text("mark = 'wanted'")),
)

# how each company's drop folder and mailbox fare
mailbox = Table(
    "mailbox",
    metadata,
    word("company"),
    word("place"),
    instant("read_at", nullable=True),
    # a code; null while it can be read
    word("trouble", nullable=True),
    instant("trouble_since", nullable=True),
    PrimaryKeyConstraint("company", "place"),
)

letter = Table(
    "letter",
    metadata,
    word("company"),
    Column("action_id", Uuid, nullable=False),
    word("client_id"),
    word("step"),
    word("language"),
    word("subject"),
    # what stands in the window, the name first; empty, as the subject, once the person is erased
    Column("address", ARRAY(Text), nullable=False),
    # the order of the post
    Column("mailing_key", ARRAY(Text), nullable=False),
    money("amount"),
    word("currency"),
    Column("pages", Integer, nullable=False),
    # of the content, hexadecimal; it outlives the content, as proof
    word("sha256"),
    # exactly what is printed; null once the person is erased
    Column("pdf", LargeBinary),
    Column("registered", Boolean, nullable=False, server_default=FALSE),
    word("registered_number", nullable=True),
    day("written_on"),
    word("prepared_by"),
    Column("prepared_at", INSTANT, nullable=False, server_default=NOW),
    # as of a message
    word("template", nullable=True),
    word("template_language", nullable=True),
    Column("template_version", Integer),
    PrimaryKeyConstraint("company", "action_id"),
    Index("letter_client", "company", "client_id"),
    Index("letter_written", "company", "written_on"),
)

logo = Table(
    "logo",
    metadata,
    key("company"),
    # image/png | image/jpeg
    word("media_type"),
    word("sha256"),
    Column("content", LargeBinary, nullable=False),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
)

draft = Table(
    "draft",
    metadata,
    word("company"),
    Column("draft_id", Uuid, nullable=False),
    # null: one text for many actions
    Column("action_id", Uuid),
    word("client_id", nullable=True),
    # null here and below: what is usual
    word("subject", nullable=True),
    word("body", nullable=True),
    Column("recipients", ARRAY(Text)),
    Column("copies", ARRAY(Text)),
    word("sender_name", nullable=True),
    word("reply_to", nullable=True),
    word("address", nullable=True),
    # text | html, of the body
    Column("form", Text, nullable=False, server_default="text"),
    Column("files", JSONB),
    # null: as the company's sender says
    Column("attach_invoices", Boolean),
    word("written_by"),
    Column("written_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "draft_id"),
)

# files of drafts and messages, once per content
attachment = Table(
    "attachment",
    metadata,
    word("company"),
    # hexadecimal
    word("sha256"),
    word("media_type"),
    Column("bytes", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("kept_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "sha256"),
)

task_comment = Table(
    "task_comment",
    metadata,
    word("company"),
    Column("action_id", Uuid, nullable=False),
    word("client_id"),
    word("comment"),
    word("written_by"),
    Column("written_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "action_id"),
)

copy_address = Table(
    "copy_address",
    metadata,
    word("company"),
    Column("copy_id", Uuid, nullable=False),
    word("email"),
    Column("name", Text, nullable=False, server_default=""),
    # of the account, when it is one of its users
    word("user_id", nullable=True),
    word("changed_by"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "copy_id"),
)
