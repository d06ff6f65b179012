"""Downloads against a server of our own on 127.0.0.1; nothing here goes out."""

import dataclasses
import gzip
import hashlib
import http.server
import io
import lzma
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import InputError
from shared.data import fetch
from shared.data.catalogue import CATALOGUE, Resource, check

CONTENT = b"Some text.\nAnother line.\n" * 9000  # more than one chunk


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.files`; a path that begins with /broken/ ends in its middle, /missing answers 404."""

    def do_GET(self):
        self.server.asked.append(self.path)
        body = self.server.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        if not self.path.startswith("/unsized/"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path.startswith("/broken/") else body)

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.files, server.asked = {}, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def homes(tmp_path, monkeypatch):
    """Empty folders for $GALLERY_DATA and $KERAS_HOME."""
    monkeypatch.setenv("GALLERY_DATA", str(tmp_path / "gallery"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


def resource(url="http://127.0.0.1:9/text.txt", content=CONTENT, **changes):
    known = Resource(
        name="a text",
        url=url,
        sha256=hashlib.sha256(content).hexdigest(),
        licence="none",
        bytes=len(content),
        local="texts/text.txt.gz",
    )
    return dataclasses.replace(known, **changes)


def put(path, raw):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return path


def files_below(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def tarred(name, content):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zipped(name, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def test_a_downloaded_file_is_kept_and_not_downloaded_again(server, homes):
    server.files["/text.txt"] = CONTENT
    wanted = resource(server.url + "/text.txt")
    assert fetch.fetch(wanted) == CONTENT
    assert fetch.fetch(wanted) == CONTENT
    assert server.asked == ["/text.txt"]
    assert files_below(homes) == ["keras/datasets/texts/text.txt"]


def test_a_file_of_unknown_size_is_downloaded(server, homes):
    server.files["/unsized/text.txt"] = CONTENT
    assert fetch.fetch(resource(server.url + "/unsized/text.txt")) == CONTENT


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
def test_a_compressed_download_is_checked_by_its_content(server, homes, compress):
    server.files["/text.bin?download=1"] = compress(CONTENT)
    assert fetch.fetch(resource(server.url + "/text.bin?download=1")) == CONTENT
    assert files_below(homes) == ["keras/datasets/texts/text.bin"]


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lzma.compress])
def test_one_file_is_taken_out_of_an_archive(server, homes, compress):
    server.files["/all.tgz"] = compress(tarred("./folder/text.txt", CONTENT))
    wanted = resource(server.url + "/all.tgz", member="./folder/text.txt")
    assert fetch.fetch(wanted) == CONTENT


class Pip:
    """Stands for `subprocess`: a pip that finds this file, or says this."""

    def __init__(self, content=None, error=""):
        self.content, self.error, self.commands = content, error, []

    def run(self, command, **options):
        self.commands.append(command)
        if self.content is not None:
            Path(command[command.index("--dest") + 1], "toy-1.0.tar.gz").write_bytes(self.content)
        return subprocess.CompletedProcess(command, int(self.content is None), stdout="", stderr=self.error)


def test_a_file_in_the_source_archive_of_a_package_is_fetched_by_pip_once(homes, monkeypatch):
    pip = Pip(gzip.compress(tarred("toy-1.0/text.txt", CONTENT)))
    monkeypatch.setattr(fetch, "subprocess", pip)
    wanted = resource("pip:toy==1.0", member="toy-1.0/text.txt")
    assert fetch.fetch(wanted) == fetch.fetch(wanted) == CONTENT
    assert len(pip.commands) == 1 and pip.commands[0][-1] == "toy==1.0" and "--no-deps" in pip.commands[0]
    assert (homes / "keras/datasets/texts/toy-1.0.tar.gz").exists()


def test_what_pip_says_is_passed_on_and_nothing_is_kept(homes, monkeypatch):
    monkeypatch.setattr(fetch, "subprocess", Pip(error="WARNING: slow\nERROR: No matching distribution\nmore"))
    with pytest.raises(InputError, match=r"pip:toy==1.0: ERROR: No matching distribution\. .*toy-1.0.tar.gz"):
        fetch.fetch(resource("pip:toy==1.0", member="toy-1.0/text.txt"))
    assert not list((homes / "keras/datasets/texts").iterdir())


@pytest.mark.parametrize("nested", [False, True])
def test_one_file_is_taken_out_of_a_zip_also_of_one_within_it(server, homes, nested):
    raw = zipped("train/text.txt", CONTENT)
    server.files["/all.zip"] = zipped("all/train.zip", raw) if nested else raw
    wanted = resource(server.url + "/all.zip", member="train/text.txt")
    assert fetch.fetch(wanted) == CONTENT
    with pytest.raises(InputError, match="an archive without the file other.txt"):
        fetch.fetch(dataclasses.replace(wanted, member="other.txt"))


def test_all_files_of_a_pattern_are_joined_in_the_order_of_their_names(server, homes):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in {
            "set/2.txt": b"two",
            "set/1.txt": b"one",
            "other/0.txt": b"none",
            "set/3.csv": b"3",
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    server.files["/all.tgz"] = gzip.compress(buffer.getvalue())
    wanted = resource(server.url + "/all.tgz", b"onetwo", member="set/*.txt")
    assert fetch.fetch(wanted) == b"onetwo"
    with pytest.raises(InputError, match=r"an archive without the file sets/\*\.txt"):
        fetch.fetch(dataclasses.replace(wanted, member="sets/*.txt"))


def test_an_archive_without_the_file_is_refused_and_not_kept(server, homes):
    server.files["/all.tar"] = tarred("other.txt", CONTENT)
    with pytest.raises(InputError, match=r"an archive without the file text\.txt"):
        fetch.fetch(resource(server.url + "/all.tar", member="text.txt"))
    assert files_below(homes) == []


def test_gallery_data_comes_first_then_keras_home_then_the_network(server, homes):
    wanted = resource(server.url + "/text.txt")
    server.files["/text.txt"] = CONTENT
    in_keras = put(homes / "keras/datasets/texts/text.txt", CONTENT)
    assert fetch.find(wanted) == in_keras
    in_gallery = put(homes / "gallery/texts/text.txt.gz", gzip.compress(CONTENT))
    assert fetch.find(wanted) == in_gallery
    assert fetch.fetch(wanted) == CONTENT
    assert server.asked == []


def test_keras_home_is_in_the_home_folder_unless_it_is_set(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    assert fetch.keras_home() == tmp_path / ".keras"
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "other"))
    assert fetch.keras_home() == tmp_path / "other"


def test_a_wrong_hash_names_file_expected_and_found(homes):
    path = put(homes / "gallery/texts/text.txt", b"other")
    wanted = resource()
    with pytest.raises(InputError) as error:
        fetch.fetch(wanted)
    for part in (str(path), wanted.sha256, hashlib.sha256(b"other").hexdigest(), "5 bytes"):
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_a_wrong_file_that_lay_there_is_never_deleted(server, homes):
    server.files["/text.txt"] = CONTENT
    path = put(homes / "keras/datasets/texts/text.txt", b"the user's own")
    with pytest.raises(InputError):
        fetch.fetch(resource(server.url + "/text.txt"))
    assert path.read_bytes() == b"the user's own"
    assert server.asked == []


def test_a_wrong_download_is_not_kept(server, homes):
    server.files["/text.txt"] = b"an error page"
    with pytest.raises(InputError, match=r"text\.txt is not a text: expected sha256 .* found .*13 bytes"):
        fetch.fetch(resource(server.url + "/text.txt"))
    assert files_below(homes) == []


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
@pytest.mark.parametrize("cut", [20, 60])
def test_a_damaged_compressed_file_is_named_and_stays(homes, compress, cut):
    raw = compress(CONTENT)
    path = put(homes / "gallery/texts/text.txt.gz", raw[:-cut])
    with pytest.raises(InputError, match="damaged") as error:
        fetch.fetch(resource())
    assert str(path) in str(error.value)
    assert path.exists()


def test_a_broken_connection_leaves_no_half_file(server, homes):
    server.files["/broken/text.txt"] = CONTENT
    with pytest.raises(InputError, match=f"broke after {len(CONTENT) // 2} of {len(CONTENT)} bytes"):
        fetch.fetch(resource(server.url + "/broken/text.txt"))
    assert files_below(homes) == []


def test_an_interrupt_in_the_middle_leaves_no_half_file(server, homes, monkeypatch):
    server.files["/text.txt"] = CONTENT
    whole = fetch._chunks

    def interrupted(*args):
        yield next(whole(*args))
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch, "_chunks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(resource(server.url + "/text.txt"))
    assert files_below(homes) == []


def test_a_missing_page_gives_the_servers_answer_and_the_way_by_hand(server, homes):
    url = server.url + "/missing.txt"
    with pytest.raises(InputError, match="404") as error:
        fetch.fetch(resource(url))
    assert url in str(error.value)
    assert f"put the file missing.txt into {homes / 'keras/datasets/texts'} by hand" in str(error.value)


def test_the_file_put_by_hand_where_the_message_says_is_found(server, homes):
    wanted = resource(server.url + "/missing.txt")
    with pytest.raises(InputError):
        fetch.fetch(wanted)
    put(homes / "keras/datasets/texts/missing.txt", CONTENT)
    assert fetch.fetch(wanted) == CONTENT


def test_without_a_server_the_error_is_one_line_with_url_and_folder(homes):
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    wanted = resource(f"http://127.0.0.1:{port}/text.txt")
    with pytest.raises(InputError) as error:
        fetch.fetch(wanted)
    message = str(error.value)
    assert wanted.url in message and str(homes / "keras/datasets/texts") in message
    assert "\n" not in message
    assert files_below(homes) == []


def test_a_folder_that_cannot_be_made_is_said_so_before_anything_is_downloaded(server, homes):
    server.files["/text.txt"] = CONTENT
    put(homes / "keras", b"a file, not a folder")
    with pytest.raises(InputError, match="Cannot write a text to .* KERAS_HOME"):
        fetch.fetch(resource(server.url + "/text.txt"))
    assert server.asked == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_write_permission_is_said_so(server, homes):
    server.files["/text.txt"] = CONTENT
    (homes / "keras").mkdir(mode=0o500)
    with pytest.raises(InputError, match="Permission denied"):
        fetch.fetch(resource(server.url + "/text.txt"))


def test_a_full_disk_is_said_so_and_leaves_no_half_file(server, homes):
    """In a process of its own that may write files of 64 KiB at most: the third chunk does not fit."""
    server.files["/text.txt"] = CONTENT
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))\n"
        "from shared import InputError\n"
        "from shared.data.catalogue import Resource\n"
        "from shared.data.fetch import fetch\n"
        "try: fetch(Resource('a text', sys.argv[1], '0' * 64, '', 0, 'texts/text.txt'))\n"
        "except InputError as error: print(error)\n"
    )
    command = [sys.executable, "-B", "-c", code, server.url + "/text.txt"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("Cannot write a text to ") and "File too large" in said
    assert files_below(homes) == []


@given(st.binary(max_size=2000), st.sampled_from([bytes, gzip.compress, lzma.compress]))
def test_any_content_comes_back_from_any_packing(content, compress):
    if content.startswith((b"\x1f\x8b", b"\xfd7zXZ\x00")):
        return  # looks packed itself
    assert fetch._content(compress(content), None) == content
    assert fetch._content(compress(tarred("a", content)), "a") == content


@pytest.mark.parametrize("source", ["", "atiss", "no/where.csv"])
def test_data_that_names_nothing_is_refused_with_what_can_be_named(source):
    with pytest.raises(
        InputError, match=f"--data: expected builtin, atis, or a file; received {source or chr(39) * 2}"
    ):
        check(source, ("atis",), "or a file")


def test_every_catalogue_entry_is_complete():
    for resources in CATALOGUE.values():
        for entry in resources:
            assert entry.url.startswith(("http", fetch.PIP)) and entry.licence and len(entry.sha256) == 64
    everywhere = [(entry.local, entry.member) for resources in CATALOGUE.values() for entry in resources]
    assert len(set(everywhere)) == len(everywhere)


@pytest.mark.data
@pytest.mark.parametrize("name", ["tinyshakespeare", "ptb", "tweeteval", "mr_polarity", "physionet2012", "pbc2"])
def test_the_real_files_have_the_hash_and_size_of_the_catalogue(name, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for entry in CATALOGUE[name]:
        content = fetch.fetch(entry)
        assert len(content) == entry.bytes
        assert hashlib.sha256(content).hexdigest() == entry.sha256
    assert files_below(tmp_path) == []
