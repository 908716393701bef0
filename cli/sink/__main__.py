"""``python -m cli.sink --smtp-port 2525 --http-port 8025 --store DIR``: run the sink until it is stopped."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from cli.sink.pages import create_app
from cli.sink.smtp import Behaviour, Handler, protocol
from cli.sink.store import Store


async def serve(
    host: str, smtp_port: int, http_port: int, folder: Path, behaviour: Behaviour | None = None
) -> None:
    """Listen on both ports until cancelled or interrupted."""
    store = Store(folder)
    handler = Handler(store)
    if behaviour is not None:
        handler.behaviour = behaviour
    smtp = await asyncio.get_running_loop().create_server(lambda: protocol(handler), host, smtp_port, backlog=1024)
    web = uvicorn.Server(
        uvicorn.Config(
            create_app(store, handler),
            host=host,
            port=http_port,
            log_level="warning",
            access_log=False,
            lifespan="off",
        )
    )
    try:
        await web.serve()
    finally:
        # not waited for: since Python 3.12 that lasts until the last sender hangs up, and its container is killed
        smtp.close()
        store.close()


def main(
    smtp_port: Annotated[int, typer.Option(help="Port where mails are taken.")],
    http_port: Annotated[int, typer.Option(help="Port of the page and of the JSON API.")],
    store: Annotated[Path, typer.Option(help="Folder where mails are kept.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    behaviour: Annotated[str, typer.Option(help="How to misbehave, as the JSON of PUT /api/behaviour.")] = "{}",
) -> None:
    """Take every mail, send none on, show them on a page."""
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(host, smtp_port, http_port, store, Behaviour.model_validate_json(behaviour)))


if __name__ == "__main__":
    typer.run(main)
