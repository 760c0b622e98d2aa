"""The doors through which news of money comes: one module for each kind of message."""
