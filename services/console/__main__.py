"""``python -m services.console run | api | migrate | create-user``."""

import argparse
import asyncio
import sys

from chassis import database
from chassis.service import main
from services.console.accounts import PEOPLE_ROLES, PasswordTooShort, create_user
from services.console.main import build
from services.console.settings import ConsoleSettings


async def _create_user(options: argparse.Namespace) -> None:
    engine = database.engine(ConsoleSettings().database_url, schema="console", size=1)
    try:
        async with database.transaction(engine) as tx:
            roles = dict.fromkeys(options.company, options.role)
            await create_user(tx, options.email, options.password, options.name or options.email, roles)
    finally:
        await engine.dispose()


def create_user_command(arguments: list[str]) -> int:
    """``create-user --email E --name N --company C --role R``; the password is read from standard input."""
    parser = argparse.ArgumentParser(
        prog="python -m services.console create-user",
        description="Creates the account of a person, or changes its name, password and roles.",
    )
    parser.add_argument("--email", required=True, help="The address the person signs in with.")
    parser.add_argument("--name", help="The name shown on screen; by default the address.")
    parser.add_argument("--company", action="append", default=[], help="A company's slug; may be repeated.")
    parser.add_argument("--role", choices=PEOPLE_ROLES, default="user", help="The role for these companies.")
    options = parser.parse_args(arguments)
    options.password = sys.stdin.readline().rstrip("\n")
    try:
        asyncio.run(_create_user(options))
    except PasswordTooShort as short:
        sys.stderr.write(f"{short}\n")
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["create-user"]:
        sys.exit(create_user_command(sys.argv[2:]))
    main("console", build, ConsoleSettings)
