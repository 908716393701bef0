"""Pure rules of sync: what a line is, which book it belongs to, what its problems mean."""
