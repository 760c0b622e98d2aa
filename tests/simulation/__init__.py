"""The seeds of ``tools.simulation`` that are played at every test."""
