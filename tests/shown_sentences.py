"""Find the sentences the code can show to a buyer or a seller, by reading the code."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "products", "orders", "payments", "omachemainproj")
#: Code whose texts are for staff, programs or operators, or already in both languages.
ELSEWHERE = re.compile(
    # staff
    r"/(backoffice|admin|console|fulfilment_actions|actions|sections|product_page|refunds|evidence|doubt|receipt_queries|transaction_status|transfers"
    r"|delivery_fees|reconciliation"
    # programs
    r"|daraja|webhooks|report_view|reports|banks|strict_json|openapi|schema|error_schemas|form_bodies|description|documentation"
    # operators and developers
    r"|migrations|management|demo|proof|models|channels|postgresql|disbursement"
    r"|environment|env_file|settings|celery|wsgi|service_urls|database_urls|mail_urls|callback_addresses|append_only|caches"
    r"|compiled_queries|query_templates|queryset_sql|locking|background|watch|metrics|gunicorn_worker|to_support|startup_checks|picture_decoder"
    # in both languages already
    r"|templates|emails|failures|problem_words|words)(/|\.py$|_)"
)
#: Arguments of a call that are for someone else.
_NOT_SAID = {
    "extend_schema", "error_answer", "field_errors", "OpenApiExample", "OpenApiParameter",
    "OpenApiResponse", "info", "warning", "error", "exception", "AssertionError", "TypeError",
    "ValueError", "RuntimeError", "ImproperlyConfigured",
}  # fmt: skip
_NOT_SAID_AS = {
    "help_text", "description", "summary", "label", "verbose_name", "example", "example_sent",
}  # fmt: skip
_SENTENCE = re.compile(r"^[A-Z{“].* .*[.!?]$", re.DOTALL)
_PLACE = re.compile(r"\{[^{}]*\}|%\(\w+\)[sd]")


def plain(sentence: str) -> str:
    """A sentence with unnamed placeholders, as shared by code and catalogue."""
    return _PLACE.sub("{}", sentence)


def sentences_in_code() -> dict[str, str]:
    """Every sentence with unnamed placeholders, and where it occurs."""
    found = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            where = str(path.relative_to(ROOT))
            if not ELSEWHERE.search(f"/{where}"):
                for sentence, line in _sentences(path.read_text()):
                    found.setdefault(sentence, f"{where}:{line}")
    return found


def _sentences(source: str):
    tree = ast.parse(source)
    left_out = {id(node) for each in ast.walk(tree) for node in _left_out(each)}
    for node in ast.walk(tree):
        if id(node) not in left_out and (text := _text(node)) and _SENTENCE.match(text):
            yield text, node.lineno


def _left_out(node):
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
        first = node.body[0] if node.body else None
        return ast.walk(first) if isinstance(first, ast.Expr) else ()
    if _named(node) in _NOT_SAID_AS:
        return ast.walk(node.value)
    if isinstance(node, ast.Call):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        return ast.walk(node) if called in _NOT_SAID else ()
    if isinstance(node, ast.JoinedStr):
        return node.values
    if isinstance(node, ast.BinOp) and _text(node):
        return (node.left, node.right)
    return ()


def _named(node):
    """The name of the argument or annotated variable a value is assigned to."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return getattr(node.target, "id", None)
    return node.arg if isinstance(node, ast.keyword) else None


def _text(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return plain(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (
            plain(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values
        )
        return "".join(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return left + right if left and right else None
    return None
