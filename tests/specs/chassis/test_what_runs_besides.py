"""Which processes of a service do what it does besides answering and hearing."""

import pytest

from chassis.process import API, RELAY, WORKER, background_of
from services.console.main import build as console
from services.console.settings import ConsoleSettings
from services.notify.main import build as notify
from services.notify.settings import NotifySettings


@pytest.mark.parametrize("parts", [(API,), (API, WORKER, RELAY)])
def test_the_console_sends_its_reports_though_it_has_no_worker(parts: tuple[str, ...]) -> None:
    """On a cluster nothing of it runs but what answers."""
    assert "cash-reports" in background_of(console(ConsoleSettings()), parts)


def test_who_has_workers_leaves_it_to_them() -> None:
    service = notify(NotifySettings())
    assert background_of(service, (API,)) == background_of(service, (RELAY,)) == {}
    assert background_of(service, (WORKER,)) == service.background
