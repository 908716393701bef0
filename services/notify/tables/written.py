"""What was written to people, exactly as it left, and what is being written."""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.columns import FALSE, INSTANT, NOW, day, instant, money, word
from services.notify.tables.metadata import metadata

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
    # of these bytes, hexadecimal; null: not found yet
    word("sha256", nullable=True),
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

# what became of a daily report, by the number that whoever asked gave it; nothing of what it says
cash_report = Table(
    "cash_report",
    metadata,
    word("company"),
    Column("report_id", Uuid, nullable=False),
    word("message_id"),
    # under_way | sent | stayed | in_doubt
    word("state"),
    # the mail server's or the network's
    Column("words", Text, nullable=False, server_default=""),
    # one that is under way has ended in doubt after it
    instant("until"),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "report_id"),
)
