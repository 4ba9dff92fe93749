"""Compares this package's cache with that of Python's huggingface_hub, both ways, by hand.

    pip install huggingface_hub==2.4.0
    python python_cache.py serve 8901 &               # a tiny model, served as the hub does
    export HF_ENDPOINT=http://127.0.0.1:8901
    HF_HUB_CACHE=/tmp/py python python_cache.py fetch # writes a cache with Python and prints it
    HF_HUB_CACHE=/tmp/go python python_cache.py read  # reads, offline, a cache that Fetch has written

cache_test.go holds what the second command prints, and fetch_test.go what Fetch must write for the third to pass.
"""

import hashlib
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODEL, COMMIT = "owner/tiny-vit", "1" * 40
FILES = {
    "config.json": b'{"model_type": "vit"}',
    "model.safetensors": b"weights " * (3 << 17),
}


class Hub(BaseHTTPRequestHandler):
    def do_HEAD(self):
        name = self.path.rsplit("/", 1)[1].split("?")[0]
        content = FILES.get(name)
        if content is None:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        if name.endswith(".safetensors") and not self.path.startswith("/store/"):
            self.send_response(302)
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Linked-Size", str(len(content)))
            # Another host, in the eyes of a client.
            self.send_header("Location", f"http://localhost:{self.server.server_port}/store/{name}?signature=1")
            content = b""
        else:
            self.send_response(200)
            self.send_header("ETag", '"' + hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() + '"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def do_GET(self):
        content = self.do_HEAD()
        if content:
            self.wfile.write(content)


def main():
    if sys.argv[1] == "serve":
        ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Hub).serve_forever()
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    offline = sys.argv[1] == "read"
    for revision in "main", COMMIT:
        for name, content in FILES.items():
            path = hf_hub_download(MODEL, name, revision=revision, local_files_only=offline)
            assert Path(path).read_bytes() == content, name
    if not offline:
        try:
            hf_hub_download(MODEL, "preprocessor_config.json")
        except EntryNotFoundError:
            pass
    root = Path(os.environ["HF_HUB_CACHE"])
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            print(path.relative_to(root), "->", os.readlink(path))
        elif path.is_file():
            print(path.relative_to(root), path.read_bytes()[:60])


main()
