"""The texts of notifications in English and Swahili: short for SMS, longer for e-mail.

Values are filled in by name. ``{items}`` is the order lines, shortened to fit an SMS.
"""

from __future__ import annotations

from dataclasses import dataclass

from orders.models.notifications import NotificationKind

from .links import Page


@dataclass(frozen=True, slots=True)
class Template:
    sms: str
    subject: str
    text: str


TEMPLATES: dict[tuple[str, str], Template] = {
    (NotificationKind.PAID, "en"): Template(
        "O-Mache: we received {amount} for order {reference}.{where} Give this code only when you "
        "have the goods: {items}.{sign_in} Thank you!",
        "Order {reference} is paid",
        "Thank you! We received {amount} for your order {reference}.{where}\n\n"
        "When you have the goods, and not before, give this code to the person who brought them:"
        "\n\n{items}",
    ),
    (NotificationKind.PAID, "sw"): Template(
        "O-Mache: Tumepokea {amount} kwa oda {reference}.{where} Ukishapata bidhaa "
        "mkononi, mpe aliyekuletea nambari hii ya siri: {items}.{sign_in} Asante!",
        "Oda {reference} imelipwa",
        "Asante! Tumepokea {amount} kwa oda yako {reference}.{where}\n\n"
        "Ukishapata bidhaa mkononi, wala si kabla, mpe aliyekuletea nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.PROMPT_FAILED, "en"): Template(
        "O-Mache: order {reference}, {amount}, is not paid yet. {why}{by_hand}",
        "Order {reference} is not paid yet",
        "Your order {reference}, {amount}, is not paid yet.\n\n{why}{by_hand}",
    ),
    (NotificationKind.PROMPT_FAILED, "sw"): Template(
        "O-Mache: Oda {reference}, {amount}, bado haijalipwa. {why}{by_hand}",
        "Oda {reference} bado haijalipwa",
        "Oda yako {reference}, {amount}, bado haijalipwa.\n\n{why}{by_hand}",
    ),
    (NotificationKind.SHIPPED, "en"): Template(
        "O-Mache: order {reference} is on its way to you.{where} Give this code only when you "
        "have the goods: {items}.",
        "Order {reference} is on the way",
        "Goods from your order {reference} are on their way to you.{where}\n\n"
        "When you have them, and not before, give this code to the person who brought them:\n\n"
        "{items}",
    ),
    (NotificationKind.SHIPPED, "sw"): Template(
        "O-Mache: Bidhaa za oda {reference} ziko njiani kuja kwako.{where} Ukishazipata mkononi, "
        "mpe aliyekuletea nambari hii ya siri: {items}.",
        "Oda {reference} iko njiani",
        "Bidhaa za oda yako {reference} ziko njiani kuja kwako.{where}\n\n"
        "Ukishazipata mkononi, wala si kabla, mpe aliyekuletea nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.ARRIVED, "en"): Template(
        "O-Mache: order {reference} is ready for you at {place}. Give this code only when you have "
        "the goods: {items}.",
        "Order {reference} is ready for you",
        "Goods from your order {reference} are ready for you at {place}.\n\n"
        "When you have them, and not before, give this code to the person at the counter:\n\n"
        "{items}",
    ),
    (NotificationKind.ARRIVED, "sw"): Template(
        "O-Mache: Oda {reference} inakusubiri {place}. Ukishapata bidhaa mkononi, waambie nambari "
        "hii ya siri: {items}.",
        "Oda {reference} inakusubiri",
        "Bidhaa za oda yako {reference} zinakusubiri {place}.\n\n"
        "Ukishazipata mkononi, wala si kabla, mwambie anayekukabidhi nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.ATTEMPTED, "en"): Template(
        "O-Mache: we could not deliver order {reference}: {why}. We will call you and come again. "
        "Give this code only when you have the goods: {items}.",
        "We could not deliver order {reference}",
        "We came with goods from your order {reference} but could not deliver them: {why}. We will "
        "call you and come again. Please keep your phone on.\n\n"
        "When you have them, and not before, give this code to the person who brought them:\n\n"
        "{items}",
    ),
    (NotificationKind.ATTEMPTED, "sw"): Template(
        "O-Mache: Tulikuja na oda {reference} lakini hatukuikabidhi: {why}. Tutakupigia na kuja "
        "tena. Ukishapata bidhaa mkononi, mpe aliyekuletea nambari hii ya siri: {items}.",
        "Tulikuja na oda {reference}",
        "Tulikuja na bidhaa za oda yako {reference} lakini hatukuzikabidhi: {why}. Tutakupigia na "
        "kuja tena; tafadhali usizime simu.\n\n"
        "Ukishazipata mkononi, wala si kabla, mpe aliyekuletea nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.WAITING, "en"): Template(
        "O-Mache: order {reference} is still waiting for you at {place}, until {until}. Give this "
        "code only when you have the goods: {items}.",
        "Order {reference} is still waiting for you",
        "Goods from your order {reference} are still waiting for you at {place}, until {until}.\n\n"
        "When you have them, and not before, give this code to the person at the counter:\n\n"
        "{items}",
    ),
    (NotificationKind.WAITING, "sw"): Template(
        "O-Mache: Oda {reference} bado inakusubiri {place}, hadi {until}. Ukishapata bidhaa "
        "mkononi, waambie nambari hii ya siri: {items}.",
        "Oda {reference} bado inakusubiri",
        "Bidhaa za oda yako {reference} bado zinakusubiri {place}, hadi {until}.\n\n"
        "Ukishazipata mkononi, wala si kabla, mwambie anayekukabidhi nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.UNCOLLECTED, "en"): Template(
        "O-Mache: order {reference} was not collected at {place} by {until}. You can still collect "
        "it while it is there. Give this code only when you have the goods: {items}.",
        "Order {reference} was not collected",
        "These goods from your order {reference} were not collected at {place} by {until}. We will "
        "soon decide what to do with them. You can still collect them while they are there. If "
        "something keeps you, please tell us.\n\n"
        "When you have them, and not before, give this code to the person at the counter:\n\n"
        "{items}",
    ),
    (NotificationKind.UNCOLLECTED, "sw"): Template(
        "O-Mache: Hakuna aliyechukua oda {reference} {place} hadi {until}. Tutaamua la kufanya. "
        "Njoo uichukue ikiwa bado ipo, na uwaambie nambari hii ya siri: {items}.",
        "Oda {reference} haijachukuliwa",
        "Hakuna aliyechukua bidhaa hizi za oda yako {reference} {place} hadi {until}. Tutaamua la "
        "kufanya. Njoo uzichukue zikiwa bado zipo, au tuambie kinachokuzuia.\n\n"
        "Ukishazipata mkononi, wala si kabla, mwambie anayekukabidhi nambari hii ya siri:\n\n"
        "{items}",
    ),
    (NotificationKind.DELIVERED, "en"): Template(
        "O-Mache: order {reference} was delivered: {items}.{where} If you did not get it, tell us "
        "today.",
        "Order {reference} was delivered",
        "These goods from your order {reference} were delivered:\n\n{items}\n\n"
        "{where_first}If you did not get them, tell us today.",
    ),
    (NotificationKind.DELIVERED, "sw"): Template(
        "O-Mache: Bidhaa za oda {reference} zimefika: {items}.{where} Kama hujazipata, tuambie "
        "leo.",
        "Oda {reference} imefika",
        "Bidhaa hizi za oda yako {reference} zimefika:\n\n{items}\n\n{where_first}Kama "
        "hujazipata, tuambie leo.",
    ),
    (NotificationKind.GOES_BACK, "en"): Template(
        "O-Mache: we received {amount} for order {reference} and will refund it to you. {why}",
        "We will refund you {amount}",
        "We received {amount} for your order {reference} and will refund it to you. {why}",
    ),
    (NotificationKind.GOES_BACK, "sw"): Template(
        "O-Mache: Tumepokea {amount} kwa oda {reference}, na tunakurudishia. {why}",
        "Tunakurudishia {amount}",
        "Tumepokea {amount} kwa oda yako {reference}, na tunakurudishia. {why}",
    ),
    (NotificationKind.REFUNDED, "en"): Template(
        "O-Mache: we refunded you {amount} for order {reference}.{receipt}{because}",
        "We refunded you {amount}",
        "We refunded you {amount} for your order {reference}.{receipt}{because}",
    ),
    (NotificationKind.REFUNDED, "sw"): Template(
        "O-Mache: Tumekurudishia {amount} za oda {reference}.{receipt}{because}",
        "Tumekurudishia {amount}",
        "Tumekurudishia {amount} za oda yako {reference}.{receipt}{because}",
    ),
    (NotificationKind.SOLD, "en"): Template(
        "O-Mache: you made a sale of {amount}, order {reference}: {items}. Please have the goods "
        "ready for collection.{collect}",
        "You made a sale of {amount}",
        "Good news! These goods are sold and paid for: {amount}, order {reference}.\n\n{items}\n\n"
        "Please have them ready for collection.{collect}",
    ),
    (NotificationKind.SOLD, "sw"): Template(
        "O-Mache: Umeuza bidhaa za {amount}, oda {reference}: {items}. Tafadhali ziweke tayari "
        "zichukuliwe.{collect}",
        "Umeuza bidhaa za {amount}",
        "Bidhaa zako hizi zimeuzwa na kulipwa, {amount}, oda {reference}:\n\n{items}\n\n"
        "Tafadhali ziweke tayari zichukuliwe.{collect}",
    ),
    (NotificationKind.PAID_OUT, "en"): Template(
        "O-Mache: we sent {amount} for your sales to your M-Pesa.{receipt}",
        "We sent {amount} to your M-Pesa",
        "We sent {amount} for your sales to your M-Pesa.{receipt}",
    ),
    (NotificationKind.PAID_OUT, "sw"): Template(
        "O-Mache: Tumekutumia {amount} kwa M-Pesa kwa mauzo yako.{receipt}",
        "Tumekutumia {amount} kwa M-Pesa",
        "Tumekutumia {amount} kwa M-Pesa kwa mauzo yako.{receipt}",
    ),
    (NotificationKind.PAYOUT_FAILED, "en"): Template(
        "O-Mache: M-Pesa could not send {amount} for your sales to your number. The money is "
        "safe: open Money in the shop, and check the number or enter another.",
        "M-Pesa could not send you {amount}",
        "M-Pesa could not send {amount} for your sales to your number.\n\nThe money is safe: open "
        "Money in the shop, and check the number or enter another.",
    ),
    (NotificationKind.PAYOUT_FAILED, "sw"): Template(
        "O-Mache: M-Pesa haikuweza kutuma {amount} za mauzo yako kwa nambari yako. Pesa ziko "
        "salama: fungua Pesa dukani, hakiki nambari au weka nyingine.",
        "M-Pesa haikuweza kukutumia {amount}",
        "M-Pesa haikuweza kutuma {amount} za mauzo yako kwa nambari yako.\n\nPesa ziko salama: "
        "fungua Pesa dukani, hakiki nambari au weka nyingine.",
    ),
    (NotificationKind.PROBLEM, "en"): Template(
        "O-Mache: the buyer of order {reference} reported a problem ({about}): {items}. Please "
        "answer it under your sales. We pay you for it once this is settled.",
        "A problem with order {reference}",
        "The buyer of order {reference} reported a problem ({about}):\n\n{items}\n\n"
        "Please answer it under your sales. We pay you for it once this is settled.",
    ),
    (NotificationKind.PROBLEM, "sw"): Template(
        "O-Mache: Mnunuzi wa oda {reference} ana tatizo, {about}: {items}. Tafadhali jibu kwenye "
        "mauzo yako. Malipo yako yatasubiri hadi litatuliwe.",
        "Tatizo kwenye oda {reference}",
        "Mnunuzi wa oda {reference} ana tatizo, {about}:\n\n{items}\n\n"
        "Tafadhali jibu kwenye mauzo yako. Malipo yako yatasubiri hadi litatuliwe.",
    ),
    (NotificationKind.PROBLEM_REPLY, "en"): Template(
        "O-Mache: you have a new message about the problem with order {reference}: {items}. "
        "Please read it in your account.",
        "New message about order {reference}",
        "You have a new message about the problem with order {reference}:\n\n{items}\n\n"
        "Please read it in your account.",
    ),
    (NotificationKind.PROBLEM_REPLY, "sw"): Template(
        "O-Mache: Kuna ujumbe mpya kuhusu tatizo la oda {reference}: {items}. Tafadhali usome "
        "kwenye akaunti yako.",
        "Ujumbe kuhusu oda {reference}",
        "Kuna ujumbe mpya kuhusu tatizo la oda {reference}:\n\n{items}\n\n"
        "Tafadhali usome kwenye akaunti yako.",
    ),
    (NotificationKind.PROBLEM_ENDED, "en"): Template(
        "O-Mache: the problem with order {reference}, {items}: {about}",
        "Decision about the problem with order {reference}",
        "There is a decision about the problem with order {reference}:\n\n{items}\n\n{about}",
    ),
    (NotificationKind.PROBLEM_ENDED, "sw"): Template(
        "O-Mache: Tatizo la oda {reference}, {items}: {about}",
        "Tatizo la oda {reference} limeamuliwa",
        "Tatizo la oda {reference} limeamuliwa:\n\n{items}\n\n{about}",
    ),
}
#: Sentences that only an order with a delivery adds, left out.
WITHOUT_PLACES = {"where": "", "collect": ""}
DEFAULTS = {"place": "", "sign_in": "", "until": "", **WITHOUT_PLACES}
#: Texts in the app where they differ from the e-mail: the app shows the codes on the order page,
#: not in notifications.
IN_APP_TEXTS = {
    (NotificationKind.PAID, "en"): (
        "We received {amount} for your order {reference}. Your order shows a code for each item. "
        "When you have the goods, and not before, give it to the person who brought them.{where}"
        "\n\n{items}"
    ),
    (NotificationKind.PAID, "sw"): (
        "Tumepokea {amount} kwa oda yako {reference}. Oda ina nambari ya siri ya kila bidhaa: mpe "
        "anayekuletea ukishaipata mkononi, wala si kabla.{where}\n\n{items}"
    ),
    (NotificationKind.SHIPPED, "en"): (
        "Goods from your order {reference} are on their way to you. When you have them, and not "
        "before, give the code shown on your order to the person who brought them.{where}"
        "\n\n{items}"
    ),
    (NotificationKind.SHIPPED, "sw"): (
        "Bidhaa za oda yako {reference} ziko njiani kuja kwako. Mpe anayekuletea nambari ya siri "
        "iliyo kwenye oda yako, ukishazipata mkononi, wala si kabla.{where}\n\n{items}"
    ),
    (NotificationKind.ARRIVED, "en"): (
        "Goods from your order {reference} are ready for you at {place}. When you have them, and "
        "not before, give the code shown on your order to the person at the counter.\n\n{items}"
    ),
    (NotificationKind.ARRIVED, "sw"): (
        "Bidhaa za oda yako {reference} zinakusubiri {place}. Ukishazipata mkononi, wala si kabla, "
        "mwambie anayekukabidhi nambari ya siri iliyo kwenye oda yako.\n\n{items}"
    ),
    (NotificationKind.ATTEMPTED, "en"): (
        "We came with goods from your order {reference} but could not deliver them: {why}. We will "
        "call you and come again. Please keep your phone on.\n\n{items}"
    ),
    (NotificationKind.ATTEMPTED, "sw"): (
        "Tulikuja na bidhaa za oda yako {reference} lakini hatukuzikabidhi: {why}. Tutakupigia na "
        "kuja tena; tafadhali usizime simu.\n\n{items}"
    ),
    (NotificationKind.WAITING, "en"): (
        "Goods from your order {reference} are still waiting for you at {place}, until {until}. "
        "When you have them, and not before, give the code shown on your order to the person at "
        "the counter.\n\n{items}"
    ),
    (NotificationKind.WAITING, "sw"): (
        "Bidhaa za oda yako {reference} bado zinakusubiri {place}, hadi {until}. Ukishazipata "
        "mkononi, wala si kabla, mwambie anayekukabidhi nambari ya siri iliyo kwenye oda yako."
        "\n\n{items}"
    ),
    (NotificationKind.UNCOLLECTED, "en"): (
        "These goods from your order {reference} were not collected at {place} by {until}. We will "
        "soon decide what to do with them. You can still collect them while they are there. If "
        "something keeps you, please tell us.\n\n{items}"
    ),
    (NotificationKind.UNCOLLECTED, "sw"): (
        "Hakuna aliyechukua bidhaa hizi za oda yako {reference} {place} hadi {until}. Tutaamua la "
        "kufanya. Njoo uzichukue zikiwa bado zipo, au tuambie kinachokuzuia.\n\n{items}"
    ),
}
MANUAL_PAYMENT = {
    "en": " Or pay to Pay Bill {pay_bill}, account {account}, {amount}.",
    "sw": " Au lipa mwenyewe: Pay Bill {pay_bill}, akaunti {account}, {amount}.",
}
#: Added for guests, whose order page does not show everything.
SIGN_IN = {
    "en": " To see the code and the full order, sign in with this phone: {address}",
    "sw": " Kuona nambari ya siri na oda yote, ingia kwa simu hii: {address}",
}
RECEIPT = {"en": " M-Pesa receipt {number}.", "sw": " Risiti ya M-Pesa {number}."}
AND_MORE = {"en": "and {count} more", "sw": "na nyingine {count}"}
GREETING = {"en": "Hello {name},", "sw": "Habari {name},"}
#: Used when nothing of a product's name may be shown.
UNNAMED_GOODS = {"en": "goods", "sw": "bidhaa"}
LINK_INTRODUCTIONS = {
    (Page.ORDER, "en"): "Your order:",
    (Page.ORDER, "sw"): "Oda yako:",
    (Page.SALES, "en"): "Your sales:",
    (Page.SALES, "sw"): "Ulichouza:",
    (Page.MONEY, "en"): "Your money:",
    (Page.MONEY, "sw"): "Fedha zako:",
}
QUESTIONS = {
    "en": "Questions? Contact us: {contact}",
    "sw": "Una swali? Wasiliana nasi: {contact}",
}
#: Used when SHOP_CONTACT is empty.
REPLY_TO_EMAIL = {"en": "Questions? Reply to this e-mail.", "sw": "Una swali? Jibu barua pepe hii."}
#: Introduces the text of an SMS that was not delivered.
SMS_INSTEAD = {
    "en": "We sent you this SMS, but it did not reach your phone:",
    "sw": "Tulikutumia ujumbe huu kwa SMS, lakini haukufika kwenye simu yako:",
}
SIGNATURE = {
    "en": "O-Mache\n\nYou can choose your messages and their language in your account.",
    "sw": "O-Mache\n\nUnaweza kuchagua tukueleze nini, na kwa lugha gani, kwenye akaunti yako.",
}
