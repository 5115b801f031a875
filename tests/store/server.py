"""An S3 server in a process of its own: the Delta library holds Python up while it waits for an answer."""

from __future__ import annotations

import sys


def serve() -> None:
    """Serve until standard input ends; the address goes to standard output."""
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    running.stop()


if __name__ == "__main__":
    serve()
