"""``python -m services.notify run | api | worker | relay | migrate | rebuild | gallery``."""

import sys
from pathlib import Path

from chassis.service import main
from services.notify.gallery import messages
from services.notify.main import build
from services.notify.settings import NotifySettings

if __name__ == "__main__":
    if sys.argv[1:2] == ["gallery"] and len(sys.argv) == 3:
        sys.exit(0 if messages(Path(sys.argv[2])) else 1)
    main("notify", build, NotifySettings)
