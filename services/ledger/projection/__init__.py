"""Events to rows, set-based: live, when ledger speaks itself, and in a rebuild.

Every function takes a run of events of one type, of any companies and partitions, each partition in order. Bodies
go to PostgreSQL unread, but for the lines of accounting, which go there as rows.
"""

from collections.abc import Mapping

from chassis.projection import Project
from services.ledger.projection.settled import SETTLED
from services.ledger.projection.stated import STATED
from services.ledger.projection.synced import SYNCED

PROJECT: Mapping[str, Project] = {**SYNCED, **STATED, **SETTLED}
