"""``interest``: late interest and the fixed indemnity of a client, invoice by invoice (rules 18.2, 18.3)."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_work import AsOf, CompanyName

UNSAID = "Nothing is claimed: the company has not said which of its clients are businesses (page Late interest)."
CONSUMER = "Nothing is claimed: by its category the client is not a business."
PROVISIONAL = "Lines marked * wait for the published rates of their half-year; those before are taken."


@app.command()
def interest(
    client: Annotated[str, typer.Argument(help="The client's code in accounting.", show_default=False)],
    company: CompanyName,
    as_of: AsOf = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what the law adds to a client's late invoices. Nothing of it is posted or in any total.

    One line per period between payments or half-years: piece, first and last day, days, balance, yearly rate in
    percent, interest of the period; then the sums, rounded per invoice.
    """
    from cli.main_job import road_of

    road = road_of(data_dir_of(data), company)
    asked = {"client_id": client} | ({"statement_on": f"{as_of:%Y-%m-%d}"} if as_of else {})
    late = road.ask("reporting", "/client", **asked)["statement"]["late_interest"]
    if as_json:
        typer.echo(json.dumps(late, ensure_ascii=False))
        return
    if late["debtor"] != "business":
        say(UNSAID if late["debtor"] == "unsaid" else CONSUMER)
        return
    for claim in late["claims"]:
        for period in claim["periods"]:
            mark = "*" if period["provisional"] else ""
            days = (period["from_on"], period["to_on"], period["days"])
            told = (claim["piece"], *days, period["balance"], f"{period['rate']}{mark}", period["interest"])
            typer.echo("\t".join(map(str, told)))
    sums = [f"{one['interest']} {one['currency']}" for one in late["sums"]] or ["0.00"]
    if late["provisional"]:
        say(PROVISIONAL)
    say(f"Interest {' + '.join(sums)}; indemnity {late['indemnity']} EUR for {len(late['claims'])} invoices.")
