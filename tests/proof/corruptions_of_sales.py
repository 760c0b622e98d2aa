"""Corruptions of orders, lines, steps, stock, listings and reviews by SQL.

Each has a name, statements, and the beginning of the rule or of the database error that detects it.
It changes every column that must agree with it, as far as the database allows. Names in braces are
ids of rows of ``healthy`` (test_corruptions_of_sales.py).
"""

from .corruptions_of_deliveries import OF_DELIVERIES

AGREED = "An order and its lines match the agreement made when it was placed"
TERMS = "A product's seller, price and phone match its newest terms"
FOLLOWS = "Each step of a line may follow the step before it"
IN_TIME = "The steps of a line are in order of time, not before the sale and not in the future"
BY_WHOM = "A person's step names them, and a step that follows the order names nobody"
CHANGED = "A line was last changed at its last step"
CLOSED = "An order expired, or was cancelled by the named party, as its lines were"
WRITTEN = "A review is as it was last written, answered or hidden"

#: What triggers say of what is only added to.
STEPS_ARE_KEPT = "the steps of a line are only added to"
AGREED_IS_KEPT = "what was agreed is only added to"
TERMS_ARE_KEPT = "terms are only added to"
DIGESTS_ARE_KEPT = "digests are only added to"
STOCK_IS_KEPT = "stock is only moved on"
FOREIGN_KEY = "foreign key"


def of_order(*changes: str) -> list[str]:
    return [f"UPDATE orders_order SET {change} WHERE id = {{order}}" for change in changes]


def of_line(*changes: str) -> list[str]:
    return [f"UPDATE orders_ordertrack SET {change} WHERE id = {{paid}}" for change in changes]


def of_product(*changes: str) -> list[str]:
    return [f"UPDATE products_product SET {change} WHERE id = {{kettle}}" for change in changes]


def of_review(*changes: str) -> list[str]:
    return [f"UPDATE products_review SET {change} WHERE id = {{review}}" for change in changes]


def step(
    line: str, status: str, *, actor: str = "{agent}", at: str = "now", cause: str = ""
) -> str:
    """An added step of a line; ``at`` is a placeholder for a moment."""
    return (
        "INSERT INTO orders_trackevent (track_id, track_status, actor_id, note, cause, created_at)"
        f" VALUES ({line}, '{status}', {actor}, '', '{cause}', {{{at}}})"
    )


def walked(line: str, *statuses: str, **how: str) -> list[str]:
    """Added steps of a line, and its status with them."""
    return [
        *(step(line, status, **how) for status in statuses),
        f"UPDATE orders_ordertrack SET track_status = '{statuses[-1]}', updated_at = {{now}}"
        f" WHERE id = {line}",
    ]


OF_ORDERS = [
    ("its buyer", [*of_order("buyer_id = {friend}"), *of_line("buyer_id = {friend}")], AGREED),
    ("its guest", of_order("guest_id = {friend}"), "A guest's order, with all its lines, belongs"),
    (
        "somebody is made a guest",
        [
            "INSERT INTO accounts_guest (user_id, phone, created_at)"
            " VALUES ({friend}, '254799000999', {now})"
        ],
        "A guest account cannot be signed in to",
    ),
    ("its token", of_order("order_token = '00000000000000000000000000000001'"), AGREED),
    ("its reference", of_order("reference = 'ACDEFGHJ'"), AGREED),
    ("its phone", of_order("mpesa_number = '254799000999'"), "An order's phone is one that was"),
    ("its phone, masked", of_order("mpesa_number = '2547*****999'"), "An order's phone is one"),
    ("its amount", of_order("amount = amount - 1"), "An order's amount is the sum of its lines"),
    (
        "its amount and price",
        [*of_order("amount = 100"), *of_line("price = 50, amount = 100, commission = 10")],
        AGREED,
    ),
    ("placed in the past", of_order("created_at = {past}"), AGREED),
    ("placed in the future", of_order("created_at = {future}"), "order_expires_after_it_is"),
    (
        "placed in the future with its hold",
        of_order("created_at = {future}, expires_at = {future}, held_until = {future}"),
        AGREED,
    ),
    ("expires in 2999", of_order("expires_at = {far}"), "order_expires_after_it_is_placed"),
    ("held until 2999", of_order("expires_at = {far}, held_until = {far}"), AGREED),
    (
        "an unpaid one held until 2999",
        ["UPDATE orders_order SET expires_at = {far}, held_until = {far} WHERE id = {unpaid}"],
        AGREED,
    ),
    (
        "kept from others until 2999",
        ["UPDATE orders_order SET firm_until = {far} WHERE id = {unpaid}"],
        "Unpaid orders reserve goods no longer than they may, or while a prompt is open",
    ),
    ("expired before it was placed", of_order("expires_at = {past}"), "order_expires_after_it"),
    ("its key", of_order("idempotency_key = 'another'"), AGREED),
    ("its key is gone", of_order("idempotency_key = NULL"), AGREED),
    ("its fingerprint", of_order("fingerprint = ''"), AGREED),
    ("a status there is not", of_order("payment_status = 'lost'"), "order_status_is_one_there_is"),
    (
        "expired for cancelled",
        ["UPDATE orders_order SET payment_status = 'expired', cancelled_by = ''"
         " WHERE id = {given_up}"],
        CLOSED,
    ),
    (
        "cancelled by its buyer for expired",
        ["UPDATE orders_order SET payment_status = 'cancelled', cancelled_by = 'buyer'"
         " WHERE id = {late}"],
        CLOSED,
    ),
    (
        "cancelled by nobody for expired",
        ["UPDATE orders_order SET payment_status = 'cancelled' WHERE id = {late}"],
        CLOSED,
    ),
    (
        "cancelled by staff for by its buyer",
        ["UPDATE orders_order SET cancelled_by = 'staff' WHERE id = {given_up}"],
        CLOSED,
    ),
    (
        "cancelled by nobody for by its buyer",
        ["UPDATE orders_order SET cancelled_by = '' WHERE id = {given_up}"],
        CLOSED,
    ),
    ("paid, and cancelled by staff once", of_order("cancelled_by = 'staff'"), CLOSED),
    ("paid, and cancelled by its buyer", of_order("cancelled_by = 'buyer'"), "order_that_somebody"),
    (
        "paid, though nothing came",
        ["UPDATE orders_order SET payment_status = 'paid' WHERE id = {unpaid}",
         "UPDATE products_product SET held = held - 1, item_number = item_number - 1,"
         " sold = sold + 1 WHERE id = {kettle}",
         "INSERT INTO products_stockmovement (product_id, quantity, reference, note, created_at)"
         " VALUES ({kettle}, -1, 'order:{unpaid}', '', {now})",
         *walked("{unpaid_line}", "paid", actor="NULL", cause="paid")],
        "The lines of a paid order are covered by its payments, and any excess is owed back",
    ),
    ("its row is gone", ["DELETE FROM orders_order WHERE id = {order}"], FOREIGN_KEY),
    ("its id", of_order("id = id + 1000000"), FOREIGN_KEY),
    (
        "its digest",
        ["UPDATE orders_orderdigest SET sha256 = '' WHERE order_id = {order}"],
        AGREED_IS_KEPT,
    ),
    (
        "its digest is gone",
        ["DELETE FROM orders_orderdigest WHERE order_id = {order}"],
        AGREED_IS_KEPT,
    ),
]  # fmt: skip

OF_LINES = [
    ("no commission", of_line("commission = 0"), AGREED),
    ("commission of all of it", of_line("commission = amount"), AGREED),
    ("commission of more than all", of_line("commission = amount + 1"), "commission_is_part"),
    ("another seller", of_line("seller_id = {friend}"), AGREED),
    (
        "another seller of the product too",
        [*of_line("seller_id = {friend}"), *of_product("seller_id = {friend}")],
        AGREED,
    ),
    ("another order", of_line("order_id = {late}"), AGREED),
    ("another buyer", of_line("buyer_id = {friend}"), AGREED),
    ("another product", of_line("product_id = {pot}"), AGREED),
    ("another name", of_line("name = 'Gold'"), AGREED),
    ("another number", of_line("number = 1, price = amount"), AGREED),
    ("another price", of_line("price = 1, amount = number, commission = 0"), AGREED),
    ("an amount by itself", of_line("amount = amount + 1"), "track_amount_is_number_times_price"),
    ("paid to another number", of_line("payment_mpesa_number = '254799000999'"), AGREED),
    ("all codes equal", ["UPDATE orders_ordertrack SET collection_code = '000000'"], AGREED),
    ("99 wrong codes", of_line("code_misses = 99"), "track_has_no_more_misses"),
    ("placed in the past", of_line("created_at = {past}"), AGREED),
    ("placed in the future", of_line("created_at = {future}"), AGREED),
    ("changed in the past", of_line("updated_at = {past}"), CHANGED),
    ("changed in the future", of_line("updated_at = {future}"), CHANGED),
    (
        "a new one changed in the past",
        ["UPDATE orders_ordertrack SET updated_at = {past} WHERE id = {unpaid_line}"],
        CHANGED,
    ),
    ("a status there is not", of_line("track_status = 'lost'"), "track_status_is_one_there_is"),
    ("delivered without a step", of_line("track_status = 'delivered'"), "A line's status is that"),
    ("returned, though it is paid", of_line("returned = {true}"), "returned_track_is_cancelled"),
    (
        "returned, though it went with its order",
        ["UPDATE orders_ordertrack SET returned = {true} WHERE order_id = {given_up}"],
        "A line is returned exactly if it was cancelled by itself, not with its order",
    ),
    (
        "not returned, though it was cancelled by itself",
        ["UPDATE orders_ordertrack SET returned = {false} WHERE id = {returned}"],
        "A line is returned exactly if it was cancelled by itself, not with its order",
    ),
    ("its row is gone", ["DELETE FROM orders_ordertrack WHERE id = {unpaid_line}"], AGREED),
    (
        "two of one product",
        ["INSERT INTO orders_ordertrack (order_id, buyer_id, product_id, seller_id, name, number,"
         " price, amount, commission, payment_mpesa_number, collection_code, code_misses, returned,"
         " track_status, created_at, updated_at) SELECT order_id, buyer_id, product_id, seller_id,"
         " name, number, price, amount, commission, payment_mpesa_number, collection_code,"
         " code_misses, returned, track_status, created_at, updated_at FROM orders_ordertrack"
         " WHERE id = {paid}"],
        "unique",
    ),
]  # fmt: skip

OF_STEPS = [
    (
        "fetched is gone",
        ["DELETE FROM orders_trackevent WHERE track_status = 'fetched'"],
        STEPS_ARE_KEPT,
    ),
    (
        "another time",
        ["UPDATE orders_trackevent SET created_at = {past} WHERE track_id = {delivered}"],
        STEPS_ARE_KEPT,
    ),
    ("delivered without fetched", walked("{paid}", "delivered"), FOLLOWS),
    ("paid again", walked("{delivered}", "paid", actor="NULL", cause="paid"), FOLLOWS),
    ("back on the road", walked("{delivered}", "shipping"), FOLLOWS),
    ("refunded, though it was never cancelled", walked("{paid}", "refunded"), FOLLOWS),
    (
        "paid by itself",
        walked("{unpaid_line}", "paid", actor="NULL"),
        FOLLOWS,
    ),
    ("fetched in the past", walked("{paid}", "fetched", at="past"), IN_TIME),
    ("fetched in the future", walked("{paid}", "fetched", at="future"), IN_TIME),
    ("fetched by nobody", walked("{paid}", "fetched", actor="NULL"), BY_WHOM),
    ("fetched by its seller", walked("{paid}", "fetched", actor="{seller}"), "No staff member or"),
    ("cancelled by nobody", walked("{paid}", "cancelled", actor="NULL"), BY_WHOM),
    (
        "with its order, by somebody",
        walked("{unpaid_line}", "cancelled", cause="expired"),
        BY_WHOM,
    ),
    ("to a status there is not", walked("{paid}", "lost"), "step_is_to_a_status_there_is"),
    ("for a cause there is not", walked("{paid}", "fetched", cause="x"), "step_has_a_cause"),
]

OF_PRODUCTS = [
    ("another seller", of_product("seller_id = {friend}"), TERMS),
    ("another price", of_product("price = 1"), TERMS),
    ("paid to another number", of_product("payment_mpesa_number = '254799000999'"), TERMS),
    ("more held", of_product("held = held + 1"), "A product's reserved stock is the sum of its"),
    ("more on the shelf", of_product("item_number = item_number + 1"), "A product's stock on hand"),
    ("more sold", of_product("sold = sold + 1"), "A product's sold count is what was taken for"),
    (
        "goods that left for no order",
        [*of_product("item_number = item_number - 1, sold = sold + 1"),
         "INSERT INTO products_stockmovement (product_id, quantity, reference, note, created_at)"
         " VALUES ({kettle}, -1, 'order:0', '', {now})"],
        "Stock taken for an order matches one of its paid lines",
    ),
    (
        "goods that left for an unpaid order",
        [*of_product("item_number = item_number - 1, sold = sold + 1"),
         "INSERT INTO products_stockmovement (product_id, quantity, reference, note, created_at)"
         " VALUES ({kettle}, -1, 'order:{unpaid}', '', {now})"],
        "Stock taken for an order matches one of its paid lines",
    ),
    (
        "another movement, and the shelf with it",
        [*of_product("item_number = item_number + 10"),
         "UPDATE products_stockmovement SET quantity = quantity + 10 WHERE reference = 'listed'"],
        STOCK_IS_KEPT,
    ),
    (
        "no movement for what was sold",
        ["DELETE FROM products_stockmovement WHERE reference = 'order:{order}'"],
        STOCK_IS_KEPT,
    ),
    ("its row is gone", ["DELETE FROM products_product WHERE id = {kettle}"], FOREIGN_KEY),
    (
        "its terms, and what was sold on them",
        ["UPDATE products_listingterms SET price = 1 WHERE product_id = {kettle}"],
        TERMS_ARE_KEPT,
    ),
    (
        "its terms are gone",
        ["DELETE FROM products_listingterms WHERE product_id = {kettle}"],
        TERMS_ARE_KEPT,
    ),
    (
        "a line sold on terms that never were",
        of_line("payment_mpesa_number = '254799000999'"),
        "A line was sold on terms that its listing had",
    ),
]  # fmt: skip

_COUNTED_AGAIN = [
    "UPDATE products_product SET review_stars = {stars}, review_count = {count}"
    " WHERE id = {{kettle}}",
    "UPDATE products_sellerrating SET review_stars = {stars}, review_count = {count}"
    " WHERE seller_id = {{seller}}",
]


def counted(stars: int, count: int) -> list[str]:
    """Averages that agree with a number of reviews and stars."""
    return [statement.format(stars=stars, count=count) for statement in _COUNTED_AGAIN]


_ANOTHER_REVIEW = (
    "INSERT INTO products_review (line_id, product_id, buyer_id, seller_id, stars, text, answer,"
    " hidden, hidden_reason, created_at)"
    " VALUES ({paid}, {kettle}, {buyer}, {seller}, 5, '', '', {false}, '', {now})"
)

OF_REVIEWS = [
    ("of a line never delivered", [_ANOTHER_REVIEW, *counted(7, 2)], "A review was written after"),
    ("one nobody wrote", [_ANOTHER_REVIEW, *counted(7, 2)], WRITTEN),
    ("more stars, counted", [*of_review("stars = 5"), *counted(5, 1)], WRITTEN),
    ("more stars than there are", of_review("stars = 6"), "review_has_one_to_five_stars"),
    ("another text", of_review("text = 'Buy it.'"), WRITTEN),
    ("another author", of_review("buyer_id = {friend}"), "A review is by the buyer of its line"),
    ("another seller", of_review("seller_id = {friend}"), "A review is by the buyer of its line"),
    ("another product", of_review("product_id = {pot}"), "A review is by the buyer of its line"),
    ("another line", of_review("line_id = {paid}"), "A review was written after its line was"),
    ("written before it came", of_review("created_at = {past}"), "A review was written after its"),
    ("written in the future", of_review("created_at = {future}"), WRITTEN),
    ("edited before it was written", of_review("edited_at = {past}"), "review_is_written_before"),
    ("an answer nobody gave", of_review("answer = 'Lies.', answered_at = {future}"), WRITTEN),
    (
        "hidden by nobody, and not counted",
        [*of_review("hidden = {true}, hidden_reason = 'Rude.'"), *counted(0, 0)],
        WRITTEN,
    ),
    ("its row is gone", ["DELETE FROM products_review WHERE id = {review}"], FOREIGN_KEY),
    ("its digest", ["UPDATE products_reviewdigest SET sha256 = ''"], DIGESTS_ARE_KEPT),
    ("its digest is gone", ["DELETE FROM products_reviewdigest"], DIGESTS_ARE_KEPT),
    ("averages", counted(5, 1), "A product's stars and reviews are those of its visible reviews"),
    (
        "a seller's average",
        ["UPDATE products_sellerrating SET review_stars = 5"],
        "A seller's stars and reviews are those of the visible reviews of their products",
    ),
]

OF_LISTING_COUNTS = [
    (
        "more of a category than there is",
        ["INSERT INTO products_categoryshelf (category, for_sale) VALUES ('kitchen', 7)"],
        "The count of a category's products on sale matches its sum and its moves",
    ),
    (
        "a move of a category that was none",
        [
            "INSERT INTO products_categoryshelf (category, for_sale) VALUES ('sports', 0)",
            "INSERT INTO products_shelfmove (category, seller_id, change)"
            " VALUES ('sports', {seller}, 1)",
        ],
        "The count of a category's products on sale matches its sum and its moves",
    ),
    (
        "more of a seller than there is",
        ["INSERT INTO products_sellershelf (seller_id, for_sale) VALUES ({seller}, 1)"],
        "The count of a seller's products on sale matches its sum and its moves",
    ),
    (
        "forgotten moves",
        ["DELETE FROM products_shelfmove"],
        "The count of a seller's products on sale matches its sum and its moves",
    ),
]


def with_pictures(*places: int) -> list[str]:
    """A product's pictures in these places, and its own picture as it should be then."""
    return [
        *of_product("image = 'products/0.webp', thumbnail = ''"),
        *(
            "INSERT INTO products_productpicture (product_id, place, image, medium, thumbnail,"
            f" preview, is_drawn, sizes, created_at) VALUES ({{kettle}}, {place},"
            f" 'products/{place}.webp', '', '', '', {{true}}, '[]', {{now}})"
            for place in places
        ),
    ]


FIRST, IN_ORDER = "A product's own picture is the first of its pictures", "A product's pictures are"
OF_PICTURES = [
    ("a picture of nothing", of_product("image = 'products/x.webp'"), FIRST),
    (
        "a thumbnail of another",
        [*with_pictures(0), *of_product("thumbnail = 'products/x.webp'")],
        FIRST,
    ),
    ("no first picture", with_pictures(1), FIRST),
    ("a gap", with_pictures(0, 2), IN_ORDER),
    ("nine pictures", with_pictures(*range(9)), IN_ORDER),
]

CORRUPTIONS = [
    (f"{of}: {name}", statements, seen)
    for of, corruptions in {
        "order": OF_ORDERS,
        "line": OF_LINES,
        "step": OF_STEPS,
        "product": OF_PRODUCTS,
        "review": OF_REVIEWS,
        "delivery": OF_DELIVERIES,
        "listing count": OF_LISTING_COUNTS,
        "picture": OF_PICTURES,
    }.items()
    for name, statements, seen in corruptions
]
