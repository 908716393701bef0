"""The debtors' own pages in a browser, every service running (rules 10.9, 11.4, 13.8)."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from chassis.auth import mint, read_key
from chassis.server_process import free_port
from cli.demo import COMPANY, LOGIN, create_person
from cli.pictures import sign_in, whole
from cli.places import ROOT
from cli.trial import Trial
from tests.browser.conftest import PICTURES
from tests.waiting import asked_until

DAY = date(2026, 11, 24)
SECRET = "whsec_of_the_company"
PDF = b"%PDF-1.4 facture"
HOSTILE = "<script>document.title='owned'</script>Dupont & Fils"


@dataclass
class Space:
    trial: Trial
    stripe: str

    def call(self, service: str, method: str, path: str, body: Any = None, on: date = DAY) -> httpx.Response:
        key = read_key(Path(self.trial.stack.embedded.private_key_file))
        token = mint(key, "user:alice", [COMPANY], "admin")
        headers = {"Authorization": f"Bearer {token}", "Relance-As-Of": f"{on}", "Idempotency-Key": f"{uuid4()}"}
        url = f"{self.trial.stack.url(service)}/companies/{COMPANY}{path}"
        return httpx.request(method, url, json=body, headers=headers, trust_env=False)

    def link(self, client_id: str, on: date = DAY) -> str:
        made = self.call("notify", "POST", "/debtor-links", {"client_id": client_id}, on)
        assert made.status_code == 200, made.text
        url: str = made.json()["url"]
        return url

    def said(self, service: str, name: str) -> list[tuple[str, dict[str, Any]]]:
        """Actor and body of the events of one kind, oldest first."""
        with psycopg.connect(self.trial.dsn) as log:
            found = log.execute(
                f"select actor, body from {service}.event_log where type = %s order by event_id",
                [name],
            )
            return [(actor, body if isinstance(body, dict) else json.loads(body)) for actor, body in found]

    def logs(self) -> str:
        folder = self.trial.stack.data_dir / "logs"
        return "".join(file.read_text(encoding="utf-8", errors="replace") for file in folder.rglob("*.log"))


@contextmanager
def stripe(port: int) -> Iterator[None]:
    """localstripe's own process."""
    program = str(ROOT / "tests" / "integration" / "notify" / "stripe_server.py")
    with subprocess.Popen([sys.executable, "-P", program, str(port)], cwd="/tmp") as process:
        url = f"http://127.0.0.1:{port}/js.stripe.com/v3/"

        def answers() -> bool:
            try:
                return httpx.get(url, trust_env=False).is_success
            except httpx.HTTPError:
                return False

        assert asked_until(bool, answers, within=60)
        try:
            yield
        finally:
            process.kill()


@pytest.fixture(scope="module")
def space(
    tmp_path_factory: pytest.TempPathFactory, ready: Callable[[str], Path], front_end: None
) -> Iterator[Space]:
    folder = tmp_path_factory.mktemp("space")
    port, payments = free_port(), folder / "payments"
    payments.mkdir()
    account = {"api_key": "sk_test_12345", "webhook_secret": SECRET}
    (payments / f"{COMPANY}.json").write_text(json.dumps(account))
    notify = {"RELANCE_PAYMENTS_DIR": str(payments), "RELANCE_STRIPE_URL": f"http://127.0.0.1:{port}"}
    with Trial(ready("data"), as_of=DAY, environment={"notify": notify}) as trial, stripe(port):
        made = Space(trial, f"http://127.0.0.1:{port}")
        hook = {"url": f"{trial.stack.url('notify')}/stripe/{COMPANY}", "secret": SECRET}
        httpx.post(f"{made.stripe}/_config/webhooks/relance", json=hook, trust_env=False).raise_for_status()
        road = trial.road(COMPANY, DAY)
        road.register("Ateliers Delcourt")
        clients = [
            {"client_id": "DUPONT", "client_name": "Dupont", "email": "d@x.example"},
            {"client_id": "MARTIN", "client_name": "Martin SA"},
            {"client_id": "LEROY", "client_name": "Leroy", "email": "l@x.example"},
        ]
        lines = [
            ("DUPONT", "FA-101", "1250.40", 40),
            ("DUPONT", "FA-102", "300", 12),
            ("DUPONT", "FA-103", "80", -9),
        ]
        lines += [("MARTIN", "FA-900", "55", 40), ("LEROY", "FA-501", "400", 30), ("LEROY", "FA-502", "90", 30)]
        entries = [
            {"key": piece, "client_id": client, "piece": piece, "debit": sum_, "label": f"Chantier {piece}"}
            | {"due_date": f"{DAY - timedelta(days=late)}"}
            for client, piece, sum_, late in lines
        ]
        entries.append(
            {"key": "AV-1", "client_id": "DUPONT", "piece": "AV-1", "credit": "50", "due_date": f"{DAY}"}
        )
        entries.append(
            {"key": "RG-1", "client_id": "LEROY", "piece": "RG-1", "credit": "50", "due_date": f"{DAY}"}
        )
        for kind, rows in (("clients", clients), ("entries", entries)):
            pushed = asked_until(
                lambda one: one.status_code != httpx.codes.NOT_FOUND,
                lambda kind=kind, rows=rows: made.call("sync", "POST", f"/rows/{kind}", {"rows": rows}),
            )
            run = road.follow_import(pushed.raise_for_status().json()["run_id"])
        road.wait_until_ledger_heard(run["positions"])
        named = {"client_id": "DUPONT", "name": HOSTILE, "emails": ["d@x.example"], "phones": []}
        road.hand_people("hostile", [named])
        bundle = folder / "pdf.zip"
        with zipfile.ZipFile(bundle, "w") as files:
            named = [{"file": f"{piece}.pdf", "invoice_number": piece} for piece in ("FA-101", "FA-900")]
            files.writestr("metadata.json", json.dumps({"documents": named}))
            for one in named:
                files.writestr(one["file"], PDF)
        assert road.upload_documents(bundle)["attached"] == 2
        asked_until(
            lambda one: one.status_code == httpx.codes.OK,
            lambda: made.call("notify", "POST", "/debtor-links", {"client_id": "MARTIN"}),
        )
        yield made


@pytest.fixture(params=(1200, 390))
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(locale="fr-FR", viewport={"width": request.param, "height": 900})
    yield page
    page.close()


def show(page: Page, name: str) -> None:
    if PICTURES:
        whole(page)
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)


def is_wide(page: Page) -> bool:
    return (page.viewport_size or {"width": 0})["width"] > 1000


def test_a_debtor_reads_promises_and_contests(space: Space, page: Page, tmp_path: Path) -> None:
    """The wide walk changes things, the narrow one looks at what they became."""
    page.goto(space.link("DUPONT"))
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    assert page.context.cookies() == [], "no session, no cookie"
    assert "owned" not in page.title()
    show(page, "space")
    if not is_wide(page):
        expect(page.get_by_text("Paiement annoncé le 01/12/2026")).to_have_count(1)
        expect(page.get_by_text("Contestée")).to_have_count(1)
        page.get_by_role("link", name="English").click()
        expect(page.get_by_text("Payment announced for 01/12/2026")).to_have_count(1)
        show(page, "space-en")
        return
    lines = page.locator(".space-line")
    expect(lines).to_have_count(4)
    expect(page.locator(".space-sums")).to_contain_text("1 550,40 €".replace(" ", "\u00a0"))
    expect(lines.first.get_by_role("checkbox")).to_be_checked()
    with page.expect_download() as got:
        page.get_by_role("link", name="FA-101.pdf").click()
    assert Path(got.value.path()).read_bytes() == PDF

    lines.nth(1).get_by_role("checkbox").uncheck()
    page.get_by_label("Je paierai le").fill("2026-12-01")
    page.get_by_role("button", name="Annoncer ce paiement").click()
    expect(page.get_by_role("status")).to_contain_text("votre date de paiement est enregistrée")
    show(page, "space-promised")

    page.get_by_role("link", name="Contester FA-102").click()
    page.get_by_label("Motif").select_option(label="Prix")
    page.get_by_label("Votre message").fill("Prix convenu : 250 € <img src=x onerror=alert(1)>")
    photo = tmp_path / "devis.pdf"
    photo.write_bytes(PDF)
    page.get_by_label("Pièce jointe").set_input_files(photo)
    show(page, "space-dispute")
    page.get_by_role("button", name="Envoyer la contestation").click()
    expect(page.get_by_role("status")).to_contain_text("contestation est enregistrée")
    assert page.get_by_role("link", name="Contester FA-102").count() == 0

    ((actor, promised),) = space.said("ledger", "PromiseRecorded")
    assert (actor, promised["client_id"], promised["promised_on"]) == ("debtor", "DUPONT", "2026-12-01")
    ((actor, disputed),) = space.said("ledger", "DisputeOpened")
    assert (actor, disputed["reason"]) == ("debtor", "price")
    answers = asked_until(lambda found: len(found) == 2, lambda: space.said("notify", "DebtorAnswered"))
    assert [(actor, body["answer"], body["about"]) for actor, body in answers] == [
        ("debtor", "promise", promised["promise_id"]),
        ("debtor", "dispute", disputed["dispute_id"]),
    ]
    known = space.call("ledger", "GET", "/client?client_id=DUPONT").json()
    assert known["disputes"][0]["files"][0]["file_name"] == "devis.pdf"
    assert known["notes"][0]["text"].startswith("Prix convenu")


def test_links_that_open_nothing(space: Space, page: Page) -> None:
    """Rule 13.8: forged, foreign, expired and taken back; each a plain page that tells nothing."""
    good = space.link("MARTIN")
    token = good.rpartition("/")[2]
    martins = space.call("ledger", "GET", "/documents?client_id=MARTIN").json()["documents"]
    ((document,),) = martins.values()

    forged = page.goto(good.replace(token, token[:-2] + ("AA" if token[-2:] != "AA" else "BB")))
    assert forged is not None
    assert forged.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce lien n’existe pas")
    show(page, "space-refused")

    old = page.goto(space.link("MARTIN", DAY - timedelta(days=61)))
    assert old is not None
    assert old.status == 410
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce lien n’est plus valable")
    last = page.goto(space.link("MARTIN", DAY - timedelta(days=60)))
    assert last is not None
    assert last.status == 200

    foreign = httpx.get(f"{space.link('DUPONT')}/documents/{document['document_id']}", trust_env=False)
    assert foreign.status_code == 404
    own = httpx.get(f"{good}/documents/{document['document_id']}", trust_env=False)
    assert (own.status_code, own.content) == (200, PDF)
    (entry,) = martins
    promised = {"entry_ids": [entry], "promised_on": "2026-12-01"}
    assert httpx.post(f"{space.link('DUPONT')}/promise", data=promised, trust_env=False).status_code == 404
    assert "MARTIN" not in httpx.get(space.link("DUPONT"), trust_env=False).text

    assert space.call("notify", "POST", "/debtor-links/revoke", {"client_id": "MARTIN"}).status_code == 200
    assert httpx.get(good, trust_env=False).status_code == 410
    assert httpx.get(space.link("MARTIN"), trust_env=False).status_code == 200, "later links are good"


def test_nothing_is_kept_indexed_or_run(space: Space) -> None:
    """Rule 13.8: headers of every answer; links and names stand in no log."""
    link = space.link("DUPONT")
    for address in (link, link[:-3] + "xyz", f"{link}/dispute", f"{link}/nowhere"):
        answer = httpx.get(address, trust_env=False)
        assert "noindex" in answer.headers["x-robots-tag"], address
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "script-src" not in answer.headers["content-security-policy"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "set-cookie" not in answer.headers
        assert not re.search(r"<script|style=", answer.text)
    heavy = httpx.post(f"{link}/dispute", content=b"x" * (7 << 20), trust_env=False)
    assert heavy.status_code == 413
    logs = space.logs()
    assert link.rpartition("/")[2] not in logs
    assert "Dupont & Fils" not in logs


def test_who_knocks_too_often_waits(space: Space) -> None:
    """One link, sixty times a minute."""
    address = space.link("MARTIN") + "/dispute"
    with httpx.Client(trust_env=False) as http:
        codes = [http.get(address).status_code for _ in range(70)]
    assert codes.count(429) >= 5, codes
    assert set(codes) == {200, 429}


def test_a_debtor_pays_and_is_reminded_of_the_rest(space: Space, browser: Browser) -> None:
    """Rules 8.6, 19.5, 19.8: by the private link to Stripe's page and back; nobody is chased for what is paid."""
    for width in (390, 1200):
        page = browser.new_page(locale="fr-FR", viewport={"width": width, "height": 900})
        page.goto(space.link("LEROY"))
        show(page, "space-payable")
        page.get_by_role("checkbox", name="Choisir FA-502").uncheck()
        page.get_by_role("button", name="Payer en ligne").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Payer 350,00 €".replace(" €", "\u00a0€"))
        show(page, "space-pay")
        address = page.get_by_role("link", name="Continuer vers le paiement").get_attribute("href")
        page.close()
    assert address is not None
    assert address.startswith(space.stripe)
    httpx.post(address, trust_env=False).raise_for_status()
    ((actor, paid),) = asked_until(bool, lambda: space.said("notify", "PaymentLinkPaid"))
    assert (actor, paid["client_id"], paid["amount"]) == ("debtor", "LEROY", "350.00")
    page = browser.new_page(locale="fr-FR", viewport={"width": 390, "height": 900})
    page.goto(space.link("LEROY"))
    expect(page.get_by_text("Payée en ligne le 24/11/2026")).to_have_count(2)
    expect(page.get_by_role("checkbox")).to_have_count(1)
    show(page, "space-paid")
    page.close()

    road = space.trial.road(COMPANY, DAY)
    asked_until(lambda told: "paid_online" in told, lambda: json.dumps(road.explain(client_id="LEROY", as_of=DAY)))
    road.round(DAY, {})
    pieces = {one["entry_id"]: one["piece"] for one in road.statement("LEROY")}
    rows = [row for group in road.tasks(DAY)["groups"] for row in group["rows"] if row["client_id"] == "LEROY"]
    told = {
        pieces[entry["entry_id"]]: sorted(entry.get("reasons") or []) for row in rows for entry in row["entries"]
    }
    asked = {pieces[entry["entry_id"]] for row in rows if row["action_id"] for entry in row["entries"]}
    assert asked == {"FA-502"}, told


def test_users_make_links_and_see_what_was_answered(space: Space, browser: Browser) -> None:
    page = browser.new_page(locale="fr-FR", viewport={"width": 1200, "height": 900})
    password = create_person(space.trial)
    console = space.trial.stack.url("console")
    sign_in(page, console, LOGIN, password)
    page.goto(f"{console}/c/{COMPANY}/client/space?client_id=DUPONT")
    expect(page.get_by_text("devis.pdf")).to_be_visible()
    expect(page.get_by_text("Prix convenu")).to_be_visible()
    with page.expect_download() as got:
        page.get_by_role("link", name="devis.pdf").click()
    assert Path(got.value.path()).read_bytes() == PDF
    page.get_by_role("button", name="Créer un lien").click()
    made = page.get_by_label("Lien valable jusqu’au").input_value()
    assert httpx.get(made, trust_env=False).status_code == 200
    show(page, "client-space")
    page.get_by_role("button", name="Révoquer tous les liens").click()
    expect(page.get_by_text("n’ouvrent plus rien")).to_be_visible()
    assert httpx.get(made, trust_env=False).status_code == 410
    page.close()


def test_the_account_that_clients_pay_into_is_set_tried_and_given_up(space: Space, browser: Browser) -> None:
    """Rule 19.5: before a company has its own, the operator's counts; no page shows a key."""
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 900})
    password = create_person(space.trial)
    console = space.trial.stack.url("console")
    sign_in(page, console, LOGIN, password)
    page.goto(f"{console}/c/{COMPANY}/online-payment")
    expect(page.locator("main")).to_contain_text("sur le compte donné par l’exploitant")
    page.get_by_label("Clé secrète").fill("pk_test_12345678")
    page.get_by_role("button", name="Essayer la clé").click()
    expect(page.get_by_role("alert")).to_contain_text("commence par sk_ ou rk_")
    page.get_by_label("Clé secrète").fill("sk_test_refused")
    page.get_by_role("button", name="Essayer la clé").click()
    expect(page.get_by_role("alert")).to_contain_text("Stripe refuse cette clé : Invalid API Key")
    page.get_by_label("Clé secrète").fill("sk_test_98765432")
    page.get_by_label("Carte bancaire").check()
    page.get_by_label("Plus petit paiement").fill("1,50")
    page.get_by_role("button", name="Essayer la clé").click()
    expect(page.get_by_role("status")).to_contain_text("en mode test : aucun argent ne bouge")
    expect(page.get_by_label("Plus petit paiement")).to_have_value("1.50")

    page.get_by_label("Clé secrète").fill("sk_test_98765432")
    page.get_by_label("Secret du webhook").fill("whsec_of_our_own")
    page.get_by_role("button", name="Enregistrer le compte").click()
    expect(page.get_by_role("status")).to_contain_text("Le compte est enregistré")
    expect(page.locator("main")).to_contain_text("Mode test")
    expect(page.locator("main")).to_contain_text("Stripe ne nous a encore rien dit")
    expect(page.get_by_label("Carte bancaire")).to_be_checked()
    assert "98765432" not in page.content()
    assert "whsec_of" not in page.content()
    show(page, "online-payment")
    page.set_viewport_size({"width": 390, "height": 900})
    show(page, "online-payment")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Oublier ce compte").click()
    expect(page.get_by_role("status")).to_contain_text("oublié")
    expect(page.locator("main")).to_contain_text("sur le compte donné par l’exploitant")
    page.close()
