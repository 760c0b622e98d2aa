"""The words that misspelt searches are corrected to (products.catalogue.spelling)."""

from __future__ import annotations

from django.db import models


class SearchWord(models.Model):
    """A word that some product's name contains."""

    word = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.word
