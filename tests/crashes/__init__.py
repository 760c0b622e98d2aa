"""What survives a power cut: of a process, at any step it takes, and of the database."""
