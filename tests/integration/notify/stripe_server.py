"""localstripe as a process, with the Checkout sessions that it lacks: ``python stripe_server.py PORT``.

A session is paid by ``POST /_config/pay/{id}``, as a debtor would on Stripe's page: a payment intent of
localstripe's is confirmed with a card, and its webhook tells. ``POST /_config/again/{id}`` sends that webhook once
more. ``POST /_config/refund/{id}`` gives money back by localstripe's own refunds, and tells it as Stripe does.
"""

import sys
import time

from aiohttp import web
from localstripe import server
from localstripe.errors import UserError
from localstripe.resources import Event, PaymentIntent, PaymentMethod, Refund, StripeObject
from localstripe.webhooks import schedule_webhook

CARD = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2040", "cvc": "123"}
told: dict[str, Event] = {}
sessions: dict[str, "CheckoutSession"] = {}


class CheckoutSession(StripeObject):
    object = "checkout.session"
    _id_prefix = "cs_test_"

    def __init__(self, mode=None, client_reference_id=None, line_items=None, **more):
        if mode != "payment" or not line_items:
            raise UserError(400, "Bad request")
        super().__init__()
        prices = [(int(one["price_data"]["unit_amount"]), int(one["quantity"])) for one in line_items]
        self.mode, self.client_reference_id = mode, client_reference_id
        self.currency = line_items[0]["price_data"]["currency"]
        self.amount_total = sum(amount * quantity for amount, quantity in prices)
        self.status, self.payment_status = "open", "unpaid"
        self.payment_intent = None
        self.expires_at = int(time.time()) + 24 * 3600
        self.url = f"http://127.0.0.1:{sys.argv[1]}/_config/pay/{self.id}"
        self.success_url, self.cancel_url = more.get("success_url"), more.get("cancel_url")


async def create(request):
    data = await server.get_post_data(request)
    made = CheckoutSession(**data)
    sessions[made.id] = made
    return server.json_response(made._export())


async def listed(request):
    """Whether a key is good shows here; ``sk_test_refused`` is none."""
    if "sk_test_refused" in request.headers.get("Authorization", ""):
        raise UserError(401, "Invalid API Key provided")
    wanted = request.query.get("payment_intent")
    found = [one._export() for one in sessions.values() if wanted and one.payment_intent == wanted]
    answer = {"object": "list", "data": found, "has_more": False, "url": "/v1/checkout/sessions"}
    return server.json_response(answer)


async def retrieve(request):
    return server.json_response(CheckoutSession._api_retrieve(request.match_info["id"])._export())


async def account(request):
    """``sk_test_another…`` is of another account than the others; ``sk_test_blind…`` may not tell."""
    asked = request.headers.get("Authorization", "")
    if "sk_test_refused" in asked:
        raise UserError(401, "Invalid API Key provided")
    if "sk_test_blind" in asked:
        raise UserError(403, "This key may not")
    name = "acct_another" if "sk_test_another" in asked else "acct_one"
    return server.json_response({"object": "account", "id": name})


@web.middleware
async def events(request, handler):
    """Told by this account, but those whose name says otherwise; localstripe knows its own alone."""
    if request.method != "GET" or not request.path.startswith("/v1/events/"):
        return await handler(request)
    name = request.match_info["id"]
    if name.startswith("evt_of_another"):
        raise UserError(404, "No such event")
    return server.json_response({"object": "event", "id": name})


async def expire(request):
    session = CheckoutSession._api_retrieve(request.match_info["id"])
    if session.status != "open":
        raise UserError(400, "Only open sessions expire")
    session.status, session.url = "expired", None
    schedule_webhook(Event("checkout.session.expired", session))
    return server.json_response(session._export())


async def pay_untold(request):
    """The debtor paid, and nobody has heard of it yet."""
    return await pay(request, is_told=False)


async def pay(request, is_told=True):
    session = CheckoutSession._api_retrieve(request.match_info["id"])
    if session.status != "open":
        raise UserError(400, "This page is closed")
    method = PaymentMethod(type="card", card=dict(CARD))
    intent = PaymentIntent._api_create(
        amount=session.amount_total, currency=session.currency, payment_method=method.id
    )
    PaymentIntent._api_confirm(intent.id)
    session.payment_intent = intent.id
    session.status, session.payment_status = "complete", "paid"
    told[session.id] = Event("checkout.session.completed", session)
    if is_told:
        schedule_webhook(told[session.id])
    return server.json_response(session._export())


async def refund(request):
    """``?amount=`` in the smallest unit, all of it without; the charge tells what was given back altogether."""
    session = CheckoutSession._api_retrieve(request.match_info["id"])
    intent = PaymentIntent._api_retrieve(session.payment_intent)
    Refund(payment_intent=intent.id, amount=request.query.get("amount"))
    charge = intent.latest_charge
    charge.payment_intent = intent.id
    schedule_webhook(Event("charge.refunded", charge))
    return server.json_response(charge._export())


async def again(request):
    schedule_webhook(told[request.match_info["id"]])
    return web.Response()


server.app.router.add_post("/v1/checkout/sessions", create)
server.app.router.add_get("/v1/checkout/sessions", listed)
server.app.router.add_get("/v1/checkout/sessions/{id}", retrieve)
server.app.router.add_post("/v1/checkout/sessions/{id}/expire", expire)
server.app.router.add_post("/_config/pay/{id}", pay)
server.app.router.add_post("/_config/pay_untold/{id}", pay_untold)
server.app.router.add_get("/v1/account", account)
server.app.middlewares.append(events)
server.app.router.add_post("/_config/again/{id}", again)
server.app.router.add_post("/_config/refund/{id}", refund)

if __name__ == "__main__":
    web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
