"""The documentation names only existing files, functions and links, and quotes what is shown."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from payments.backoffice.queues import QUEUES

ROOT = Path(settings.BASE_DIR)
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
APPS = ["omachemainproj", "accounts", "products", "orders", "payments"]
OURS = [*APPS, "daraja_simulator", "tools", "tests"]

_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
#: The beginning of a paragraph, list item or table row.
_ITEM = re.compile(r"\n(?=\s*\n|\s*[-*] |\s*\d+\. |\||#)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
_FILE = re.compile(r".+\.(py|md|toml|ini|html|css|conf|txt|example)")
_CALL = re.compile(r"([A-Za-z_][\w.]*)\(.*\)")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_CONSTANT = re.compile(r"_*[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|_[a-z]\w+|([A-Z][a-z0-9]+){2,}")
#: A label or sentence of the shop: “quoted”, or *in italics* with a capital letter.
_QUOTE = re.compile(r"“([^”]{4,})”|(?<!\*)\*([A-Z][^*]{3,})\*(?!\*)")
#: What others say: a buyer, a firewall, Excel, and the name of an alert.
_WORDS_OF_OTHERS = {"I have paid", "log in here", "Unicode Text", "Shop down"}
_LINK = re.compile(r"\]\(([^)\s:]*?)(?:#([^)\s]*))?\)")


@cache
def sources():
    """Every Python file of the project, by dotted name."""
    files = [file for top in OURS for file in (ROOT / top).rglob("*.py")]
    files += ROOT.glob("*.py")
    named = {}
    for file in files:
        parts = file.relative_to(ROOT).with_suffix("").parts
        named[".".join(part for part in parts if part != "__init__")] = file
    return named


@cache
def words():
    """Every word of the code, the Makefile and .env.example."""
    files = [*sources().values(), ROOT / "Makefile", ROOT / ".env.example"]
    here = Path(__file__)
    return {word for file in files if file != here for word in re.findall(r"\w+", file.read_text())}


@cache
def shown_texts():
    """The strings of the apps' code and their templates, in lower case, as one text."""
    strings = [
        node.value
        for name, file in sources().items()
        if name.split(".")[0] in APPS
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    pages = [page.read_text() for app in APPS for page in (ROOT / app).rglob("*.html")]
    return _flat("\n".join(strings + pages))


def _flat(text):
    return re.sub(r"\s+", " ", text).replace("’", "'").lower()


@cache
def names_in(file):
    """The names a module defines or imports, and its classes' members."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ClassDef):
            members = {name for each in node.body for name in _defined(each)}
            found |= {node.name, *(f"{node.name}.{member}" for member in members)}
        else:
            found |= _defined(node)
    return found


def _defined(node):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return {target.id for target in targets if isinstance(target, ast.Name)}


@cache
def permissions():
    """Every permission, like “orders.move_track”."""
    found = set()
    for model in apps.get_models():
        meta = model._meta
        codes = [code for code, _ in meta.permissions]
        codes += [f"{action}_{meta.model_name}" for action in meta.default_permissions]
        found |= {f"{meta.app_label}.{code}" for code in codes}
    return found


def is_path(said):
    top, slash, rest = said.partition("/")
    # A leading dot means a generated folder, not part of the project.
    is_folder = bool(slash and top) and top[0] != "." and (not rest or (ROOT / top).is_dir())
    return bool(_PATH.fullmatch(said)) and (is_folder or bool(_FILE.fullmatch(said)))


def find_path(said):
    """The file or folder; a bare name may be anywhere. None if there is none."""
    if (ROOT / said).exists():
        return ROOT / said
    files = list(sources().values())
    places = [file.parent for file in files] if said.endswith("/") else files
    return next((place for place in places if place.name == said.rstrip("/")), None)


def is_defined(dotted):
    """Whether a dotted name is a module of the project, a member of one, or a permission."""
    parts = dotted.split(".")
    modules = [name for name in sources() if parts[0] in {name.split(".")[0], name.split(".")[-1]}]
    if parts[0] in OURS:
        if dotted in permissions() or dotted in sources():
            return True
        modules = [".".join(parts[:length]) for length in range(1, len(parts))]
        rest = {module: ".".join(parts[module.count(".") + 1 :]) for module in modules}
    else:
        rest = dict.fromkeys(modules, ".".join(parts[1:]))
    return any(
        name in names_in(sources()[module]) for module, name in rest.items() if module in sources()
    )


def is_ours(dotted):
    """Whether a dotted name begins with a folder or a module of the project."""
    first = dotted.split(".")[0]
    return first in OURS or any(name.split(".")[-1] == first for name in sources())


def missing_in(item):
    """Names in backticks in a paragraph, item or row that do not exist."""
    place = None
    for said in _CODE.findall(item):
        call = _CALL.fullmatch(said)
        name = call[1] if call else said
        if not call and is_path(said):
            place = find_path(said)
            if place is None:
                yield said
        elif _DOTTED.fullmatch(name) and is_ours(name):
            if not is_defined(name):
                yield said
        elif call:
            files = [file for file in sources().values() if place is None or _is_in(file, place)]
            if not any(name in names_in(file) for file in files):
                yield f"{said} in {place.relative_to(ROOT)}" if place else said
        elif _CONSTANT.fullmatch(name) and name not in words():
            yield said


def _is_in(file, place):
    return file == place or place in file.parents


def quotes_of_nothing_in(prose):
    """Quoted labels and sentences that the shop does not show."""
    quotes = [_flat(quoted or italic) for quoted, italic in _QUOTE.findall(prose)]
    others = {_flat(quote) for quote in _WORDS_OF_OTHERS}
    return [
        quote for quote in quotes if quote not in others and quote.rstrip(".,") not in shown_texts()
    ]


def broken_links_in(text, folder):
    """Links to missing files, and to missing headings."""
    for target, anchor in _LINK.findall(text):
        file = (folder / target).resolve() if target else None
        there = file is None or file.exists()
        page = (text if file is None else file.read_text()) if anchor and there else ""
        if not there or (anchor and anchor not in _anchors(page)):
            yield f"{target}#{anchor}" if anchor else target


def _anchors(page):
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_everything_a_page_names_exists(page):
    prose = _FENCED.sub("", page.read_text())

    assert [said for item in _ITEM.split(prose) for said in missing_in(item)] == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_text_a_page_quotes_is_shown_somewhere(page):
    prose = _CODE.sub("", _FENCED.sub("", page.read_text()))

    assert quotes_of_nothing_in(prose) == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page):
    assert list(broken_links_in(page.read_text(), page.parent)) == []


def test_every_package_is_on_the_map():
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = [
        f"{room.parent.relative_to(ROOT)}/"
        for app in APPS
        for room in (ROOT / app).rglob("__init__.py")
        if room.parent.name not in {"migrations", "management", "commands", "templatetags"}
    ]

    assert [room for room in rooms if f"`{room}`" not in page] == []


def test_every_queue_of_the_console_is_explained():
    page = (ROOT / "docs/night.md").read_text().partition("\n## The console\n")[2]
    rows = {row.lower() for row in re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)}

    assert [queue.title for queue in QUEUES if queue.title.lower() not in rows] == []


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("See `payments/doors/`.", "payments/doors/"),
        ("See `payments/settlement.py`.", "payments/settlement.py"),
        ("See `letters.py`.", "letters.py"),
        ("See `doors/`.", "doors/"),
        ("See `orders.messages.tell`.", "orders.messages.tell"),
        ("See `ledger.post_owed_back()`.", "ledger.post_owed_back()"),
        ("See `orders.move_tracks`.", "orders.move_tracks"),
        ("See `owe_back()`.", "owe_back()"),
        ("See `NO_SUCH_LIMIT`.", "NO_SUCH_LIMIT"),
        ("`products/stock.py`: `place_order()`", "place_order() in products/stock.py"),
    ],
)
def test_a_missing_name_is_found(item, said):
    assert list(missing_in(item)) == [said]


@pytest.mark.parametrize(
    "item",
    [
        "`products/stock.py`: `hold()`; `orders/`: `CashoutInput` and `place_order()`",
        "`orders.move_track`, `payments.clock.run_periodic()`, `ledger.post()`, `stock.py`",
        "`POST /safwebhook/`, `payment_status`, `application/json`, `make run`, `.env.example`",
    ],
)
def test_an_existing_name_is_accepted(item):
    assert list(missing_in(item)) == []


def test_a_quote_of_a_text_that_is_shown_nowhere_is_found():
    text = "On *Pick-up points*, press *Resume outgoing\npayments*, or “Let them\nsing again”."

    assert quotes_of_nothing_in(text) == ["let them sing again"]


def test_a_broken_link_is_found():
    text = "# A b\n[one](no.md) [two](#a-b) [three](#c) [four](README.md#limits) [five](README.md)"

    assert list(broken_links_in(text, ROOT)) == ["no.md", "#c", "README.md#limits"]
