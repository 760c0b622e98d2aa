"""Who gets what from every route, by every method.

To add a route, add a line: its address as routes.py writes it, the kind, and what differs. A test
names the address that is missing, and the one that is no more. The columns are those of
actors.ACTORS:

    anonymous, buyer, other buyer, seller, other seller, agent,
    support, finance, catalogue, delivery, superuser, clerk

One letter an actor, or a single one for all of them: 2 done, 0 bad input, 1 sign in first,
3 forbidden, 4 not there, . not offered (405), 9 conflict, l sent to the log-in page, r sent
elsewhere, ! anything else. What a kind says of the methods a line leaves out; HEAD is as GET
everywhere:

    PUBLIC   405, and OPTIONS is answered
    PRIVATE  the same, but for strangers, who have to sign in first
    PAGE     as GET: Django's pages do not look at the method
    ACTION   an action of a list in the admin: w where it wrote something, - where it did not

What is posted to the API is in bodies.py, and stands for a request with nothing wrong in it; the
admin's pages are posted an empty form.
"""

# fmt: off
#: Where the shop sells to guests: a cash-out by anybody, and a guest's order by its token alone.
OF_GUESTS = {
    "cashout/": "PRIVATE POST=222022222222",
    "cashout/{order_token}/": "PRIVATE GET=222222222222",
    "cashout/{order_token}/pay/": "PRIVATE POST=222222222222",
    "cashout/{order_token}/cancel/": "PRIVATE POST=222222222222",
}
TABLE = {
    "registration/": "PUBLIC POST=2",
    "registration/verify-email/": "PUBLIC POST=2",
    "registration/resend-email/": "PRIVATE POST=122222222222",
    "login/": "PUBLIC POST=2",
    "login/phone/": "PUBLIC POST=2",
    "login/phone/confirm/": "PUBLIC POST=2",
    "logout/": "PUBLIC POST=2",
    "token/verify/": "PUBLIC POST=2",
    "token/refresh/": "PUBLIC POST=2",
    "token/logout/": "PUBLIC POST=2",
    "password/change/": "PRIVATE POST=122222222222",
    "password/set/": "PRIVATE POST=120003333333",
    "password/reset/": "PUBLIC POST=2",
    "password/reset/confirm/": "PUBLIC POST=2",
    "user/": "PAGE GET=122222222222 POST=1........... DELETE=1...........",
    "me/": "PRIVATE GET=122222222222",
    "account/export/": "PRIVATE GET=122222222222",
    "account/delete/": "PRIVATE POST=199929999999",
    "account/": "PAGE GET=122222222222 POST=1........... DELETE=1...........",
    "account/phone/": (
        "PRIVATE GET=122222222222 POST=122223333333 DELETE=122222222222"
    ),
    "account/phone/confirm/": "PRIVATE POST=120000000000",
    "account/phone/code/": "PRIVATE POST=124444444444",
    "account/addresses/": "PRIVATE GET=122222222222 POST=122222222222",
    "account/addresses/{address_id}/": (
        "PRIVATE GET=124444444444 PATCH=124444444444 DELETE=124444444444"
    ),
    "counties/": "PUBLIC GET=2",
    "account/sessions/": "PRIVATE GET=122222222222",
    "account/sessions/end-all/": "PRIVATE POST=122222222222",
    "account/sessions/{session_id}/": "PRIVATE DELETE=124444444444",
    "account/messages/": "PAGE GET=122222222222 POST=1........... DELETE=1...........",
    "orders/": "PRIVATE GET=122222222222",
    "notices/": "PRIVATE GET=122222222222",
    "notices/read/": "PRIVATE POST=122222222222",
    "cashout/": "PRIVATE POST=122022222222",
    "cashout/{order_token}/": "PRIVATE GET=124444444444",
    "cashout/{order_token}/pay/": "PRIVATE POST=124444444444",
    "cashout/{order_token}/cancel/": "PRIVATE POST=124444444444",
    "safwebhook/": "PAGE GET=. POST=2",
    "safwebhook/bank/{bank}/": "PAGE GET=1",
    "safwebhook/c2b/{token}/confirmation/": "PAGE GET=. POST=2",
    "safwebhook/c2b/{token}/validation/": "PAGE GET=4",
    "safwebhook/sms/{token}/": "PAGE GET=4",
    "safwebhook/{token}/": "PAGE GET=. POST=2",
    "admin/login/code/": "PAGE GET=l",
    "admin/second-factor/": "PAGE GET=llllll222222",
    "admin/payments/console/": (
        "PAGE "
        "GET=llllll223323 "
        "OPTIONS=llllll...... "
        "POST=llllll...... "
        "PUT=llllll...... "
        "PATCH=llllll...... "
        "DELETE=llllll......"
    ),
    "admin/find/": (
        "PAGE GET=llllll222222 POST=llllll...... PUT=llllll...... PATCH=llllll......"
        " DELETE=llllll...... OPTIONS=llllll......"
    ),
    "admin/dashboard/": (
        "PAGE "
        "GET=llllll222323 "
        "OPTIONS=llllll...... "
        "POST=llllll...... "
        "PUT=llllll...... "
        "PATCH=llllll...... "
        "DELETE=llllll......"
    ),
    "admin/dashboard/{key}/csv/": (
        "PAGE "
        "GET=llllll444343 "
        "OPTIONS=llllll...... "
        "POST=llllll...... "
        "PUT=llllll...... "
        "PATCH=llllll...... "
        "DELETE=llllll......"
    ),
    "admin/payments/console/receipt/": "PAGE GET=llllll...... POST=llllll303303",
    "admin/payments/console/problem/picture/{pk}/": (
        "PAGE "
        "GET=llllll223323 "
        "OPTIONS=llllll...... "
        "POST=llllll...... "
        "PUT=llllll...... "
        "PATCH=llllll...... "
        "DELETE=llllll......"
    ),
    "admin/payments/console/{kind}/{pk}/": (
        "PAGE "
        "GET=llllll323323 "
        "OPTIONS=llllll...... "
        "POST=llllll...... "
        "PUT=llllll...... "
        "PATCH=llllll...... "
        "DELETE=llllll......"
    ),
    "admin/payments/console/{kind}/{pk}/{key}/": "PAGE GET=llllll...... POST=llllll343343",
    "deliveries/": "PRIVATE GET=133332233223",
    "deliveries/{parcel_id}/claim/": "PRIVATE POST=144442344224",
    "deliveries/{parcel_id}/release/": "PRIVATE POST=144442244224",
    "deliveries/{parcel_id}/attempt/": "PRIVATE POST=144449944994",
    "deliveries/{parcel_id}/move/": "PRIVATE POST=144442244224",
    "admin/deliveries/": (
        "PAGE "
        "GET=llllll233223 "
        "OPTIONS=llllll...... "
        "POST=llllll...... "
        "PUT=llllll...... "
        "PATCH=llllll...... "
        "DELETE=llllll......"
    ),
    "admin/deliveries/{parcel_id}/{key}/": "PAGE GET=llllll...... POST=llllll433443",
    "track/order/": "PRIVATE GET=122222222222",
    "track/order/{track_id}/": "PRIVATE GET=124242244224",
    "track/{track_id}/move/": "PRIVATE POST=194942244224",
    "track/{track_id}/problem/": "PRIVATE GET=124244444444 POST=124444444444",
    "track/{track_id}/problem/messages/": "PRIVATE GET=124244444444 POST=124244444444",
    "track/{track_id}/problem/accept/": "PRIVATE POST=144244444444",
    "track/{track_id}/problem/returned/": "PRIVATE POST=144944444444",
    "track/{track_id}/problem/withdraw/": "PRIVATE POST=124444444444",
    "track/{track_id}/problem/pictures/{picture_id}/": "PRIVATE GET=124244444444",
    "track/{track_id}/review/": "PRIVATE GET=144444444444 POST=124444444444 PATCH=144444444444",
    "": "PUBLIC GET=2",
    "categories/": "PUBLIC GET=2",
    "product/suggest/": "PUBLIC GET=2",
    "product/search/": "PUBLIC GET=2",
    "product/{product_id}/": (
        "PUBLIC GET=2 POST=1........... PUT=1........... PATCH=144244444444 DELETE=144244444444"
    ),
    "product/{product_id}/restock/": "PRIVATE POST=144244444444",
    "product/{product_id}/pictures/": (
        "PRIVATE GET=144244444444 POST=144044444444 PUT=144244444444"
    ),
    "product/{product_id}/pictures/{picture_id}/": "PRIVATE DELETE=144244444444",
    "product/{product_id}/stock/": "PRIVATE GET=144244444444",
    "product/{product_id}/reviews/": "PUBLIC GET=2",
    "product/{category}/": "PUBLIC GET=2",
    "create/": "PRIVATE POST=122222222222",
    "cart/": "PUBLIC POST=2",
    "cart/quote/": "PUBLIC POST=2",
    "pickup-points/": "PUBLIC GET=2",
    "review/{review_id}/answer/": "PRIVATE POST=144244444444 PATCH=144444444444",
    "seller/products/": "PRIVATE GET=122222222222",
    "seller/products/export/": "PRIVATE GET=122222222222 POST=122222222222",
    "seller/products/export/{token}/": "PUBLIC GET=4",
    "seller/reviews/": "PRIVATE GET=122222222222",
    "seller/products/import/": "PRIVATE POST=122222222222",
    "seller/orders/": "PRIVATE GET=122222222222",
    "seller/problems/": "PRIVATE GET=122222222222",
    "seller/balance/": "PRIVATE GET=122222222222",
    "seller/payouts/": "PRIVATE GET=122222222222",
    "seller/payouts/{payout_id}/number/": "PRIVATE POST=144944444444",
    "seller/summary/": "PRIVATE GET=122222222222",
    "seller/statement/": "PRIVATE GET=122222222222",
    "seller/statement/export/": "PRIVATE GET=122222222222",
    "seller/{username}/": "PUBLIC GET=2",
    "schema/": "PUBLIC GET=2",
    "docs/": "PUBLIC GET=2 OPTIONS=.",
    "media/{path}": "PUBLIC GET=4 OPTIONS=.",
    "robots.txt/": "PUBLIC GET=2 OPTIONS=.",
    # The storefront of the tests has none.
    "shop/sw.js/": "PUBLIC GET=4 OPTIONS=.",
    "shop/sitemap.xml/": "PUBLIC GET=2 OPTIONS=.",
    "shop/sitemap-{part}.xml/": "PUBLIC GET=2 OPTIONS=.",
    "shop/{path}": "PUBLIC GET=4 OPTIONS=.",
    "admin/": "PAGE GET=llllll222222",
    "admin/login/": "PUBLIC GET=222222rrrrrr HEAD=2 POST=2 PUT=2",
    "admin/logout/": "PAGE GET=rrrrrr...... OPTIONS=rrrrrr222222 POST=rrrrrr222222",
    "admin/password_change/": "PAGE GET=llllll222222 PATCH=llllll...... DELETE=llllll......",
    "admin/password_change/done/": (
        "PAGE "
        "GET=llllll222222 "
        "POST=llllll...... "
        "PUT=llllll...... "
        "PATCH=llllll...... "
        "DELETE=llllll......"
    ),
    "admin/autocomplete/": (
        "PAGE "
        "GET=llllll333333 "
        "OPTIONS=llllll222222 "
        "POST=llllll...... "
        "PUT=llllll...... "
        "PATCH=llllll...... "
        "DELETE=llllll......"
    ),
    "admin/jsi18n/": (
        "PAGE "
        "GET=llllll222222 "
        "POST=llllll...... "
        "PUT=llllll...... "
        "PATCH=llllll...... "
        "DELETE=llllll......"
    ),
    "admin/r/{content_type_id}/{object_id}/": "PAGE GET=llllll444444",
    "admin/accounts/user/{id}/password/": "PAGE GET=llllll333323",
    "admin/accounts/user/": "PAGE GET=llllll233323",
    "admin/accounts/user/add/": "PAGE GET=llllll333323",
    "admin/accounts/user/{object_id}/history/": "PAGE GET=llllll233323",
    "admin/accounts/user/{object_id}/delete/": "PAGE GET=llllll333323",
    "admin/accounts/user/{object_id}/change/": "PAGE GET=llllll233323 POST=llllll333323",
    "admin/accounts/user/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/accounts/proposal/": "PAGE GET=llllll223223",
    "admin/accounts/proposal/add/": "PAGE GET=llllll333333",
    "admin/accounts/proposal/{object_id}/history/": "PAGE GET=llllll2rrr2r",
    "admin/accounts/proposal/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/accounts/proposal/{object_id}/change/": (
        "PAGE GET=llllll2r3r23 POST=llllll333333"
    ),
    "admin/accounts/proposal/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/accounts/passwordtries/": "PAGE GET=llllll333323",
    "admin/accounts/passwordtries/add/": "PAGE GET=llllll333333",
    "admin/accounts/passwordtries/{object_id}/history/": "PAGE GET=llllll333323",
    "admin/accounts/passwordtries/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/accounts/passwordtries/{object_id}/change/": (
        "PAGE GET=llllll333323 POST=llllll333333"
    ),
    "admin/accounts/passwordtries/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/accounts/audit/": "PAGE GET=llllll333323",
    "admin/accounts/audit/add/": "PAGE GET=llllll333333",
    "admin/accounts/audit/{object_id}/history/": "PAGE GET=llllll333323",
    "admin/accounts/audit/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/accounts/audit/{object_id}/change/": "PAGE GET=llllll333323 POST=llllll333333",
    "admin/accounts/audit/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/auth/group/": "PAGE GET=llllll333323",
    "admin/auth/group/add/": "PAGE GET=llllll333323",
    "admin/auth/group/{object_id}/history/": "PAGE GET=llllll333323",
    "admin/auth/group/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/auth/group/{object_id}/change/": "PAGE GET=llllll333323 POST=llllll333333",
    "admin/auth/group/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/products/product/": "PAGE GET=llllll332323",
    "admin/products/product/{object_id}/pictures/{key}/": (
        "PAGE GET=llllll...... POST=llllll334343"
    ),
    "admin/products/product/import/": "PAGE GET=llllll332323",
    "admin/products/product/process_import/": "PAGE GET=llllll...... POST=llllll332323",
    "admin/products/product/export/": "PAGE GET=llllll332323",
    "admin/products/product/add/": "PAGE GET=llllll333333",
    "admin/products/product/{object_id}/history/": "PAGE GET=llllll332323",
    "admin/products/product/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/products/product/{object_id}/change/": "PAGE GET=llllll332323",
    "admin/products/product/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/products/review/": "PAGE GET=llllll332323",
    "admin/products/review/add/": "PAGE GET=llllll333333",
    "admin/products/review/{object_id}/history/": "PAGE GET=llllll332323",
    "admin/products/review/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/products/review/{object_id}/change/": "PAGE GET=llllll332323 POST=llllll333333",
    "admin/products/review/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/orders/ordertrack/": "PAGE GET=llllll233223",
    "admin/orders/ordertrack/add/": "PAGE GET=llllll333333",
    "admin/orders/ordertrack/{object_id}/history/": "PAGE GET=llllll233223",
    "admin/orders/ordertrack/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/orders/ordertrack/{object_id}/change/": "PAGE GET=llllll233223 POST=llllll333333",
    "admin/orders/ordertrack/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/orders/order/": "PAGE GET=llllll233323",
    "admin/orders/order/add/": "PAGE GET=llllll333333",
    "admin/orders/order/{object_id}/history/": "PAGE GET=llllll233323",
    "admin/orders/order/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/orders/order/{object_id}/change/": "PAGE GET=llllll233323 POST=llllll333333",
    "admin/orders/order/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/orders/problem/": "PAGE GET=llllll223323",
    "admin/orders/problem/add/": "PAGE GET=llllll333333",
    "admin/orders/problem/{object_id}/history/": "PAGE GET=llllll223323",
    "admin/orders/problem/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/orders/problem/{object_id}/change/": "PAGE GET=llllll223323 POST=llllll333333",
    "admin/orders/problem/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/orders/message/": "PAGE GET=llllll233323",
    "admin/orders/message/add/": "PAGE GET=llllll333333",
    "admin/orders/message/{object_id}/history/": "PAGE GET=llllll233323",
    "admin/orders/message/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/orders/message/{object_id}/change/": "PAGE GET=llllll233323 POST=llllll333333",
    "admin/orders/message/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/orders/pickuppoint/": "PAGE GET=llllll333223",
    "admin/orders/pickuppoint/add/": "PAGE GET=llllll333223",
    "admin/orders/pickuppoint/{object_id}/history/": "PAGE GET=llllll333223",
    "admin/orders/pickuppoint/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/orders/pickuppoint/{object_id}/change/": "PAGE GET=llllll333223",
    "admin/orders/pickuppoint/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/orders/deliveryrate/": "PAGE GET=llllll333223",
    "admin/orders/deliveryrate/add/": "PAGE GET=llllll333223",
    "admin/orders/deliveryrate/{object_id}/history/": "PAGE GET=llllll333223",
    "admin/orders/deliveryrate/{object_id}/delete/": "PAGE GET=llllll333223",
    "admin/orders/deliveryrate/{object_id}/change/": "PAGE GET=llllll333223",
    "admin/orders/deliveryrate/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/orderpayment/": "PAGE GET=llllll323323",
    "admin/payments/orderpayment/add/": "PAGE GET=llllll333333",
    "admin/payments/orderpayment/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/orderpayment/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/orderpayment/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/orderpayment/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/receipt/": "PAGE GET=llllll323323",
    "admin/payments/receipt/add/": "PAGE GET=llllll333333",
    "admin/payments/receipt/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/receipt/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/receipt/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/receipt/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/refund/": "PAGE GET=llllll323323",
    "admin/payments/refund/add/": "PAGE GET=llllll333333",
    "admin/payments/refund/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/refund/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/refund/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/refund/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/payoutstop/": "PAGE GET=llllll323323",
    "admin/payments/payoutstop/add/": "PAGE GET=llllll333333",
    "admin/payments/payoutstop/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/payoutstop/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/payoutstop/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/payoutstop/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/portalstatement/": "PAGE GET=llllll323323",
    "admin/payments/portalstatement/add/": "PAGE GET=llllll333333",
    "admin/payments/portalstatement/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/portalstatement/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/portalstatement/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/portalstatement/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/withdrawal/": "PAGE GET=llllll323323",
    "admin/payments/withdrawal/add/": "PAGE GET=llllll333333",
    "admin/payments/withdrawal/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/withdrawal/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/withdrawal/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/withdrawal/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/statementpull/": "PAGE GET=llllll323323",
    "admin/payments/statementpull/add/": "PAGE GET=llllll333333",
    "admin/payments/statementpull/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/statementpull/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/statementpull/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/statementpull/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/gatewayevent/": "PAGE GET=llllll323323",
    "admin/payments/gatewayevent/add/": "PAGE GET=llllll333333",
    "admin/payments/gatewayevent/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/gatewayevent/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/gatewayevent/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/gatewayevent/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/products/stockmovement/": "PAGE GET=llllll332323",
    "admin/products/stockmovement/add/": "PAGE GET=llllll333333",
    "admin/products/stockmovement/{object_id}/history/": "PAGE GET=llllll332323",
    "admin/products/stockmovement/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/products/stockmovement/{object_id}/change/": "PAGE GET=llllll332323 POST=llllll333333",
    "admin/products/stockmovement/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/ledgerposting/": "PAGE GET=llllll323323",
    "admin/payments/ledgerposting/add/": "PAGE GET=llllll333333",
    "admin/payments/ledgerposting/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/ledgerposting/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/ledgerposting/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/ledgerposting/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/ledgerentry/": "PAGE GET=llllll323323",
    "admin/payments/ledgerentry/add/": "PAGE GET=llllll333333",
    "admin/payments/ledgerentry/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/ledgerentry/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/ledgerentry/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/ledgerentry/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/payout/": "PAGE GET=llllll323323",
    "admin/payments/payout/add/": "PAGE GET=llllll333333",
    "admin/payments/payout/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/payout/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/payout/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/payout/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/payoutday/": "PAGE GET=llllll323323",
    "admin/payments/payoutday/add/": "PAGE GET=llllll333333",
    "admin/payments/payoutday/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/payoutday/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/payoutday/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/payoutday/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/refundday/": "PAGE GET=llllll323323",
    "admin/payments/refundday/add/": "PAGE GET=llllll333333",
    "admin/payments/refundday/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/refundday/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/refundday/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/refundday/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/payments/sellershare/": "PAGE GET=llllll323323",
    "admin/payments/sellershare/add/": "PAGE GET=llllll333333",
    "admin/payments/sellershare/{object_id}/history/": "PAGE GET=llllll323323",
    "admin/payments/sellershare/{object_id}/delete/": "PAGE GET=llllll333333",
    "admin/payments/sellershare/{object_id}/change/": "PAGE GET=llllll323323 POST=llllll333333",
    "admin/payments/sellershare/{object_id}/": "PAGE GET=llllllrrrrrr",
    "admin/{app_label}/": "PAGE GET=llllll442424",
    "admin/{url}": "PAGE GET=llllll444444",
    "livez/": "PAGE GET=2",
    # To this machine's own addresses, as a test's is.
    "metrics/": "PAGE GET=2 POST=. PUT=. PATCH=. DELETE=. OPTIONS=.",
    "readyz/": "PAGE GET=2",
    # 503: no clock is round in a test.
    "readyz/clock/": "PAGE GET=!",
    "admin/accounts/user/ take_avatars_away": "ACTION ------w---w-",
    "admin/accounts/user/ sign_out": "ACTION ------w---w-",
    "admin/accounts/user/ let_try_again": "ACTION ------w---w-",
    "admin/accounts/user/ take_second_factor_away": "ACTION ----------w-",
    "admin/accounts/user/ close": "ACTION ----------w-",
    "admin/accounts/user/ reopen": "ACTION ----------w-",
    "admin/accounts/passwordtries/ let_try": "ACTION ----------w-",
    "admin/accounts/proposal/ agree": "ACTION ------w---w-",
    "admin/accounts/proposal/ reject": "ACTION ------w---w-",
    "admin/products/product/ show": "ACTION --------w-w-",
    "admin/products/product/ hide": "ACTION --------w-w-",
    "admin/products/review/ hide": "ACTION --------w-w-",
    "admin/products/review/ show": "ACTION --------w-w-",
    "admin/orders/order/ cancel": "ACTION ------w---w-",
    "admin/orders/order/ ring": "ACTION ------w---w-",
    "admin/orders/message/ send_again": "ACTION ------w---w-",
    "admin/orders/order/ download": "ACTION ------w---w-",
    "admin/orders/ordertrack/ download": "ACTION ------w---w-",
    "admin/payments/orderpayment/ download": "ACTION -------w--w-",
    "admin/payments/receipt/ download": "ACTION -------w--w-",
    "admin/payments/refund/ download": "ACTION -------w--w-",
    "admin/payments/payout/ download": "ACTION -------w--w-",
    "admin/orders/ordertrack/ to_fetched": "ACTION ------w--ww-",
    "admin/orders/ordertrack/ to_shipping": "ACTION ------w--ww-",
    "admin/orders/ordertrack/ to_delivered": "ACTION ------w--ww-",
    "admin/orders/ordertrack/ to_cancelled": "ACTION ------w---w-",
    "admin/orders/ordertrack/ give_fee_back": "ACTION ------w---w-",
    "admin/payments/orderpayment/ ask": "ACTION -------w--w-",
    "admin/payments/gatewayevent/ reapply": "ACTION -------w--w-",
}
