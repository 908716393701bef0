"""Events to rows. Every table is written from one speaker's stream, so any interleaving ends alike."""

from chassis.projection import Project
from services.reporting.projection.carried_out import CARRIED_OUT
from services.reporting.projection.decided import DECIDED
from services.reporting.projection.stated import STATED
from services.reporting.projection.synced import SYNCED

PROJECT: dict[str, Project] = {**SYNCED, **STATED, **DECIDED, **CARRIED_OUT}
