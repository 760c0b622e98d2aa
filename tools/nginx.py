"""Debian's nginx, configured from deploy/nginx/omache.conf for other ports and another folder."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SAMPLE = Path(__file__).parents[1] / "deploy" / "nginx" / "omache.conf"


def command() -> str | None:
    """The program's path; Debian installs it outside an ordinary user's PATH."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def write_certificate(folder: Path) -> None:
    """Write a self-signed certificate for ``localhost``, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "fullchain.pem").write_bytes(made.public_bytes(pem))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "privkey.pem").write_bytes(key.private_bytes(pem, *plain))


def write_configuration(folder: Path, *, http: int, https: int, web: int) -> Path:
    """Write the sample with these ports and this folder, in a minimal nginx configuration."""
    site = moved(
        SAMPLE.read_text(),
        {
            "server_name shop.example.co.ke;": "server_name localhost;",
            "listen 80": f"listen {http}",
            "listen [::]:80": f"listen [::]:{http}",
            "listen 443": f"listen {https}",
            "listen [::]:443": f"listen [::]:{https}",
            "127.0.0.1:8000": f"127.0.0.1:{web}",
            "/etc/omache/tls/": f"{folder}/",
            "/var/lib/omache": str(folder),
            "/var/log/nginx/": f"{folder}/",
        },
    )
    # 768 connections per worker is Debian's default.
    whole = f"""
        {"user root;" if os.geteuid() == 0 else ""}
        worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log info;
        events {{ worker_connections 768; }}
        http {{
            include /etc/nginx/mime.types; default_type application/octet-stream;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxied;
            fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
            gzip on;
            {site}
        }}
    """
    configuration = folder / "nginx.conf"
    configuration.write_text(whole)
    return configuration


def moved(text: str, places: dict[str, str]) -> str:
    """Replace each of these strings in the sample; all must be present."""
    for old, new in places.items():
        assert old in text, f"the sample no longer says {old}"
        text = text.replace(old, new)
    return text
