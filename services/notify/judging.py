"""Rows of an import, judged as our own doors judge what people enter: texts, addresses, hosts, files.

A text is read by the same cleaner whenever it is used (ADR 40), so nothing of it would reach a page; what never
came through our door is refused all the same, since nobody would know who wrote it.
"""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from chassis.guard import Network, networks_of
from chassis.judging import Fault, Judge, Row, columns_of, inside, unfit
from services.notify.api.attachments import FileName, MediaType
from services.notify.api.copies import CopyWanted
from services.notify.api.logo import KINDS
from services.notify.api.mail_authorization import TENANT, AuthorizationBody
from services.notify.api.mail_server import ServerBody
from services.notify.api.mailbox import MailboxBody
from services.notify.api.messages import Written
from services.notify.api.sender import SenderBody, Web
from services.notify.api.templates import TemplateExported
from services.notify.manuscript import clean
from services.notify.messages import is_usable_address
from services.notify.oauth.providers import WAYS
from services.notify.proofreading import problems
from services.notify.settings import NotifySettings

NETWORKS, HTTPS = "RELANCE_MAIL_NETWORKS", 443


class _Attachment(BaseModel):
    media_type: MediaType


class _File(_Attachment):
    model_config = ConfigDict(extra="ignore")
    name: FileName


class _Payment(BaseModel):
    url: Web | None


def judged(settings: NotifySettings) -> Mapping[str, Judge]:
    """Judges by table."""
    networks = networks_of(settings.mail_networks)

    def server(row: Row) -> Iterator[Fault]:
        yield from _host(row, ServerBody, networks)
        if row.get("sign_in") == "oauth":
            if row["encryption"] == "none":
                yield Fault("encryption", "a token is only shown over an encrypted connection")
            if not row["username"]:
                yield Fault("username", "a token is for a mailbox")

    def mailbox(row: Row) -> Iterator[Fault]:
        return _host(row, MailboxBody, networks)

    def authorization(row: Row) -> Iterator[Fault]:
        return _authorization(row, networks)

    return {
        "attachment": lambda row: unfit(_Attachment, columns_of(_Attachment, row)),
        "copy_address": lambda row: unfit(CopyWanted, columns_of(CopyWanted, row)),
        "draft": _draft,
        "logo": _logo,
        "mail_authorization": authorization,
        "mail_server": server,
        "mailbox_account": mailbox,
        "payment": lambda row: unfit(_Payment, columns_of(_Payment, row)),
        "sender": _sender,
        "template": _template,
        "template_version": _kept_text,
    }


def _host(row: Row, door: type[BaseModel], networks: Sequence[Network]) -> Iterator[Fault]:
    yield from unfit(door, columns_of(door, row))
    yield from inside(row["host"], row["port"], networks, NETWORKS, "host")


def _authorization(row: Row, networks: Sequence[Network]) -> Iterator[Fault]:
    faults = list(unfit(AuthorizationBody, columns_of(AuthorizationBody, row)))
    if faults:
        yield from faults
        return
    body = AuthorizationBody.model_validate(columns_of(AuthorizationBody, row))
    if body.way not in WAYS[body.provider]:
        yield Fault("way", "this provider is connected by a person's consent")
    if body.provider == "microsoft" and not TENANT.fullmatch(body.tenant):
        yield Fault("tenant", "the tenant's identifier or domain is needed")
    for column in ("token_url", "revoke_url"):
        place = urlsplit(getattr(body, column))
        if place.hostname:
            yield from inside(place.hostname, place.port or HTTPS, networks, NETWORKS, column)


def _template(row: Row) -> Iterator[Fault]:
    yield from _kept_text(row)
    for problem in problems(row["subject"], row["body"], row["form"]):
        yield Fault(problem.field, f"line {problem.line}, column {problem.column}: {problem.message_en}")


def _kept_text(row: Row) -> Iterator[Fault]:
    yield from unfit(TemplateExported, columns_of(TemplateExported, row))
    yield from _not_clean(row)


def _not_clean(row: Row) -> Iterator[Fault]:
    if row["form"] == "html" and row["body"] is not None and clean(row["body"]) != row["body"]:
        yield Fault("body", "it holds what no text may hold, or was not written by our own editor")


def _draft(row: Row) -> Iterator[Fault]:
    yield from unfit(Written, {name: row[name] for name in ("subject", "body", "sender_name", "address", "form")})
    yield from _not_clean(row)
    addresses = [*(row["recipients"] or ()), *(row["copies"] or ()), *filter(None, [row["reply_to"]])]
    if any(not is_usable_address(one) for one in addresses):
        yield Fault("recipients, copies, reply_to", "one of them is no e-mail address")
    yield from _files(row["files"])


def _files(files: Sequence[Row] | None) -> Iterator[Fault]:
    for place, one in enumerate(files or ()):
        yield from unfit(_File, one, f"files.{place}")


def _sender(row: Row) -> Iterator[Fault]:
    # what an older version saved besides is not looked at by anybody
    body = {name: row["body"][name] for name in SenderBody.model_fields if name in row["body"]}
    yield from unfit(SenderBody, body, "body")


def _logo(row: Row) -> Iterator[Fault]:
    if row["media_type"] not in KINDS:
        yield Fault("media_type", f"a logo is {' or '.join(KINDS)}")
