"""Rows of an import, judged as our own doors judge what people enter: where files and bases are, and when."""

from collections.abc import Iterator, Mapping

from pydantic import TypeAdapter, ValidationError

from chassis import clock
from chassis.guard import networks_of
from chassis.judging import Fault, Judge, Row, inside, unfit
from services.sync.api.connectors import ConnectorWanted
from services.sync.api.imports import ImportSettings
from services.sync.api.inlets import Slot, SourceName
from services.sync.connectors.kinds import OPTIONS
from services.sync.connectors.mapped.mapping import Mapping as FileMapping
from services.sync.inlets import SSH_PORT, Inlet
from services.sync.inlets.slots import CronUnreadable, next_time
from services.sync.settings import SyncSettings

NAME = TypeAdapter(SourceName)


def judged(settings: SyncSettings) -> Mapping[str, Judge]:
    """Judges by table."""
    networks = networks_of(settings.inlet_networks)

    def inlet(row: Row) -> Iterator[Fault]:
        yield from _name(row)
        yield from unfit(Inlet, row["inlet"], "inlet")
        place = row["inlet"]["place"]
        if place.get("kind") == "sftp":
            port = place.get("port", SSH_PORT)
            yield from inside(place.get("host"), port, networks, "RELANCE_INLET_NETWORKS", "inlet.place.host")

    return {
        "connector": _connector,
        "import_settings": lambda row: unfit(
            ImportSettings, {name: row[name] for name in ImportSettings.model_fields}
        ),
        "inlet": inlet,
        "mapping": lambda row: unfit(FileMapping, row["mapping"], "mapping"),
        "slot": _slot,
    }


def _connector(row: Row) -> Iterator[Fault]:
    kind, _, base = row["source"].partition("/")
    if kind != row["kind"]:
        yield Fault("source", f"it is a base of {kind}, and the connector one of {row['kind']}")
    yield from unfit(ConnectorWanted, {"kind": kind, "base": base, "place": row["place"]})
    if kind in OPTIONS:
        yield from unfit(OPTIONS[kind], row["options"], "options")


def _slot(row: Row) -> Iterator[Fault]:
    yield from unfit(Slot, {name: row[name] for name in Slot.model_fields})
    try:
        next_time(row["cron"], clock.now(), "UTC")
    except CronUnreadable:
        yield Fault("cron", "this is no time as cron writes it")


def _name(row: Row) -> Iterator[Fault]:
    try:
        NAME.validate_python(row["name"])
    except ValidationError:
        yield Fault("name", "it is no name of an inlet")
