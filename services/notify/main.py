"""The wiring of notify: what it hears, says, serves and does by itself."""

from datetime import date

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.projection import Listening
from chassis.resealing import Sealed
from chassis.running import Running
from chassis.service import Service
from contracts.registry import EVENTS
from services.notify import queries, tables
from services.notify.api import links, opens, payments, router
from services.notify.archive.archivist import Archivist
from services.notify.handlers import REACT
from services.notify.judging import judged
from services.notify.letters.room import LetterRoom
from services.notify.mailboxes import MAILBOX_PURPOSE
from services.notify.oauth.consent import PENDING_PURPOSE
from services.notify.oauth.keeping import REFRESH_PURPOSE, SECRET_PURPOSE
from services.notify.payments.account import API_KEY, WEBHOOK_SECRET
from services.notify.projection import PROJECT
from services.notify.retention import expire_as_days_come
from services.notify.returning import ReadingRoom
from services.notify.sending import MailRoom
from services.notify.servers import SERVER_PURPOSE
from services.notify.settings import NotifySettings
from services.notify.signing import SIGNING_KEY


async def today(tx: AsyncConnection, company: str) -> date:
    """The company's own day."""
    return clock.today(await queries.time_zone(tx, company))


def build(settings: NotifySettings) -> Service:
    async def send(running: Running) -> None:
        """Take mails to the mail server."""
        await MailRoom(running, settings).run()

    async def make_letters(running: Running) -> None:
        """Make the letters that are wanted many at a time."""
        await LetterRoom(running, settings).run()

    async def read_reports(running: Running) -> None:
        """Read what comes back."""
        await ReadingRoom(running, settings).run()

    async def seal(running: Running) -> None:
        """Put what was sent into the archive."""
        await Archivist(running).run()

    async def expire(running: Running) -> None:
        """Erase contents that have had their time."""
        await expire_as_days_come(running)

    background = {"sending": send, "letters": make_letters, "reports": read_reports, "archive": seal}
    if not settings.allow_as_of:  # where the day is chosen, it is asked for
        background["retention"] = expire

    def mount(app: FastAPI, running: Running) -> None:
        app.include_router(opens.router)
        app.include_router(links.door)
        app.include_router(payments.door)

    return Service(
        name="notify",
        settings=settings,
        events=EVENTS,
        listening=Listening(
            streams=("sync", "ledger", "dunning"),
            project=PROJECT,
            react=REACT,
            tables=tables.DERIVED,
            bulk={"EntriesSynced": "entries", "ClientsChanged": "clients"},
        ),
        router=router,
        knows_clients=True,
        asked_by={"notify": {"debtor"}},
        background=background,
        judged=judged(settings),
        sealed=(
            Sealed("mail_server", "password", SERVER_PURPOSE),
            Sealed("mailbox_account", "password", MAILBOX_PURPOSE),
            Sealed("mail_authorization", "secret", SECRET_PURPOSE),
            Sealed("mail_authorization", "refresh_token", REFRESH_PURPOSE),
            Sealed("mail_authorization", "pending", PENDING_PURPOSE),
            Sealed("dkim_key", "private_key", SIGNING_KEY),
            Sealed("payment_account", "api_key", API_KEY),
            Sealed("payment_account", "webhook_secret", WEBHOOK_SECRET),
        ),
        today=today,
        mount=mount,
    )
