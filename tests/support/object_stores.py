"""Stores on this machine: S3 by moto, Google's by what gcsfs asks of one, https by plain files."""

import http.server
import json
import os
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

LOCK = threading.Lock()
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret-of-nobody"}


@contextmanager
def s3_server(bucket: str = "bucket") -> Iterator[dict[str, str]]:
    """Give the environment that reaches a server of S3 with one bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        found = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
        _client(found | KEYS).create_bucket(Bucket=bucket)
        yield found | KEYS
    finally:
        server.stop()


def s3_objects(environment: dict[str, str], bucket: str = "bucket") -> dict[str, bytes]:
    """Return what a bucket holds."""
    client = _client(environment)
    names = s3_names(environment, bucket)
    return {name: client.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}


def s3_names(environment: dict[str, str], bucket: str = "bucket") -> list[str]:
    """Return the names of what a bucket holds."""
    pages = _client(environment).get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


def _client(environment: dict[str, str]) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def files_server(folder: Path) -> Iterator[str]:
    """Give the address of a plain server of the files in a folder."""
    with _running(partial(_Quiet, directory=str(folder))) as port:
        yield f"http://127.0.0.1:{port}"


class _Google(_Quiet):
    """Google's JSON API for one bucket, as far as gcsfs asks for it."""

    objects: dict[str, bytes]
    stamps: dict[str, int]

    def do_GET(self) -> None:
        """Answer what is in the bucket, about an object, or with its content."""
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        above, _, rest = url.path.partition("/o/")
        name = urllib.parse.unquote(rest)
        if name and name not in self.objects:
            self.say({"error": {"message": "Not Found", "code": 404}}, 404)
        elif name:
            media = query.get("alt") == "media" or "/download/" in above
            self.raw(self.objects[name]) if media else self.say(self.about(name))
        elif above.endswith("/o"):
            start = query.get("prefix", "")
            self.say(
                {"items": [self.about(o) for o in sorted(self.objects) if o.startswith(start)]}
            )
        else:
            self.say({"name": "bucket", "location": "here"})

    def do_POST(self) -> None:
        """Take an object, sent with what is said of it as two parts of one body."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mark = self.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
        about, data = (_below(part) for part in body.split(b"--" + mark)[1:3])
        name = json.loads(about)["name"]
        with LOCK:
            if query.get("ifGenerationMatch") == "0" and name in self.objects:
                return self.say({"error": {"message": "conditionNotMet", "code": 412}}, 412)
            self.objects[name] = data.removesuffix(b"\n").removesuffix(b"\r")
            self.stamps[name] = len(self.stamps) + self.stamps.get(name, 0) + 1
        return self.say(self.about(name))

    def do_DELETE(self) -> None:
        """Remove an object."""
        name = urllib.parse.unquote(self.path.partition("/o/")[2].partition("?")[0])
        self.raw(b"", 404 if self.objects.pop(name, None) is None else 204)

    def about(self, name: str) -> dict[str, str]:
        stamp = str(self.stamps.get(name, 0))
        return {
            "kind": "storage#object", "bucket": "bucket", "name": name, "generation": stamp,
            "size": str(len(self.objects[name])), "etag": stamp, "contentType": "text/plain",
            "updated": "2026-01-01T00:00:00.000Z", "timeCreated": "2026-01-01T00:00:00.000Z",
        }  # fmt: skip

    def say(self, value: object, code: int = 200) -> None:
        self.raw(json.dumps(value).encode(), code)

    def raw(self, data: bytes, code: int = 200) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _below(part: bytes) -> bytes:
    """Return what stands below the empty line of a part of a message."""
    mark = b"\r\n\r\n" if b"\r\n\r\n" in part else b"\n\n"
    return part.partition(mark)[2]


@contextmanager
def google_server(objects: dict[str, bytes]) -> Iterator[dict[str, str]]:
    """Give the environment that reaches a server of Google's API for one bucket.

    objects: by name; they change as they are written.
    """
    handler = type("Google", (_Google,), {"objects": objects, "stamps": {}})
    with _running(handler) as port:
        yield {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}", **_NO_GOOGLE}


_NO_GOOGLE = {"GOOGLE_CLOUD_PROJECT": "test", "NO_GCE_CHECK": "true"}


@contextmanager
def _running(handler: Any) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def environment(of: dict[str, str], cache: Path) -> dict[str, str]:
    """Return what a program needs to reach a store and keep its copies in `cache`."""
    return {**os.environ, **of, "DREAMIX_REMOTE_CACHE": str(cache)}
