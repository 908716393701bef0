"""Disasters rehearsed: what is lost is put back, and the books are compared with those before."""
