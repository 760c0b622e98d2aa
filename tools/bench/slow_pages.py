"""Report slow statements of a full shop's pages: ``python -m tools.bench.slow_pages``.

Covers every list of the admin with each of its filters and searches, the admin's other pages, and
what heavy users (``tools.bench.large_dataset``) read through the API, in one process. One line per
page: its milliseconds, its statements and the slowest of them; below, the statements above
``--over``, each with its plan. A page with a slow statement is requested a second time first:
reading from the disk once is not what people wait for each time.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from .shop import environment
from .statements import NONE, Statement, listening, plan_of

#: Choices tried per filter, apart from the first, which is all rows.
CHOICES = 8


class Page(NamedTuple):
    """The cost of one page: milliseconds, and its statements."""

    address: str
    status: int
    ms: float
    statements: list[Statement]

    @property
    def slowest(self) -> Statement:
        return max(self.statements, default=NONE)

    def __str__(self) -> str:
        return (
            f"{self.ms:8,.0f} ms  {len(self.statements):4}  {self.slowest.ms:8,.1f} ms"
            f"  {self.status}  {self.address}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.slow_pages", description=__doc__)
    parser.add_argument("--database", required=True, help="PostgreSQL URL of a full shop")
    parser.add_argument(
        "--over", type=float, default=200, help="report statements above this, in ms (200)"
    )
    parser.add_argument("--only", default="", help="only addresses that contain this")
    options = parser.parse_args()
    os.environ.update(environment(options.database))
    import django

    django.setup()
    logging.disable(logging.WARNING)
    from django.core.management import call_command

    # Without static files no page renders.
    call_command("collectstatic", interactive=False, verbosity=0)
    slow: dict[str, tuple[Page, Statement]] = {}
    for ask, address in _pages():
        if options.only not in address:
            continue
        page = _visit(ask, address)
        if page.slowest.ms > options.over:
            page = _visit(ask, address)
        print(page, flush=True)
        for each in page.statements:
            if each.ms > options.over:
                slow.setdefault(each.sql, (page, each))
    for page, statement in slow.values():
        print(f"\n{page.address}: {statement.ms:,.0f} ms\n{plan_of(statement)}")
    if slow:
        sys.exit(f"{len(slow)} statements took more than {options.over:g} ms.")


def _visit(ask: Any, address: str) -> Page:
    statements: list[Statement] = []
    with listening(statements):
        began = time.perf_counter()
        answer = ask(address)
        if answer.streaming:
            answer.getvalue()
        duration = (time.perf_counter() - began) * 1000
    return Page(address, answer.status_code, duration, statements)


def _pages() -> Iterator[tuple[Any, str]]:
    """Each page with the client to request it."""
    from django.test import Client

    from . import heavy_users

    heavy = heavy_users.find()
    desk = Client(SERVER_NAME="127.0.0.1", raise_request_exception=False)
    desk.force_login(heavy_users.staff(), backend="accounts.backends.UsernameOrEmailBackend")
    yield from ((desk.get, address) for address in _lists(desk, heavy.words))
    yield from ((desk.get, address) for address in heavy.of_staff)
    for person, addresses in heavy.of_people.items():
        client = Client(
            SERVER_NAME="127.0.0.1", raise_request_exception=False, headers=person.headers
        )
        yield from ((client.get, address) for address in addresses)


def _lists(desk: Any, words: list[str]) -> Iterator[str]:
    """Every list of the admin, with each choice of its filters and each search."""
    from django.contrib import admin
    from django.urls import reverse

    for model, its in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        address = reverse(f"{name}_changelist")
        yield address
        yield f"{address}?p=20"
        newest = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
        if newest is not None:
            yield reverse(f"{name}_change", args=[newest])
        shown = desk.get(address).context_data["cl"]
        for one in shown.filter_specs:
            for choice in [*one.choices(shown)][1 : CHOICES + 1]:
                yield address + choice["query_string"]
        if its.search_fields:
            yield from (f"{address}?q={quote(word)}" for word in words)


if __name__ == "__main__":
    main()
