"""Measures how soon the storefront's pages are visible: the second half of ``make bench``.

The demo shop, with its pictures, is served as in production, and opened in Chromium
(``storefront/scripts/lcp.mjs``) emulating a cheap phone with a slow connection. Times are only
printed, because they depend on the machine. Lighthouse scores below 100 fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import urlopen

from payments.demo.processes import free_port

from .processes import running
from .shop import SETTINGS, a_secret_key

STOREFRONT = Path(__file__).parents[2] / "storefront"
CHROMIUM = Path("/usr/bin/chromium")


def main() -> None:
    if not CHROMIUM.exists():
        raise SystemExit(
            "The pages are not measured: this needs Chromium (apt-get install chromium)."
        )
    with tempfile.TemporaryDirectory(prefix="omache-pages-") as folder:
        shop = {
            **os.environ,
            "OMACHE_ENV_FILE": os.devnull,
            "DATABASE_URL": f"sqlite:///{folder}/shop.sqlite3",
            "MEDIA_ROOT": f"{folder}/media",
            "STATIC_ROOT": f"{folder}/static",
        }
        for command in (["migrate"], ["demo", "--without-story"]):
            _manage(shop, *command)
        os.environ.update(SETTINGS | shop | {"DJANGO_SECRET_KEY": a_secret_key()})
        _manage(dict(os.environ), "collectstatic", "--no-input")
        port = free_port()
        server = ["-m", "gunicorn", "tools.bench.pages:application()", "-b", f"127.0.0.1:{port}"]
        with running([*server, "--threads", "4"], port=port):
            _look(f"http://127.0.0.1:{port}")


def application():  # type: ignore[no-untyped-def]
    """The shop including its pictures, which a proxy serves in production."""
    from whitenoise import WhiteNoise  # type: ignore[import-untyped]

    from omachemainproj.wsgi import application as shop

    return WhiteNoise(shop, root=os.environ["MEDIA_ROOT"], prefix="media/", max_age=31536000)


def _manage(environment: dict[str, str], *command: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command, "--verbosity", "0"],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _look(base: str) -> None:
    with urlopen(f"{base}/product/kitchen/?fields=id,thumbnail") as answer:  # noqa: S310 - our own
        product = next(row["id"] for row in json.load(answer) if row["thumbnail"])
    pages = ["/shop/", "/shop/category/kitchen", f"/shop/product/{product}"]
    node = shutil.which("node") or "node"
    for script in ("lcp.mjs", "lighthouse.mjs"):
        subprocess.run([node, f"scripts/{script}", base, *pages], cwd=STOREFRONT, check=True)


if __name__ == "__main__":
    main()
