"""The texts that the server renders, in both languages, copied from ``storefront/src/i18n``."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

LANGUAGES = ("en", "sw")
#: The cookie with the language that the user chose in the storefront.
COOKIE = "language"

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "O-Mache: shop from Kenyan sellers, pay with M-Pesa",
        "welcome": "What do you need today?",
        "promise": "From sellers across Kenya. Pay with M-Pesa and track it to your door.",
        "skip": "Skip to content",
        "search": "Search",
        "main_menu": "Main menu",
        "sell": "Sell",
        "orders": "Orders",
        "sign_in": "Sign in",
        "cart": "Cart",
        "categories": "Categories",
        "see_all": "See all",
        "sold_by": "Sold by",
        "sold_out": "Sold out",
        "of_5": "of 5 stars,",
        "sort_by": "Sort by",
        "newest": "Newest",
        "price_low": "Price: low to high",
        "price_high": "Price: high to low",
        "best_rated": "Top rated",
        "best_selling": "Best selling",
        "filters": "Filters",
        "few": "Only {number} left",
        "from": "Min price (KES)",
        "to": "Max price (KES)",
        "apply": "Apply",
        "more": "Show more",
        "pay_with_mpesa": "Pay with M-Pesa: enter your PIN on your phone.",
        "code_confirms": "Only you have the code that confirms delivery.",
        "cancel_early": "Cancel before it leaves the seller and get your money back.",
        "unavailable": "This product is no longer available",
        "not_found": "Page not found",
        "of_category": "{name} from Kenyan sellers. Pay with M-Pesa and get it delivered.",
        "of_seller": "Shop from {name} on O-Mache. Pay with M-Pesa and get it delivered.",
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
        "promise": "Kutoka kwa wauzaji kote Kenya. Lipa kwa M-Pesa na ufuatilie hadi ikufikie.",
        "skip": "Nenda kwenye maudhui",
        "search": "Tafuta",
        "main_menu": "Menyu kuu",
        "sell": "Uza",
        "orders": "Oda",
        "sign_in": "Ingia",
        "cart": "Kikapu",
        "categories": "Aina za bidhaa",
        "see_all": "Ona zote",
        "sold_by": "Inauzwa na",
        "sold_out": "Zimeisha",
        "of_5": "kati ya nyota 5,",
        "sort_by": "Panga kwa",
        "newest": "Mpya kwanza",
        "price_low": "Bei: ndogo hadi kubwa",
        "price_high": "Bei: kubwa hadi ndogo",
        "best_rated": "Zenye nyota nyingi kwanza",
        "best_selling": "Zinazouzwa zaidi kwanza",
        "filters": "Chuja",
        "few": "Zimebaki {number} tu",
        "from": "Bei ya chini (KES)",
        "to": "Bei ya juu (KES)",
        "apply": "Tumia",
        "more": "Onyesha zaidi",
        "pay_with_mpesa": "Lipa kwa M-Pesa: weka PIN kwenye simu yako.",
        "code_confirms": "Nambari ya siri uliyo nayo wewe tu ndiyo inayothibitisha kuwa umepokea.",
        "cancel_early": "Ukighairi kabla haijaondoka kwa muuzaji, unarudishiwa pesa zako.",
        "unavailable": "Bidhaa hii haipatikani tena",
        "not_found": "Ukurasa haukupatikana",
        "of_category": "{name} kutoka kwa wauzaji wa Kenya. Lipa kwa M-Pesa, uletewe.",
        "of_seller": "Bidhaa za {name} kwenye O-Mache. Lipa kwa M-Pesa, uletewe.",
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
