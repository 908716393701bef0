"""A mail that leaves while whoever asked for it waits: a trial of a mail server, a daily report."""

import asyncio
from dataclasses import dataclass

from services.notify.mailer import MailServerUnreachable, Refused, Result, SmtpConnection, Taken, Unknown
from services.notify.messages import Mail
from services.notify.servers import Server


@dataclass(frozen=True, slots=True)
class Attempt:
    """``result`` is what became of the message: none where there was none to send, or where the server never told.
    ``words`` are the server's or the network's. ``surely_stayed``: nothing of the message can have left."""

    ok: bool
    words: str
    surely_stayed: bool
    result: Result | None = None


async def attempted(server: Server, mail: Mail | None, seconds: float) -> Attempt:
    """Connect, and carry ``mail`` where there is one, within so many seconds in all."""
    carrier = SmtpConnection(server)
    began = False
    try:
        async with asyncio.timeout(seconds):
            await carrier.connect()
            if mail is None:
                return Attempt(True, "", True)
            began = True
            result = await carrier.carry(mail)
    except MailServerUnreachable as unreachable:
        return Attempt(False, str(unreachable), not began)
    except TimeoutError:
        return Attempt(False, f"no answer within {seconds:.0f} s", not began)
    finally:
        await carrier.close()
    words = result.answer if isinstance(result, Taken | Refused) else result.reason
    return Attempt(isinstance(result, Taken), words, not isinstance(result, Taken | Unknown), result)
