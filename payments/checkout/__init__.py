"""Collecting an order's money: the cash-out API, the STK push, and what the buyer reads."""
