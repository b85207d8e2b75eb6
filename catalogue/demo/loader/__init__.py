"""Enters the demo facility into an empty catalogue: the only part of the demo that sees tables.

What came before today is entered as reported by other systems: with the dates of then where they
are facts (`begin_at`, `release_at` …), while the journal tells when and by whom it was entered.
Everything may be entered again; what is there stays as it is.
"""

from catalogue.demo.loader.load import load

__all__ = ["load"]
