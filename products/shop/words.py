"""The texts that the server renders, in both languages, copied from ``storefront/src/i18n``."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

LANGUAGES = ("en", "sw")
#: The cookie with the language that the user chose in the storefront.
COOKIE = "language"

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "O-Mache: goods from Kenyan sellers, paid by M-Pesa",
        "welcome": "What do you need today?",
        "promise": (
            "From sellers across Kenya. Paid by M-Pesa, tracked until it is in your hands."
        ),
        "skip": "Skip to the page",
        "search": "Search",
        "yours": "Yours",
        "sell": "Sell",
        "orders": "Orders",
        "sign_in": "Sign in",
        "cart": "Cart",
        "categories": "Categories",
        "see_all": "See all",
        "sold_by": "Sold by",
        "sold_out": "Sold out",
        "of_5": "of 5 stars,",
        "order": "Order",
        "newest": "Newest first",
        "cheapest": "Cheapest first",
        "dearest": "Dearest first",
        "best_rated": "Best rated first",
        "best_selling": "Best-selling first",
        "filters": "Filters",
        "few": "Only {number} left",
        "from": "From KES",
        "to": "To KES",
        "show": "Show",
        "more": "Show more",
        "paying": "You pay by M-Pesa: your phone asks for your PIN.",
        "handing": "A code that only you have proves the handing over.",
        "cancelling": "Cancelled before it is collected? You get your money back.",
        "gone": "This is not for sale any more",
        "missing": "There is no such page",
        "of_category": "{name} from Kenyan sellers: look, pay by M-Pesa, have it brought.",
        "of_seller": "What {name} sells: look, pay by M-Pesa, have it brought.",
        "phones": "Phones & tablets",
        "electronics": "Electronics",
        "computing": "Computing",
        "kitchen": "Kitchen",
        "fashions": "Fashion",
        "furniture": "Furniture",
        "gaming": "Gaming",
        "sports": "Sports",
    },
    "sw": {
        "title": "O-Mache: bidhaa za wauzaji wa Kenya, lipa kwa M-Pesa",
        "welcome": "Unahitaji nini leo?",
        "promise": (
            "Kutoka kwa wauzaji kote Kenya. Unalipa kwa M-Pesa na kufuatilia hadi ikufikie mkononi."
        ),
        "skip": "Nenda kwenye ukurasa",
        "search": "Tafuta",
        "yours": "Yako",
        "sell": "Uza",
        "orders": "Oda",
        "sign_in": "Ingia",
        "cart": "Kikapu",
        "categories": "Aina za bidhaa",
        "see_all": "Ona zote",
        "sold_by": "Inauzwa na",
        "sold_out": "Zimeisha",
        "of_5": "kati ya nyota 5,",
        "order": "Mpangilio",
        "newest": "Mpya kwanza",
        "cheapest": "Bei nafuu kwanza",
        "dearest": "Bei ghali kwanza",
        "best_rated": "Zenye nyota nyingi kwanza",
        "best_selling": "Zinazouzwa zaidi kwanza",
        "filters": "Chuja",
        "few": "Zimebaki {number} tu",
        "from": "Kuanzia KES",
        "to": "Hadi KES",
        "show": "Onyesha",
        "more": "Onyesha zaidi",
        "paying": "Unalipa kwa M-Pesa: simu yako inakuomba PIN.",
        "handing": "Msimbo ulio nao wewe tu unathibitisha kuwa umepokea.",
        "cancelling": "Ukighairi kabla haijachukuliwa, unarudishiwa pesa zako.",
        "gone": "Bidhaa hii haiuzwi tena",
        "missing": "Hakuna ukurasa kama huu",
        "of_category": "{name} kutoka kwa wauzaji wa Kenya: angalia, lipa kwa M-Pesa, uletewe.",
        "of_seller": "Bidhaa za {name}: angalia, lipa kwa M-Pesa, uletewe.",
        "phones": "Simu na tableti",
        "electronics": "Elektroniki",
        "computing": "Kompyuta",
        "kitchen": "Jikoni",
        "fashions": "Mitindo",
        "furniture": "Samani",
        "gaming": "Michezo ya kompyuta",
        "sports": "Michezo",
    },
}
#: The categories in the order the storefront shows them (storefront/src/catalogue/categories.ts).
CATEGORY_NAMES = (
    "phones",
    "electronics",
    "computing",
    "kitchen",
    "fashions",
    "furniture",
    "gaming",
    "sports",
)


def language_of(request: HttpRequest) -> str:
    """The language chosen in the storefront, or else the browser's first known one, or English.

    The storefront has the same rule (storefront/src/i18n/language.ts).
    """
    chosen = request.COOKIES.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    for wanted, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        code = wanted.partition("-")[0]
        if code in LANGUAGES:
            return code
    return "en"
