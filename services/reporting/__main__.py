"""``python -m services.reporting run | api | worker | relay | migrate | rebuild``."""

from chassis.service import main
from services.reporting.main import build
from services.reporting.settings import ReportingSettings

if __name__ == "__main__":
    main("reporting", build, ReportingSettings)
