"""The Prometheus alert rules: their metrics exist, and each has a page in the docs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from payments.watch.alerts import KINDS

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "prometheus" / "alerts.yaml"
NIGHT = ROOT / "docs" / "night.md"
RULES = [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]
METRIC = re.compile(r"omache_[a-z_]+")


@pytest.fixture
def metrics():
    """Names in docs/metrics.md, as Prometheus sees them."""
    page = (ROOT / "docs" / "metrics.md").read_text()
    return set(re.findall(r"^\| `(omache_[a-z_]+)`", page, re.MULTILINE))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_what_an_alert_asks_for_is_described(rule, metrics):
    asked = {name.removesuffix("_bucket") for name in METRIC.findall(rule["expr"])}

    assert asked - metrics == set()


@pytest.mark.django_db
def test_every_metric_is_described_and_every_one_described_is_there(client, metrics):
    from payments.models import NightlyProof

    NightlyProof.objects.create(
        night="2026-11-29", digest="", rules=0, ended_at="2026-11-29T00:00:00Z"
    )
    text = client.get("/metrics/").content.decode()

    assert (
        set(re.findall(r"^# TYPE (omache_[a-z_]+)", text, re.MULTILINE))
        | {
            # Where a broker answers.
            "omache_broker_tasks"
        }
        == metrics
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_named_as_its_page(rule):
    assert rule["annotations"]["runbook"] == f"docs/night.md#{rule['alert']}"


def test_whatever_the_shop_tells_of_by_mail_prometheus_alerts_of_too():
    assert {kind.name for kind in KINDS} - {rule["alert"] for rule in RULES} == set()


def test_every_page_is_there():
    headings = re.findall(r"^## (.+)$", NIGHT.read_text(), re.MULTILINE)
    pages = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert {rule["alert"] for rule in RULES} - pages == set()


PROMTOOL = shutil.which("promtool")


@pytest.mark.skipif(PROMTOOL is None, reason="Prometheus is not installed")
def test_prometheus_takes_the_file():
    done = subprocess.run(
        [PROMTOOL, "check", "rules", str(FILE)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
