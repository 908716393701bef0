"""Files of ``n`` lines, a FEC and a mapped CSV: how fast they come in, and how much memory sync needs for it."""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random

from bench.costs import Costs
from bench.harness import Result
from cli.books import CLOSING, FILE_NAME, write_fec
from cli.road import Json, Road
from cli.trial import Trial

WITHIN_SECONDS = 3600.0
CLIENT_LINES = 50
WANTED_MB = 300
MAPPING: Json = {
    "holds": "entries",
    "columns": {
        "key": "id", "client_id": "client", "client_name": "name", "piece": "invoice", "invoice_date": "date",
        "due_date": "due", "label": "text", "amount": "amount", "currency": "currency", "settled_on": "paid",
    },
    "dates": "DD/MM/YYYY", "decimal": ",",
}  # fmt: skip


def files(n: int) -> Result:
    """Import ``n`` lines by a mapping, then a FEC of ``n`` lines; lines per second of the mapped file."""
    with tempfile.TemporaryDirectory(prefix="relance-bench-") as folder:
        mapped, fec = Path(folder) / "invoices.csv", Path(folder) / FILE_NAME
        write_csv(mapped, n)
        write_fec(fec, n // 2)
        limit = n / _read_plainly(mapped)
        with Trial(Path(folder) / "data", as_of=CLOSING, services=("sync", "ledger")) as trial:
            pids = trial.stack.state().pids
            seconds: dict[str, float] = {}
            peaks: dict[str, float] = {}
            for name, file, mapping in (("mapped", mapped, "bench"), ("fec", fec, None)):
                road = trial.road(f"bench-{name}")
                road.register(name)
                if mapping:
                    road.save_mapping(mapping, MAPPING)
                with Costs(pids) as costs:
                    seconds[name] = _import(road, file, mapping)
                    peaks[name] = costs.peak_mb()["sync"]
                road.close()
    return Result(
        "files",
        ours=n / seconds["mapped"],
        limit=limit,
        unit="lines/s",
        n=n,
        details={
            "seconds": {name: round(taken, 2) for name, taken in seconds.items()},
            "fec_lines_per_second": round(n / seconds["fec"], 1),
            "sync_peak_mb": peaks,
            "wanted_mb": WANTED_MB,
            "limit_is": "reading the same file with the standard library and doing nothing",
        },
    )


def _import(road: Road, file: Path, mapping: str | None) -> float:
    started = time.perf_counter()
    imported = road.import_file(file, mapping=mapping, within=WITHIN_SECONDS)
    if imported["status"] != "completed":
        raise RuntimeError(f"the import did not complete: {imported['errors'][:3]}")
    return time.perf_counter() - started


def _read_plainly(file: Path) -> float:
    started = time.perf_counter()
    with file.open(encoding="utf-8", newline="") as text:
        for _ in csv.reader(text, delimiter=";"):
            pass
    return time.perf_counter() - started


def write_csv(path: Path, n: int, seed: int = 7) -> None:
    """Invoices of ``n / 50`` clients, two in three open."""
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, delimiter=";")
        writer.writerow(["id", "client", "name", "invoice", "date", "due", "text", "amount", "currency", "paid"])
        writer.writerows(_rows(Random(seed), n))


def _rows(random: Random, n: int) -> Iterator[tuple[str, ...]]:
    start = CLOSING - timedelta(days=364)
    clients = max(1, n // CLIENT_LINES)
    for number in range(n):
        client = f"C{random.randrange(clients):06d}"
        day = start + timedelta(days=random.randrange(300))
        paid = _text(day + timedelta(days=random.randrange(20, 60))) if random.random() > 2 / 3 else ""
        amount = f"{random.randrange(1000, 900_000) / 100:.2f}".replace(".", ",")
        yield (
            f"{number}", client, f"Client {client}", f"F{number}", _text(day), _text(day + timedelta(days=30)),
            f"Facture F{number}", amount, "EUR", paid,
        )  # fmt: skip


def _text(day: date) -> str:
    return f"{day:%d/%m/%Y}"
