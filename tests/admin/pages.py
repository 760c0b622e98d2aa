"""Helpers that read the sections of a row's page in the admin."""

from .browsers import row_url


def page(client, row):
    """The HTML of a row's page."""
    return client.get(row_url(row)).content.decode()


def shown_on(client, row):
    """The sections of a row's page with what they show, by key."""
    context = client.get(row_url(row)).context
    return {section.key: told for section, told in [*context["above"], *context["below"]]}


def sections(client, row):
    return list(shown_on(client, row))


def content(client, row, key):
    return shown_on(client, row)[key]


def facts(client, row, key):
    """The facts of a section by name; its lead as “lead”."""
    told = content(client, row, key)
    return {"lead": str(told.lead), **{name: str(value) for name, value in told.facts}}


def cells(client, row, key):
    """The rows of a section, each cell as it is written."""
    return [[str(cell) for cell in each] for each in content(client, row, key).rows]


def buttons(client, row):
    """The actions that a row's page offers for the row itself."""
    return [name for name, _ in client.get(row_url(row)).context["buttons"].actions]


def links(client, row):
    """Where a row's page leads, by what the link says."""
    return {link.words: link.url for link in client.get(row_url(row)).context["links"]}
