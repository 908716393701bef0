"""The way in for other systems with an API key, under ``/api``: a token for the key, and the services' addresses.

No session, no cookie, no right of its own: what a token opens is judged by each service (docs/adr/0067).
"""

from services.console.systems.app import systems

__all__ = ["systems"]
