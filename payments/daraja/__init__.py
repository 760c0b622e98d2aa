"""Safaricom's Daraja API in our words. It knows HTTP and M-Pesa, and nothing of the shop."""
