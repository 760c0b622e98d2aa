"""Client for Safaricom's Daraja API. It knows HTTP and M-Pesa, and nothing about the shop."""
