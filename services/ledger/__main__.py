"""``python -m services.ledger run | api | worker | relay | migrate | rebuild``."""

from chassis.service import main
from services.ledger.main import build
from services.ledger.settings import LedgerSettings

if __name__ == "__main__":
    main("ledger", build, LedgerSettings)
