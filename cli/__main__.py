"""``python -m cli``, which the script ``relance`` runs."""

from cli import app, app_work

if __name__ == "__main__":
    assert app_work.app is app.app
    app.run()
