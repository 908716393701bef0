"""Events heard become rows: at most once by checkpoints, at least once by the stream, so exactly once."""

from chassis.delivered import Delivered
from chassis.eventlog import Say
from chassis.listening import Listening, Project, React, project_all, react_all, wait_for

__all__ = ["Delivered", "Listening", "Project", "React", "Say", "project_all", "react_all", "wait_for"]
