"""A Prometheus beside a stack, and its dashboards drawn as pictures."""
