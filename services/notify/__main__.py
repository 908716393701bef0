"""``python -m services.notify run | api | worker | relay | migrate | rebuild``."""

from chassis.service import main
from services.notify.main import build
from services.notify.settings import NotifySettings

if __name__ == "__main__":
    main("notify", build, NotifySettings)
