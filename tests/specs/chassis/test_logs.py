"""What is worth a line in the logs."""

import logging
from asyncio.sslproto import SSLProtocol

from chassis.logs import NOTHING_AMISS, worth_telling


def said(text: str) -> logging.LogRecord:
    return logging.LogRecord("asyncio", logging.WARNING, __file__, 1, text, (), None)


def test_what_asyncio_says_at_the_end_of_a_connection_by_tls_is_not_told() -> None:
    assert not worth_telling(said(NOTHING_AMISS))


def test_whatever_else_it_says_is() -> None:
    assert worth_telling(said("Executing <Task> took 4.012 seconds"))


def test_it_is_said_in_these_words() -> None:
    functions = [value for value in vars(SSLProtocol).values() if hasattr(value, "__code__")]
    assert NOTHING_AMISS in {word for function in functions for word in function.__code__.co_consts}
