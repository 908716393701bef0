"""``relance cluster drill``: an installation on Kubernetes rolled, broken and scaled inside its work."""
