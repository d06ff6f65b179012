"""A server of `shared.serve` in a thread of this process, and its clients."""

import contextlib
import http.client
import json
import threading

from shared.serve import Server


@contextlib.contextmanager
def served(verbs, **more):
    """A server at a free port, in a thread."""
    with Server(verbs, 0, **more) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server, method="POST", page="/predict", body="", **headers):
    """The status, the headers and the JSON value or text of an answer; headers are named as in Python."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, page, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, answer.headers, json.loads(text) if "json" in answer.headers["Content-Type"] else text
