"""What a served run answers and refuses: a fake predictor behind a server in a thread of this process."""

import contextlib
import dataclasses
import io
import json
import socket
import sys
import threading
import time
from unittest import mock

import pytest

from shared import InputError, cli, endpoints, serve, settings
from shared.endpoints import OBJECT, TEXT, Endpoint, answer_line, answered, answers, binary, content, dumps
from shared.serve import Server, Serving
from shared.settings import Count
from tests.serving import ask, served


@dataclasses.dataclass(frozen=True)
class Loudness:
    times: Count = 1

    def __post_init__(self):
        settings.check(self)


def shout(texts, times):
    if "bug" in texts:
        raise KeyError("bug")
    if "" in texts:
        raise InputError("Expected a text.\nReceived an empty one.")
    return [{"text": text, "shout": text.upper() * times} for text in texts]


def measured(paths):
    if any(path.stat().st_size > 9 for path in paths):
        raise InputError(f"{paths[-1]}, line 3: expected a short file")
    return [{"size": path.stat().st_size} for path in paths]


SHOUT = Endpoint(shout, TEXT, {"inputs": ["it's"]}, Loudness())
MEASURE = Endpoint(measured, content("a CSV file", ".csv"), {"inputs": ["a,b\n1,2\n"]})
WEIGH = Endpoint(measured, binary("a recording", ".wav"), {"inputs": ["AAAA"]})
ALL = {"predict": SHOUT, "measure": MEASURE, "weigh": WEIGH}


@pytest.fixture(scope="module")
def server():
    with served(ALL) as started:
        yield started


def sent(server, raw):
    """The whole answer to bytes of our own; the client sends no more, but stays."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as connection:
        connection.sendall(raw)
        found = b""
        while part := connection.recv(2**16):
            found += part
        return found.decode()


def request(*inputs, **options):
    return json.dumps({"inputs": list(inputs), **options})


# What is answered


def test_each_input_of_a_request_gets_an_answer_in_its_order(server):
    status, headers, found = ask(server, body=request("a", "été", times=2))
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert found == {"answers": [{"text": "a", "shout": "AA"}, {"text": "été", "shout": "ÉTÉÉTÉ"}]}


def test_a_file_is_sent_as_its_content_and_is_gone_after_the_answer(server):
    seen = []

    def kept(paths):
        seen.extend(paths)
        return [path.read_text() for path in paths]

    read = dataclasses.replace(MEASURE, answer=kept)
    assert answers(read, request("a\r\nb", "c").encode()) == ["a\r\nb".replace("\r\n", "\n"), "c"]
    assert [path.name for path in seen] == ["input1.csv", "input2.csv"] and not any(path.exists() for path in seen)
    assert ask(server, page="/weigh", body=request("AAAA"))[2] == {"answers": [{"size": 3}]}


def test_the_error_of_a_file_names_the_input_and_no_path_of_the_server(server):
    status, _, found = ask(server, page="/measure", body=request("short", "much too long"))
    assert (status, found) == (400, {"error": "input2.csv, line 3: expected a short file"})


def test_the_first_page_leads_to_the_documentation_which_has_every_endpoint_and_a_command_that_works(server):
    status, headers, _ = ask(server, "GET", "/")
    assert (status, headers["Location"]) == (302, "/docs")
    status, headers, page = ask(server, "GET", "/docs")
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    assert all(f"POST /{verb}\n" in page for verb in ALL) and "times: optional; by default 1" in page
    assert f"""curl -d '{{"inputs": ["it'"'"'s"]}}' http://127.0.0.1:{server.server_port}/predict""" in page
    assert "413" in page and "16,777,216 bytes" in page
    for verb, endpoint in ALL.items():
        assert ask(server, page=f"/{verb}", body=dumps(endpoint.example))[0] == 200


def test_the_documentation_shows_an_answer_to_the_example(tmp_path):
    shown = answered({"predict": SHOUT})
    assert shown.startswith("\nAn answer of /predict to the example:\n  {") and '"shout": "IT\'S"' in shown
    (tmp_path / "example.csv").write_text("1\n")
    assert '{"size": 2}' in answered({"measure": dataclasses.replace(MEASURE, example=tmp_path / "example.csv")})
    assert answered({"measure": dataclasses.replace(MEASURE, example=tmp_path / "gone.csv")}) == ""


def test_two_clients_at_once_are_answered_one_after_the_other():
    inside, most, both = [], [], threading.Barrier(2, timeout=30)

    def slowly(texts):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return texts

    def client(number):
        both.wait()
        found[number] = [ask(server, body=request(f"{number}-{n}"))[2] for n in range(3)]

    found = {}
    with served({"predict": Endpoint(slowly, TEXT, {})}) as server:
        clients = [threading.Thread(target=client, args=[number]) for number in range(2)]
        for each in clients:
            each.start()
        for each in clients:
            each.join()
    assert found == {number: [{"answers": [f"{number}-{n}"]} for n in range(3)] for number in range(2)}
    assert set(most) == {1} and len(server.took) == 6


# What is refused


@pytest.mark.parametrize(
    "body, said",
    [
        ("", "Expected a JSON object"),
        ("{", "Expected a JSON object"),
        (b"\xff\xfe", "Expected a JSON object"),
        ("[1]", "Expected a JSON object. Received: [1]"),
        ("[" * 100_000, "Expected a JSON object"),
        ('{"inputs": ["a"], "times": NaN}', "NaN is not JSON"),
        ("{}", "Expected a list of 1 to 1,000 inputs, called inputs. Received: none"),
        (request(), "Received: 0"),
        (request(*"a" * 1001), "Received: 1,001"),
        ('{"inputs": "a"}', 'Received: "a"'),
        (request(7), "inputs: expected texts; received 7"),
        (request("\ud800"), "inputs: expected texts"),
        (request("a", times="2"), "times: expected a whole number; received '2'"),
        (request("a", times=0), "times: expected at least 1; received 0"),
        (request("a", self=1), "Expected no options but times. Received: 'self'"),
        (request(""), "Expected a text. Received an empty one."),
    ],
)
def test_what_is_no_request_gets_one_line(server, body, said):
    status, _, found = ask(server, body=body)
    assert status == 400 and set(found) == {"error"}
    assert said in found["error"] and "\n" not in found["error"]


def test_content_that_is_not_base64_and_options_of_a_verb_without_them_are_refused(server):
    assert "expected base64" in ask(server, page="/weigh", body=request("?"))[2]["error"]
    status, _, found = ask(server, page="/weigh", body=request("AAAA", beam=2))
    assert (status, found["error"]) == (400, 'Expected nothing besides inputs. Received: "beam"')


@pytest.mark.parametrize(
    "method, page, status", [("POST", "/nowhere", 404), ("GET", "/predict/x", 404), ("GET", "/predict", 405),
                             ("POST", "/docs", 405), ("DELETE", "/predict", 405), ("POST", "/", 405)]
)  # fmt: skip
def test_other_pages_and_methods_are_refused(server, method, page, status):
    found, headers, answer = ask(server, method, page, body="{}" if method == "POST" else None)
    assert found == status and set(answer) == {"error"}
    assert status == 404 or headers["Allow"] == ("GET" if page in ("/", "/docs") else "POST")


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Host": "localhost.evil.example"}, {"Host": ""},
     {"Host": "[::1"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)  # fmt: skip
def test_a_request_of_a_page_of_another_host_is_refused(server, headers):
    assert ask(server, body=request("a"), **headers)[0] == 403
    assert ask(server, "GET", "/docs", body=None, **headers)[0] == 403


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]", "[::1]:8080"])
def test_the_loopback_address_may_be_called_by_each_of_its_names(server, name):
    assert ask(server, body=request("a"), Host=name, Origin=f"http://{name}")[0] == 200


def test_a_request_without_a_host_or_with_two_is_refused(server):
    assert " 403 " in sent(server, b"GET /docs HTTP/1.0\r\n\r\n")
    assert " 403 " in sent(server, b"GET /docs HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server):
    most = serve.MOST_BYTES
    status, _, found = ask(server, body=b" " * (most + 1))
    assert status == 413 and f"at most {most:,} bytes" in found["error"]
    assert ask(server, body=request("a").ljust(most))[0] == 200


@pytest.mark.parametrize(
    "headers, status",
    [("", 411), ("Content-Length: many\r\n", 400), ("Content-Length: -1\r\n", 400),
     ("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", 411)],
)  # fmt: skip
def test_a_body_of_unknown_length_is_refused(headers, status):
    with served(ALL, slow_s=0.3) as server:
        found = sent(server, f"POST /predict HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
    assert found.startswith(f"HTTP/1.0 {status} ") and '{"error": ' in found


def test_a_client_that_does_not_send_what_it_promised_is_not_waited_for():
    begun = b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
    with served(ALL, slow_s=0.1) as server:
        found = sent(server, begun + b"Content-Length: 9\r\n\r\n{}")
        assert " 408 " in found and "Expected 9 bytes within 0.1 seconds" in found
        assert " 200 " not in sent(server, begun + b"Content-Le")
        assert sent(server, b"") == ""


def test_what_is_no_http_is_refused_in_json(server):
    assert '{"error": "Bad request' in sent(server, b"GET /docs HTTP/one\r\n\r\n")
    assert '{"error": ' in sent(server, b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_more_requests_than_there_is_room_for_are_refused(server):
    with mock.patch.object(server, "room", threading.BoundedSemaphore(1)):
        assert server.room.acquire(blocking=False)
        status, _, found = ask(server, body=request("a"))
        server.room.release()
    assert status == 503 and "Ask again later" in found["error"]


def test_a_bug_is_printed_and_does_not_end_the_server(server, capsys):
    assert ask(server, body=request("bug"))[0] == 500
    assert "KeyError: 'bug'" in capsys.readouterr().err
    assert ask(server, body=request("a"))[0] == 200


def test_an_address_that_was_asked_for_may_be_named(server):
    assert server.accepts("127.0.0.1:80") and not server.accepts("example.org")
    with mock.patch.object(server, "host", "Example.org"):
        assert server.accepts("example.org:80") and not server.accepts("example.com")
    with mock.patch.object(server, "host", "0.0.0.0"):
        assert server.accepts("10.0.0.7:80")


# The command


def run(options, stdin=b""):
    """What `serve.run` prints on standard output and on standard error."""
    out, err, typed = io.StringIO(), io.StringIO(), io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    with (
        mock.patch.object(sys, "stdin", typed),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        serve.run(ALL, options, "a run", lambda: print("warm", file=sys.stderr))
    return out.getvalue(), err.getvalue()


def test_each_line_is_answered_by_the_first_endpoint():
    out, err = run(Serving(), b"a\n\nb\n")
    assert [line and json.loads(line) for line in out.splitlines()] == [
        {"text": "a", "shout": "A"}, "", {"text": "b", "shout": "B"}]  # fmt: skip
    assert err.startswith("warm\nReady: enter a text on each line") and "2 answered" in err


def test_a_line_that_is_not_utf_8_is_refused_and_the_next_one_is_answered():
    out, err = run(Serving(), b"caf\xe9\nb\n")
    assert out.splitlines() == ["", '{"text": "b", "shout": "B"}']
    assert "Standard input, line 1: Expected UTF-8 text. Received bytes that are no character in it: 'caf\ufffd'" in err
    assert "1 answered" in err


def test_a_line_is_a_path_or_an_object_where_the_input_is_one(tmp_path):
    (tmp_path / "a.csv").write_text("1\n")
    assert answer_line(MEASURE, str(tmp_path / "a.csv")) == {"size": 2}
    told = Endpoint(lambda inputs: inputs, OBJECT, {})
    assert answer_line(told, '{"a": [1]}') == {"a": [1]}
    assert answers(told, request({"a": 1}).encode()) == [{"a": 1}]
    for wrong in (lambda: answer_line(told, "a"), lambda: answers(told, request("a").encode())):
        with pytest.raises(InputError, match="JSON object"):
            wrong()


def test_ctrl_c_ends_a_server_that_says_first_that_it_is_ready_and_warm():
    with mock.patch.object(Server, "serve_forever", side_effect=KeyboardInterrupt):
        out, err = run(Serving(http=free_port()))
        assert out == "" and err.startswith("warm\nReady: http://127.0.0.1:") and "/docs" in err
        assert "without a password" not in err
        assert "without a password" in run(Serving(http=free_port(), host="0.0.0.0"))[1]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def test_a_port_that_is_in_use_and_an_address_that_is_none_are_refused_in_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.guarded(lambda: Server({}, port)) == 2
    said = capsys.readouterr().err
    assert f"cannot listen on port {port} of 127.0.0.1" in said and said.count("\n") == 1
    for host in ("host.invalid", "a..b"):
        with pytest.raises(InputError, match="cannot listen"):
            Server({}, 1, host)


@pytest.mark.parametrize("wrong", [{"http": 0}, {"http": 70_000}, {"http": "8080"}, {"host": "0.0.0.0"}])
def test_options_that_cannot_be_are_refused(wrong):
    with pytest.raises(InputError):
        Serving(**wrong)


def test_only_the_predictor_is_loaded_by_name():
    with pytest.raises(AttributeError, match="'apps.toy' has no attribute 'nothing'"):
        cli.predictor("apps.toy", "nothing")
    assert endpoints.parsed(b'{"a": 1}') == {"a": 1}
