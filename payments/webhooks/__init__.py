"""Messages from M-Pesa and the banks: stored, answered, then processed. One module per message."""
