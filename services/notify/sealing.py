"""Secrets that companies give notify: passwords of servers, private keys."""

from chassis.sealing import Seal, SealBroken, SealMissing

__all__ = ["Seal", "SealBroken", "SealMissing"]
