"""``python -m services.console run | api | migrate | create-user | list-users | set-portfolio``."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import database
from chassis.service import main
from services.console.accounts import (
    PEOPLE_ROLES,
    AdministratorSeesAll,
    Member,
    MemberUnknown,
    PasswordTooShort,
    PortfolioEmpty,
    create_user,
    members,
    set_portfolio,
)
from services.console.main import build
from services.console.settings import ConsoleSettings


@asynccontextmanager
async def _console_transaction() -> AsyncIterator[AsyncConnection]:
    engine = database.engine(ConsoleSettings().database_url, schema="console", size=1)
    try:
        async with database.transaction(engine) as tx:
            yield tx
    finally:
        await engine.dispose()


async def _create_user(options: argparse.Namespace) -> None:
    async with _console_transaction() as tx:
        roles = dict.fromkeys(options.company, options.role)
        await create_user(tx, options.email, options.password, options.name or options.email, roles)


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


async def _members(company: str) -> list[Member]:
    async with _console_transaction() as tx:
        return await members(tx, company)


def list_users_command(arguments: list[str]) -> int:
    """``list-users --company C``: address, name, role and portfolio of each, one a line, separated by tabs."""
    parser = argparse.ArgumentParser(
        prog="python -m services.console list-users",
        description="Who may sign in for a company, and whose clients they see.",
    )
    parser.add_argument("--company", required=True, help="A company's slug.")
    for one in asyncio.run(_members(parser.parse_args(arguments).company)):
        seen = "every client" if one.portfolio is None else ", ".join(one.portfolio)
        sys.stdout.write(f"{one.email}\t{one.name}\t{one.role}\t{seen}\n")
    return 0


async def _set_portfolio(company: str, email: str, salespeople: list[str] | None) -> None:
    async with _console_transaction() as tx:
        await set_portfolio(tx, company, email, salespeople)


def set_portfolio_command(arguments: list[str]) -> int:
    """``set-portfolio --email E --company C --salesperson CODE … | --everybody``."""
    parser = argparse.ArgumentParser(
        prog="python -m services.console set-portfolio",
        description="Shows a person the clients of some sales people only, or every client again.",
    )
    parser.add_argument("--email", required=True, help="The address the person signs in with.")
    parser.add_argument("--company", required=True, help="A company's slug.")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--salesperson", action="append", help="A code as accounting gives it; may be repeated.")
    whom.add_argument("--everybody", action="store_true", help="Every client.")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_set_portfolio(options.company, options.email, options.salesperson))
    except (MemberUnknown, PortfolioEmpty, AdministratorSeesAll) as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    return 0


COMMANDS = {
    "create-user": create_user_command,
    "list-users": list_users_command,
    "set-portfolio": set_portfolio_command,
}


if __name__ == "__main__":
    if (command := COMMANDS.get("".join(sys.argv[1:2]))) is not None:
        sys.exit(command(sys.argv[2:]))
    main("console", build, ConsoleSettings)
