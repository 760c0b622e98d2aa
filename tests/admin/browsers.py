"""People in a role, browsers in which they are signed in, and addresses of the admin's pages."""

from django.test import Client
from django.urls import reverse

from tests.factories import UserFactory, give_role


def in_role(role, **powers):
    """A staff member in this role, named like it."""
    return give_role(UserFactory(username=role, is_staff=True, **powers), role)


def browser_of(person):
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(person, backend="accounts.backends.UsernameOrEmailBackend")
    return client


def list_url(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def row_url(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
