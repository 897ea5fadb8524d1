"""The shipped settings of nginx and Caddy in front of a study; only names and ports are changed."""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest
from postgres import free_port

NAME = "study.example.org"
# Debian's nginx.conf around a site, with one worker in place of one a core.
FRAME = """
daemon off; error_log stderr; pid {folder}/nginx.pid; worker_processes 1;
events {{ worker_connections 768; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{site}
}}
"""
# What Caddy needs to keep its certificates in a folder and to itself.
ALONE = """{{
	admin off
	http_port {port}
	skip_install_trust
	auto_https disable_redirects
	storage file_system {folder}
}}
"""


def exchanged(text: str, **changes: str) -> str:
    """Return settings with other words; each has to stand in them."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def program(name: str) -> str:
    """Return the path of a program; the test is skipped where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        pytest.skip(f"no {name} on this machine")
    return found


@contextmanager
def nginx_with(folder: Path, site: str, port: int) -> Iterator[None]:
    """Have nginx run with a site until it is left."""
    command = [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    (folder / "nginx.conf").write_text(FRAME.format(folder=folder, site=site))
    with running(command, port, folder / "nginx.log"):
        yield


@contextmanager
def running(command: list[str], port: int, log: Path, **environment: str) -> Iterator[None]:
    """Have a program run that listens at a port."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        for _ in range(600):  # a minute: the machine may be busy
            assert process.poll() is None, log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise AssertionError(log.read_text())
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def nginx_in_front(root: Path, folder: Path, server_port: int) -> Iterator[int]:
    """Give the port of nginx with `docs/hosting/nginx.conf`, over TLS, before a server."""
    folder.mkdir()
    port, plain = free_port(), free_port()
    key, certificate = make_certificate(folder)
    site = exchanged(
        (root / "docs/hosting/nginx.conf").read_text(),
        **{
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(certificate),
            f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(key),
            NAME: "localhost",
            "127.0.0.1:8501": f"127.0.0.1:{server_port}",
        },
    )
    with nginx_with(folder, site, port):
        yield port


@contextmanager
def caddy_in_front(root: Path, folder: Path, server_port: int) -> Iterator[int]:
    """Give the port of Caddy with `docs/hosting/Caddyfile`, over TLS, before a server."""
    folder.mkdir()
    port, http = free_port(), free_port()
    site = exchanged(
        (root / "docs/hosting/Caddyfile").read_text(),
        **{NAME: f"localhost:{port}", "127.0.0.1:8501": f"127.0.0.1:{server_port}"},
    )
    (folder / "Caddyfile").write_text(ALONE.format(folder=folder, port=http) + site)
    command = [
        program("caddy"),
        "run",
        "--config",
        str(folder / "Caddyfile"),
        "--adapter",
        "caddyfile",
    ]
    with running(
        command, port, folder / "caddy.log", HOME=str(folder), XDG_CONFIG_HOME=str(folder)
    ):
        has_certificate(port)
        yield port


def has_certificate(port: int) -> None:
    """Wait until Caddy has made itself a certificate."""
    for _ in range(100):
        with suppress(ssl.SSLError), socket.create_connection(("127.0.0.1", port)) as plain:
            with trusting().wrap_socket(plain, server_hostname="localhost"):
                return
        time.sleep(0.1)
    raise AssertionError("Caddy has no certificate")


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return the files of a key and a certificate of localhost."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-days", "1", "-nodes", "-newkey", "ec"]
    curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = [program("openssl"), "req", "-x509", *subject, *curve, *files]
    subprocess.run(command, check=True, capture_output=True)
    return key, certificate


@cache
def trusting() -> ssl.SSLContext:
    """Return settings that take any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
