"""Files of any other kind: CSV and workbooks of entries, clients and contacts, read by a saved mapping."""

from pathlib import Path

from services.sync.connectors import Rules
from services.sync.connectors.mapped.mapping import Mapping
from services.sync.connectors.mapped.reader import MappedReading


class Mapped:
    """Connector for mapped files."""

    name = "mapped"

    def open(self, path: Path, rules: Rules) -> MappedReading:
        assert rules.mapping is not None
        return MappedReading(path, rules, rules.mapping_name, Mapping.model_validate(rules.mapping))
