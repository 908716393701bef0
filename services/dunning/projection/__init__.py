"""Events to rows, set-based: live, when dunning speaks itself, and in a rebuild.

Every function takes a run of events of one type, of any companies and partitions, each partition in order. Bodies
go to PostgreSQL unread, but for the lines of accounting, which go there as rows. Whatever may change a decision
marks its client in ``schedule`` (``marking``): the round looks there. One module per speaker.
"""

from collections.abc import Mapping

from chassis.projection import Project
from services.dunning.projection.carried_out import CARRIED_OUT
from services.dunning.projection.decided import DECIDED
from services.dunning.projection.stated import STATED
from services.dunning.projection.synced import SYNCED

PROJECT: Mapping[str, Project] = {**SYNCED, **STATED, **DECIDED, **CARRIED_OUT}
