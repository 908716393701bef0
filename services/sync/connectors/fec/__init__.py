"""The French *fichier des écritures comptables* (LPF art. A47 A-1), as accounting software really writes it."""

from pathlib import Path

from services.sync.connectors import Rules
from services.sync.connectors.fec.reader import FecReading


class Fec:
    """Connector for FEC files."""

    name = "fec"

    def open(self, path: Path, rules: Rules) -> FecReading:
        return FecReading(path, rules)
