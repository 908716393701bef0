"""Events to rows, set-based: live, when notify speaks itself, and in a rebuild.

Every function takes a run of events of one type, of any companies and partitions, each partition in order. Bodies
go to PostgreSQL unread, but for the lines of accounting, which go there as rows. One module
per speaker.
"""

from collections.abc import Mapping

from chassis.projection import Project
from services.notify.projection.carried_out import CARRIED_OUT
from services.notify.projection.decided import DECIDED
from services.notify.projection.stated import STATED
from services.notify.projection.synced import SYNCED

PROJECT: Mapping[str, Project] = {**SYNCED, **STATED, **DECIDED, **CARRIED_OUT}
