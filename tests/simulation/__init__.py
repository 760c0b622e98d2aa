"""The seeds of ``tools.simulation`` that are part of every test run."""
