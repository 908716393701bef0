"""``python -m chassis.probe``: is the process of this container ready? The exit code says it, in words as well.

Asked every few seconds of every container: it imports nothing but the socket.
"""

import os
import socket
import sys

SECONDS = 4.0
QUESTION = b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n"


def main() -> int:
    port = int(os.environ.get("RELANCE_HTTP_PORT", "8000"))
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), SECONDS) as asked:
            asked.sendall(QUESTION)
            while block := asked.recv(65536):
                answer += block
    except OSError as silent:
        sys.stdout.write(f"no answer on port {port}: {silent}\n")
        return 1
    head, _, body = answer.partition(b"\r\n\r\n")
    sys.stdout.write(body.decode(errors="replace"))
    return 0 if b" 200 " in head.partition(b"\r\n")[0] else 1


if __name__ == "__main__":
    sys.exit(main())
