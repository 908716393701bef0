"""``python -m services.sync run | api | worker | relay | migrate | rebuild``."""

from chassis.service import main
from services.sync.main import build
from services.sync.settings import SyncSettings

if __name__ == "__main__":
    main("sync", build, SyncSettings)
