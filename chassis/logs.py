"""Logs as JSON lines: a constant sentence plus ids, never personal data.

An exception is told by its type and its frames. Its text is kept only where it cannot quote data: the messages of
a database or of a validation may repeat the row that was refused.
"""

import json
import logging
import sys
import traceback
from typing import Any

from chassis import clock

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_QUOTING = ("psycopg", "sqlalchemy", "pydantic", "fastapi", "pydantic_core")


NOTHING_AMISS = "returning true from eof_received() has no effect when using ssl"


class JsonLines(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": clock.now().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self.service,
            "message": record.getMessage(),
            "logger": record.name,
        }
        line.update({key: value for key, value in vars(record).items() if key not in _PLAIN})
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def told(error: BaseException) -> dict[str, Any]:
    """Type, frames, and the text where it is safe; a database error tells its code and its constant message."""
    answer: dict[str, Any] = {"type": type(error).__qualname__}
    diagnosis = getattr(getattr(error, "orig", error), "diag", None)
    if diagnosis is not None:
        answer["sqlstate"] = getattr(diagnosis, "sqlstate", None)
        answer["constraint"] = getattr(diagnosis, "constraint_name", None)
    elif not type(error).__module__.startswith(_QUOTING):
        answer["text"] = str(error)[:500]
    frames = traceback.extract_tb(error.__traceback__)
    answer["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
    if error.__cause__ is not None:
        answer["cause"] = told(error.__cause__)
    return answer


def worth_telling(record: logging.LogRecord) -> bool:
    """Not what asyncio says at the end of every connection to NATS by TLS: whoever reads it looks for a fault."""
    return record.msg != NOTHING_AMISS


def write_json_lines(service: str, level: str) -> None:
    """Sends every log of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "nats", "opentelemetry"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("asyncio").addFilter(worth_telling)
