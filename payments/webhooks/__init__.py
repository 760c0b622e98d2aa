"""What M-Pesa and the banks post: stored, answered, then processed. One module per message."""
