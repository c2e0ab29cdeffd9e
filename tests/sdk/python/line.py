"""A line between an SDK and the sandbox that does to calls what networks do."""

import http.client
import http.server
import json
import select
import socket
import threading
import urllib.parse

from sandbox import GUARD_S, Sandbox

BUSY = {"RequestId": "00000000-0000-4000-8000-000000000000", "Code": "ServiceUnavailable", "Message": "Not now."}


class Line:
    """An HTTP server that hands calls on. Of each, the next word of `plan` says what becomes of it.

    `lose`: it arrives, its answer does not. `twice`: it arrives twice, as it is, and the second answer
    comes back. `change`: something in it is another when it arrives. `busy`: whoever stands in between
    answers 503. Afterwards, and by CONNECT, everything passes.
    """

    def __init__(self, sandbox: Sandbox):
        self.plan: list[str] = []
        self.seen: list[dict[str, str]] = []
        self.target = urllib.parse.urlsplit(sandbox.endpoint(tls=False))
        line = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                line.serve(self)

            do_GET = do_POST

            def do_CONNECT(self):
                line.tunnel(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve(self, call: http.server.BaseHTTPRequestHandler):
        what = self.plan.pop(0) if self.plan else "pass"
        self.seen.append({name.lower(): value for name, value in call.headers.items()})
        body = call.rfile.read(int(call.headers.get("Content-Length", 0)))
        call.close_connection = True
        if what == "busy":
            return self.answer(call, 503, [("Content-Type", "application/json")], json.dumps(BUSY).encode())
        path = call.path.replace("Username=root", "Username=toor") if what == "change" else call.path
        for _ in range(2 if what == "twice" else 1):
            status, headers, answer = self.pass_on(call, path, body)
        if what != "lose":
            self.answer(call, status, headers, answer)

    def pass_on(self, call, path: str, body: bytes):
        onward = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=GUARD_S)
        try:
            onward.putrequest(call.command, path, skip_host=True, skip_accept_encoding=True)
            for name, value in call.headers.items():
                onward.putheader(name, value)
            onward.endheaders(body)
            answer = onward.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            onward.close()

    @staticmethod
    def answer(call, status: int, headers, body: bytes):
        call.send_response_only(status)
        for name, value in headers:
            if name.lower() != "content-length":
                call.send_header(name, value)
        call.send_header("Content-Length", str(len(body)))
        call.end_headers()
        call.wfile.write(body)

    def tunnel(self, call: http.server.BaseHTTPRequestHandler):
        """Whatever name is asked for leads to the sandbox."""
        call.close_connection = True
        with socket.create_connection((self.target.hostname, self.target.port), GUARD_S) as onward:
            call.send_response_only(200)
            call.end_headers()
            ways = {call.connection: onward, onward: call.connection}
            while True:
                ready, _, _ = select.select(list(ways), [], [], GUARD_S)
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    ways[end].sendall(data)
                if not ready:
                    return
