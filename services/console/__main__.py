"""``python -m services.console run | api | migrate | create-user | list-users | set-portfolio | let-in |
unbind``."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import database
from chassis.service import main
from services.console import letting_in
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
from services.console.single_sign_on.arriving import unbind


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
    parser.add_argument(
        "--without-password", action="store_true", help="For who comes by the provider, or by a link of let-in."
    )
    options = parser.parse_args(arguments)
    options.password = None if options.without_password else sys.stdin.readline().rstrip("\n")
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


async def _link_for(email: str) -> letting_in.Link:
    async with _console_transaction() as tx:
        return await letting_in.link_for(tx, email)


def let_in_command(arguments: list[str]) -> int:
    """``let-in --email E``: a link by which this person enters, once, within a quarter of an hour."""
    parser = argparse.ArgumentParser(
        prog="python -m services.console let-in",
        description="Prints a link that lets somebody in, whatever the provider and the passwords do.",
    )
    parser.add_argument("--email", required=True, help="The address of the account.")
    options = parser.parse_args(arguments)
    try:
        link = asyncio.run(_link_for(options.email))
    except letting_in.AccountUnknown as unknown:
        sys.stderr.write(f"{unknown}\n")
        return 1
    base = ConsoleSettings().console_url.rstrip("/")
    sys.stdout.write(f"{base}{letting_in.PATH}?token={link.token}\n")
    sys.stderr.write(f"good once, for {letting_in.GOOD_MINUTES} minutes, as user:{link.account_id}\n")
    return 0


async def _unbind(email: str) -> bool:
    async with _console_transaction() as tx:
        return await unbind(tx, email)


def unbind_command(arguments: list[str]) -> int:
    """``unbind --email E``: forget who this person is at the provider."""
    parser = argparse.ArgumentParser(
        prog="python -m services.console unbind",
        description="Forgets who an account is at the provider: who has its address there next is bound to it.",
    )
    parser.add_argument("--email", required=True, help="The address of the account.")
    options = parser.parse_args(arguments)
    if not asyncio.run(_unbind(options.email)):
        sys.stderr.write(f"{options.email} is bound to nobody at the provider\n")
        return 1
    return 0


COMMANDS = {
    "create-user": create_user_command,
    "list-users": list_users_command,
    "set-portfolio": set_portfolio_command,
    "let-in": let_in_command,
    "unbind": unbind_command,
}


if __name__ == "__main__":
    if (command := COMMANDS.get("".join(sys.argv[1:2]))) is not None:
        sys.exit(command(sys.argv[2:]))
    main("console", build, ConsoleSettings)
