"""A new database is made by few migrations that replace many: it comes out as by the many.

One of before goes on, wherever it was left: at the end of the many, or between any two of them.
"""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from omachemainproj import startup_checks
from tests.migration_steps import StepByStep, Steps

ROOT = Path(__file__).resolve().parents[2]
REPLACING = {
    ("accounts", "0001_squashed_0014_guests"),
    ("orders", "0001_squashed_0019_parcels_that_wait"),
    ("payments", "0001_squashed_0025_problems"),
    ("products", "0001_squashed_0005_count_what_was_sold"),
    ("products", "0006_squashed_0011_shelves_ranks_and_pictures"),
}


def described(state):
    """All that the migrations say of every model, in an order of its own."""

    def plain(value):
        if hasattr(value, "deconstruct"):
            return plain(value.deconstruct()[-3:])
        if isinstance(value, dict):
            return {str(key): plain(each) for key, each in sorted(value.items(), key=str)}
        if isinstance(value, list | tuple):
            return [plain(each) for each in value]
        return repr(value)

    return {
        ".".join(key): {
            "fields": {name: plain(field) for name, field in model.fields.items()},
            "options": {
                name: sorted(map(str, map(plain, value)))
                if name in {"indexes", "constraints"}
                else plain(value)
                for name, value in model.options.items()
                if value or name not in {"indexes", "constraints"}
            },
            "managers": [name for name, _ in model.managers],
            "bases": plain(model.bases),
        }
        for key, model in state.models.items()
    }


def test_few_migrations_describe_the_models_that_many_did():
    few, many = MigrationLoader(None), Steps(None)

    assert {*few.graph.nodes} - {*many.graph.nodes} == REPLACING
    assert described(few.project_state()) == described(many.project_state())


def test_every_step_between_the_first_and_the_last_is_replaced():
    steps, replaced = Steps(None).disk_migrations, set()
    for key in REPLACING:
        its = MigrationLoader(None).disk_migrations[key].replaces
        first, last = its[0][1][:4], its[-1][1][:4]
        assert its == sorted(
            each for each in steps if each[0] == key[0] and first <= each[1][:4] <= last
        )
        replaced.update(its)

    assert {*steps} >= replaced


@pytest.mark.django_db
def test_a_database_that_had_every_step_has_nothing_to_do():
    for app, name in REPLACING:
        MigrationRecorder(connection).record_unapplied(app, name)
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()

    plan = executor.migration_plan(leaves)
    executor.migrate(leaves)

    assert plan == []
    assert {*MigrationRecorder(connection).applied_migrations()} >= REPLACING


def test_a_process_asks_for_each_step_and_not_for_what_replaces_them():
    steps = Steps(None).disk_migrations

    assert {*startup_checks._migration_names()} == {
        key for key in steps if key[0] in startup_checks.OUR_APPS
    }


@pytest.mark.django_db
def test_wherever_the_steps_were_left_the_rest_is_planned_and_each_once(monkeypatch):
    executor = StepByStep(connection)
    leaves = executor.loader.graph.leaf_nodes()
    steps = [
        (step.app_label, step.name) for step, _ in executor.migration_plan(leaves, clean_start=True)
    ]
    had = {}
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda _: dict(had))

    for done in count():
        had = dict.fromkeys(steps[:done])
        executor = MigrationExecutor(connection)
        executor.loader.check_consistent_history(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        planned = [
            key for step, _ in plan for key in step.replaces or [(step.app_label, step.name)]
        ]
        assert sorted(planned) == sorted(steps[done:])
        if not planned:
            break


#: Ran in a process of its own, which asks the database that its environment names.
STEP_BY_STEP = """
import django, sys, json
django.setup()
from django.db import connection
from tests.migration_steps import StepByStep

executor = StepByStep(connection)
targets = [tuple(each) for each in json.loads(sys.argv[1])] or executor.loader.graph.leaf_nodes()
models = executor.migrate(targets).apps
User, Product = models.get_model("accounts", "User"), models.get_model("products", "Product")
seller = User.objects.create(username="amina")
Product.objects.create(
    seller=seller, name="Big\u00a0  kettle ", category="kitchen", price=1500, item_number=3,
    payment_mpesa_number="254712345678", image="products/kettle.webp",
)
"""
#: Of a new database: with what is of the server, and of Django's own book of migrations, left out.
POSTGRESQL = [
    "SELECT table_name, column_name, data_type, udt_name, character_maximum_length, is_nullable,"
    " column_default, is_identity, identity_generation, is_generated, generation_expression"
    " FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT proname, pg_get_functiondef(oid) FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'"
    " AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')",
    "SELECT sequencename, data_type, start_value, increment_by FROM pg_sequences"
    " WHERE schemaname = 'public'",
    "SELECT relname, relkind, reloptions, relrowsecurity FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace",
    "SELECT tablename, policyname, cmd, roles::text, qual, with_check FROM pg_policies",
    "SELECT extname FROM pg_extension",
]
SQLITE = ["SELECT type, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"]


class AnotherDatabase:
    """An empty database of the kind that the tests use, for as long as this is entered."""

    def __init__(self, name, folder):
        self._path = folder / f"{name}.sqlite3"
        self._name = f"{connection.settings_dict['NAME']}_{name}"
        self.url = f"sqlite:///{self._path}"
        if connection.vendor == "postgresql":
            self.url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=self._name))

    def __enter__(self):
        self._manage("CREATE DATABASE {}")
        return self

    def __exit__(self, *_):
        self._manage("DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def _manage(self, statement):
        if connection.vendor == "postgresql":
            with connection.creation._nodb_cursor() as cursor:
                cursor.execute(statement.format(connection.ops.quote_name(self._name)))

    def migrate(self):
        self._run("manage.py", "migrate", "--verbosity", "0")

    def migrate_step_by_step(self, *targets):
        """To ``targets``, or to the end; with a kettle that was listed then."""
        self._run("-c", STEP_BY_STEP, json.dumps(targets))

    def _run(self, *command):
        environ = os.environ | {
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "omachemainproj.settings",
            "OMACHE_ENV_FILE": os.devnull,
        }
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def ask(self, *queries):
        if connection.vendor == "postgresql":
            opened = psycopg.connect(self.url)
        else:
            opened = sqlite3.connect(self._path)
        with closing(opened) as database:
            return [[*database.execute(query).fetchall()] for query in queries]

    def schema(self):
        """All that there is but rows; columns in any order."""
        if connection.vendor == "postgresql":
            return [sorted(map(str, rows)) for rows in self.ask(*POSTGRESQL)]
        (rows,) = self.ask(*SQLITE)
        return sorted((*names, parts_of(sql)) for *names, sql in rows)


def parts_of(create):
    """A table's columns and constraints, sorted: SQLite puts what is of the table itself last."""
    if not create.startswith("CREATE TABLE"):
        return create
    parts, depth = [""], 0
    for letter in create.partition("(")[2]:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        parts = [*parts, ""] if letter == "," and not depth else [*parts[:-1], parts[-1] + letter]
    return sorted(part.strip().removesuffix(")") for part in parts)


@pytest.fixture(scope="module")
def step_by_step(tmp_path_factory, django_db_blocker):
    """The schema that all the steps make."""
    with (
        django_db_blocker.unblock(),
        AnotherDatabase("steps", tmp_path_factory.mktemp("steps")) as database,
    ):
        database.migrate_step_by_step()
        database.migrate()
        return database.schema()


@pytest.mark.slow
@pytest.mark.django_db
def test_few_migrations_make_the_tables_that_many_did(step_by_step, tmp_path):
    with AnotherDatabase("few", tmp_path) as database:
        database.migrate()
        made = database.schema()

    assert made == step_by_step
    assert len(made) > (100 if connection.vendor == "sqlite" else 8)


#: Before the second of the products', between two of each app, and with some apps not begun.
LEFT = {
    "products without reviews": [["products", "0005_count_what_was_sold"]],
    "products and orders": [
        ["products", "0005_count_what_was_sold"],
        ["orders", "0019_parcels_that_wait"],
        ["accounts", "0014_guests"],
    ],
    "in the middle of each": [
        ["accounts", "0008_who_may_be_reached"],
        ["products", "0007_unlisted"],
        ["orders", "0010_what_was_sent"],
        ["payments", "0012_move_write_offs_off_commission"],
    ],
}


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("targets", LEFT.values(), ids=LEFT)
def test_a_database_left_half_way_goes_on(targets, step_by_step, tmp_path):
    with AnotherDatabase("half", tmp_path) as database:
        database.migrate_step_by_step(*targets)
        database.migrate()
        made = database.schema()
        rows = database.ask(
            "SELECT name FROM products_product",
            "SELECT product_id, price, payment_mpesa_number FROM products_listingterms",
            "SELECT category, for_sale FROM products_categoryshelf",
            "SELECT seller_id, for_sale FROM products_sellershelf",
            "SELECT product_id, place, image FROM products_productpicture",
            "SELECT skeleton FROM accounts_user",
        )

    assert made == step_by_step
    assert rows == [
        [("Big kettle",)],
        [(1, 1500, "254712345678")],
        [("kitchen", 1)],
        [(1, 1)],
        [(1, 0, "products/kettle.webp")],
        [("amlna",)],
    ]
