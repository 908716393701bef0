"""What each service listens to, as its own wiring says."""

from chassis.listening import Listening
from services.dunning.main import build as dunning
from services.dunning.settings import DunningSettings
from services.ledger.main import build as ledger
from services.ledger.settings import LedgerSettings
from services.notify.main import build as notify
from services.notify.settings import NotifySettings
from services.reporting.main import build as reporting
from services.reporting.settings import ReportingSettings
from services.sync.main import build as sync
from services.sync.settings import SyncSettings


def wired(service: str) -> Listening:
    built = {
        "sync": lambda: sync(SyncSettings()),
        "ledger": lambda: ledger(LedgerSettings()),
        "dunning": lambda: dunning(DunningSettings()),
        "notify": lambda: notify(NotifySettings()),
        "reporting": lambda: reporting(ReportingSettings()),
    }[service]()
    assert built.listening is not None
    return built.listening
