"""The endpoints of Daraja and of Africa's Talking."""

from functools import partial

from . import (
    account_balance,
    africastalking,
    b2c,
    c2b,
    c2b_urls,
    oauth,
    pull,
    reversal,
    stk,
    stk_query,
    transaction_status,
)
from .wire import Route
from .world import World


def routes(world: World) -> list[Route]:
    """Return all routes."""
    posts = {
        "/mpesa/stkpush/v1/processrequest": partial(stk.push, world),
        "/mpesa/stkpushquery/v1/query": partial(stk_query.query, world),
        "/mpesa/c2b/v2/registerurl": partial(c2b_urls.register, world, 2),
        "/mpesa/c2b/v1/registerurl": partial(c2b_urls.register, world, 1),
        "/mpesa/c2b/v2/simulate": partial(c2b.simulate, world),
        "/mpesa/c2b/v1/simulate": partial(c2b.simulate, world),
        "/mpesa/b2c/v3/paymentrequest": partial(b2c.pay, world, 3),
        "/mpesa/b2c/v1/paymentrequest": partial(b2c.pay, world, 1),
        "/mpesa/reversal/v1/request": partial(reversal.reverse, world),
        "/mpesa/transactionstatus/v1/query": partial(transaction_status.query, world),
        "/mpesa/accountbalance/v1/query": partial(account_balance.query, world),
        "/version1/messaging": partial(africastalking.send, world),
        "/pulltransactions/v1/register": partial(pull.register, world),
        "/pulltransactions/v1/query": partial(pull.query, world),
    }
    return [
        Route("GET", "/oauth/v1/generate", partial(oauth.generate, world)),
        Route("GET", "/pulltransactions/v1/query", partial(pull.query, world)),
        *(Route("POST", path, handler) for path, handler in posts.items()),
    ]
