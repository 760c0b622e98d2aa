"""What M-Pesa takes and pays at a time, in whole KES.

Source: Daraja portal, M-Pesa Express and Customer to Business (1 to 250,000 a payment), Business to
Customer (10 to 250,000 a payment). Free of Django: settings, orders, payments and Daraja's client
all need it.
"""

#: A customer's payment, by STK push or by hand.
MIN_PAYMENT, MAX_PAYMENT = 1, 250_000
#: A payment of ours to a phone.
MIN_B2C, MAX_B2C = 10, 250_000
