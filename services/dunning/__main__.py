"""``python -m services.dunning run | api | worker | relay | migrate | rebuild``."""

from chassis.service import main
from services.dunning.main import build
from services.dunning.settings import DunningSettings

if __name__ == "__main__":
    main("dunning", build, DunningSettings)
