"""``python -m cli``, which the script ``relance`` runs."""

from cli.app import run

if __name__ == "__main__":
    run()
