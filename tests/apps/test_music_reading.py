"""Music composition reads files of music at the pitches, onsets and lengths that they sound with, and writes them so.

A line of music is spelled here as pitches and lengths in quarters: "60 62:2 r:1/2" is C4, then D4 for two quarters,
then a rest. It is derived by hand from the notation, and gives the onsets too: each entry begins where the last ends.
"""

import io
import struct
import zipfile
from fractions import Fraction

import numpy as np
import pytest

from apps.music_composition import output
from apps.music_composition.midi import paired
from apps.music_composition.piece import key_name, make, pitch_name
from apps.music_composition.repeats import Marks, order, sign_of, signed
from apps.music_composition.sources import abc_tunes, read_file
from shared import InputError

STEPS = 12  # frames a quarter: thirds and sixteenths are exact
HEAD = "X:1\nM:4/4\nL:1/4\n"


def heard(piece, voice=0):
    """A voice as the lines of music here are spelled; a tied note is one."""
    lengths = [(pitch, Fraction(end - start, piece.steps)) for start, end, pitch in output.notes(piece, voice)]
    while lengths and not lengths[-1][0]:
        lengths.pop()
    return " ".join(f"{pitch or 'r'}" + (f":{length}" if length != 1 else "") for pitch, length in lengths)


def abc(text, voice=0):
    """What is heard of the one tune of an ABC text."""
    (piece,) = abc_tunes(text, "x", STEPS)
    return heard(piece, voice)


ABC = {
    "an accidental holds for its bar and no longer": ("K:C\n^F F F F|F4|", "66 66 66 66 65:4"),
    "an accidental holds in all octaves": ("K:C\n^F f F, F|f4|", "66 78 54 66 77:4"),
    "a natural cancels until the bar line": ("K:D\n=F F ^F F|F4|", "65 65 66 66 66:4"),
    "a double flat holds, and a natural cancels it": ("K:C\n__B B =B B|", "69 69 71 71"),
    "an accidental in a grace note holds": ("K:C\n{^f}g f g f|f4|", "79 78 79 78 77:4"),
    "a tied note keeps its accidental over the bar line": ("K:C\nG3 ^F-|F G F2|", "67:3 66:2 67 65:2"),
    "a key within a line counts from there": ("K:C\nF F [K:D] F F|C4|", "65 65 66 66 61:4"),
    "a key on a line of its own counts from there": ("K:C\nF4|\nK:G\nF4|", "65:4 66:4"),
    "a key may add accidentals": ("K:D exp _b ^f\nF B c f|", "66 70 72 78"),
    "bagpipes sound in D": ("K:HP\nF C G A|", "66 61 67 69"),
    "modes have their signatures": ("K:Ador\nF4|\nK:Bb phr\nE4|\nK:F#m\nD4|", "66:4 63:4 62:4"),
    "an octave clef sounds an octave lower": ("K:C clef=treble-8\nC E G c|", "48 52 55 60"),
    "a transposition is sounded": ("K:C transpose=-2\nC D E F|", "58 60 62 63"),
    "a unit length within a line counts from there": ("K:C\nC C [L:1/8] C2 C2|", "60 60 60 60"),
    "a metre within a line moves no note": ("K:C\nC4|[M:3/4] D3|E3|", "60:4 62:3 64:3"),
    "a rest of two bars lasts two bars": ("K:C\nC4|Z2|D4|", "60:4 r:8 62:4"),
    "an invisible rest is a rest, and space is none": ("K:C\nC x D y2 E|X|F4|", "60 r 62 64 r:4 65:4"),
    "a note after the letter of a fermata is itself": ("K:C\nHF G TA uB|", "65 67 69 71"),
    "an old decoration is no note": ("K:C\n+fermata+C D E F|", "60 62 64 65"),
    "a broken rhythm dots and halves": ("K:C\nC>D E<F|C>>D E2|", "60:3/2 62:1/2 64:1/2 65:3/2 60:7/4 62:1/4 64:2"),
    "a triplet has the time of two": ("K:C\n(3CDE F2|(3:2:2C2D2 G|", "60:2/3 62:2/3 64:2/3 65:2 60:4/3 62:4/3 67"),
    "a tuplet goes on over a bar line": ("K:C\nz3 (3C|D E z2|", "r:3 60:2/3 62:2/3 64:2/3"),
    "grace notes have no length": ("K:C\n{g}C {/ab}D {c2d2}E F|", "60 62 64 65"),
    "ties join, slurs do not": ("K:C\nC-C (D E)|E-|E4|", "60:2 62 64 64:5"),
    "lengths are fractions of the unit": ("K:C\nC/ D// E3/2 F/4 G/2|", "60:1/2 62:1/4 64:3/2 65:1/4 67:1/2"),
    "a chord lasts as long as its first note": ("K:C\n[C2E]2|", "64:4"),
    "a repeat is played twice": ("K:C\n|:C2 D2:|E4|]", "60:2 62:2 60:2 62:2 64:4"),
    "a repeat without a beginning goes back to the start": ("K:C\nC4:|D4|]", "60:4 60:4 62:4"),
    "one sign ends a repeat and begins the next": ("K:C\n|:C4::D4:|", "60:4 60:4 62:4 62:4"),
    "each turn has its ending": ("K:C\n|:C4|1 D4:|2 E4|]", "60:4 62:4 60:4 64:4"),
    "endings in brackets are endings": ("K:C\n|:C4|[1,2 D4:|[3 E4|]", "60:4 62:4 60:4 62:4 60:4 64:4"),
    "what follows the endings begins anew": ("K:C\nC4|1 D4:|2 E4||F4:|", "60:4 62:4 60:4 64:4 65:4 65:4"),
    "da capo al fine": ('K:C\nC4|!fine!D4|E4"D.C. al Fine"|', "60:4 62:4 64:4 60:4 62:4"),
    "dal segno al coda": ("K:C\nC4|SD4 O|E4!D.S.alcoda!|OF4|", "60:4 62:4 64:4 62:4 65:4"),
    "a letter before a repeat sign is a note": ("K:C\nC4|\nG4:|\nG:|\n", "60:4 67:4 60:4 67:4 67 67"),
    "words under the notes are no notes": ("K:C\nC D E F|\nw:A B C D\n%%MIDI gchord c\nG4|", "60 62 64 65 67:4"),
    "how far an accidental holds can be said": ("I:propagate-accidentals octave\nK:C\n^F f F2|", "66 77 66:2"),
    "an overlay sounds together with its bar": ("K:C\nc2 d2 & C4|e4|", "72:2 74:2 76:4"),
}


@pytest.mark.parametrize("case", ABC)
def test_abc_sounds_as_the_standard_says(case):
    text, sound = ABC[case]
    assert abc(HEAD + text + "\n") == sound, case


def test_the_header_of_an_abc_file_holds_for_its_tunes_and_a_byte_order_mark_loses_nothing(tmp_path):
    path = tmp_path / "two.abc"
    path.write_bytes("\ufeffL:1/4\nM:3/4\n\nX:1\nT:é\nK:G\nF3|\n\nA B C free text\n\nX:2\nL:1/8\nK:C\nF6|\n".encode())
    one, two = read_file(path, STEPS)
    assert heard(one) == "66:3" and heard(two) == "65:3"
    assert set(one.bar) == set(two.bar) == {36} and one.name.endswith("é")
    path.write_bytes(b"\xef\xbb\xbfX:1\nM:2/4\nL:1/4\nK:D\nF2|\n")
    (only,) = read_file(path, STEPS)
    assert heard(only) == "66:2"


def test_without_a_unit_length_the_first_metre_says_it_and_a_later_one_does_not():
    assert abc("X:1\nM:3/4\nK:C\nC6|\nM:2/4\nD4|\n") == "60:3 62:2"
    assert abc("X:1\nM:2/4\nK:C\nC8|\nM:3/4\nD12|\n") == "60:2 62:3"
    assert abc("X:1\nK:C\nC8|\n") == "60:4"


@pytest.mark.parametrize(
    "body",
    (
        "[V:1] c4|d4|\n[V:2] C2 D2|E4|\n",
        "[V:1] c4|\n[V:2] C2 D2|\n[V:1] d4|\n[V:2] E4|\n",
        "V:1\nc4|d4|\nV:2\nC2 D2|E4|\n",
    ),
)
def test_the_voices_of_abc_sound_together_however_they_are_interleaved(body):
    (piece,) = abc_tunes(HEAD + "V:1\nV:2 clef=bass\nK:C\n" + body, "x", STEPS)
    assert heard(piece, 0) == "72:4 74:4" and heard(piece, 3) == "60:2 62:2 64:4"


def test_each_voice_of_abc_has_its_own_accidentals_key_and_transposition():
    text = HEAD + "V:1\nV:2 octave=-1 transpose=-2\nK:C\n[V:1] ^f4|f4|\n[V:2] [K:D] F4|F4|\n"
    (piece,) = abc_tunes(text, "x", STEPS)
    assert heard(piece, 0) == "78:4 77:4" and heard(piece, 3) == "52:4 52:4"


def test_a_repeat_in_one_voice_repeats_all():
    (piece,) = abc_tunes(HEAD + "V:1\nV:2\nK:C\n[V:1] c4:|d4|\n[V:2] C4|D4|\n", "x", STEPS)
    assert heard(piece, 0) == "72:4 72:4 74:4" and heard(piece, 3) == "60:4 60:4 62:4"


def test_chord_symbols_of_abc_have_flats_diminished_kinds_and_silence():
    symbols = '"Eb7"c "Gd"c "D/f+"c "N.C."c|"Bb"c "slowly""Fadd"c "Am""F"c2|'
    (piece,) = abc_tunes(HEAD + "K:C\n" + symbols + "\n", "x", STEPS)
    roots = "51 55 50 r 58:2 57:2"  # the bass after a slash is left out; of two symbols the first is played
    assert (heard(piece, 3), heard(piece, 2)) == (roots, "55 58 54 r 62:2 60:2")
    assert heard(piece, 1) == "61 61 57 r 65:2 64:2"


@pytest.mark.parametrize(
    "body, reason",
    (
        ("K:Q\nC4|", "line 4: K:Q, which is not a key"),
        ("K:Eblues\nC4|", "line 4: K:Eblues, which is not a key"),
        ("L:1/x\nK:C\nC4|", "line 4: L:1/x"),
        ("M:3\nK:C\nC4|", "line 4: M:3, which is not a metre"),
        ("K:C\nC4|\n+CEG+ c|", "line 6: '+CEG+ c|'"),
        ("K:C\nC4|D0/0|", "line 5: 0/0 after a note"),
        ("m:~G2={A}G2\nK:C\nG4|", "line 4: a macro"),
        ("K:C\nC4 (& D4 &)|", "line 5: '& D4"),
        ("K:C\nC4|1-999999999 D4|", "line 5: an ending 1-999999999, where numbers up to 99 are read"),
        ("K:C\nC4|[" + 5000 * "1" + " D4|", "line 5: an ending 111111111111, where"),
    ),
)
def test_abc_that_would_be_read_wrong_is_refused_with_its_line(body, reason):
    with pytest.raises(InputError) as refused:
        abc_tunes(HEAD + body + "\n", "x", STEPS)
    assert reason in str(refused.value)


def played(spec):
    """The bars of a line such as "|:A B:|/1 C/2" in the order they are played; "!word" is over the end of a bar."""
    bars, signs = [], []
    for number, word in enumerate(spec.split()):
        bar, *over = word.split("!")
        bar, _, endings = bar.partition("/")
        times = bar.partition(":|")[2]
        bars.append(Marks(bar.startswith("|:"), int(times or 2) if ":|" in bar else 0, tuple(map(int, endings))))
        signs += [s for text in over for s in sign_of(text.lstrip("@"), number, text.startswith("@"))]
    letters = [word.strip("|:")[0] for word in spec.split()]
    return "".join(letters[number] for number in order(signed(bars, signs)))


@pytest.mark.parametrize(
    "spec, sound",
    (
        ("A |:B C:| D", "ABCBCD"),
        ("|:A:|3 B", "AAAB"),
        ("A B:| C D:|", "ABABCDCD"),  # the second repeat goes back to the end of the first
        ("|:A B |:C D:| E", "ABCDCDE"),  # the first one has no end
        ("|:A B/1 C:|/1 D/2 E/2 F", "ABCADEF"),
        ("|:A B:|/1 C:|/2 D", "ABACD"),
        ("|:A B:|/12 C/3 D", "ABABACD"),
        ("A B:|/1 C D", "ABACD"),
        ("|:A B:|/1 C/2 D E:|/1 F/2", "ABACDEDF"),
        ("A B!fine C D!dcalfine", "ABCDAB"),
        ("A B!@segno C!fine D!dsalfine", "ABCDBC"),
        ("A B!coda C!D.C.alcoda D!@coda E", "ABCABDE"),
        ("|:A B:|/1 C/2 D!dacapo E", "ABACDACDE"),  # after a jump no repeats, and the last ending
        ("A!ds B", "AB"),  # there is no sign to go to
    ),
)
def test_bars_are_played_in_the_order_of_their_repeat_signs(spec, sound):
    assert played(spec) == sound


B_FLAT = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
E_FLAT = "<transpose><diatonic>-5</diatonic><chromatic>-9</chromatic></transpose>"
DOUBLE_BASS = "<transpose><chromatic>0</chromatic><octave-change>-1</octave-change></transpose>"
REST = "<note><rest/><duration>16</duration></note>"


def note(step, octave, length=16, more="", first=""):
    """A note; 4 is a quarter."""
    alter = step[1:].count("#") - step[1:].count("b")
    pitch = f"<step>{step[0]}</step><alter>{alter}</alter><octave>{octave}</octave>"
    return f"<note>{first}<pitch>{pitch}</pitch><duration>{length}</duration>{more}</note>"


def first(more="", beats=4):
    """The attributes of a first bar."""
    time = f"<time><beats>{beats}</beats><beat-type>4</beat-type></time>"
    return f"<attributes><divisions>4</divisions>{time}{more}</attributes>"


def line(where, inside):
    return f'<barline location="{where}">{inside}</barline>'


def direction(words, sound=""):
    return f"<direction><direction-type>{words}</direction-type>{sound}</direction>"


def document(*parts, channel=""):
    """A score of parts, each a list of measures; the last part may be on a MIDI channel."""
    names = [f"P{number}" for number in range(len(parts))]
    midi = f'<midi-instrument id="I"><midi-channel>{channel}</midi-channel></midi-instrument>' if channel else ""
    listed = "".join(
        f'<score-part id="{name}"><part-name>{name}</part-name>{midi if name == names[-1] else ""}</score-part>'
        for name in names
    )
    body = "".join(
        f'<part id="{name}">'
        + "".join(f'<measure number="{n}">{measure}</measure>' for n, measure in enumerate(part, 1))
        + "</part>"
        for name, part in zip(names, parts, strict=True)
    )
    return f"<score-partwise><part-list>{listed}</part-list>{body}</score-partwise>"


def musicxml(tmp_path, text, name="a.musicxml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (piece,) = read_file(path, STEPS)
    return piece


C, D, E = note("C", 5), note("D", 5), note("E", 5)
TIE, TIED = '<tie type="start"/>', '<tie type="stop"/>'
CUE = note("D", 5, 8, first="<cue/>")
SLASH = note("B", 4, 8, "<notehead>slash</notehead>")
ENDING = ('<ending number="{0}" type="start"/>', '<ending number="{0}" type="stop"/>')
AGAIN, REPEAT = '<repeat direction="backward"/>', '<repeat direction="forward"/>'
MUSICXML = {
    "a clarinet in B flat sounds a tone lower": ([first(B_FLAT) + C, D], "70:4 72:4"),
    "a saxophone in E flat sounds a sixth lower": ([first(E_FLAT) + C], "63:4"),
    "a double bass sounds an octave lower": ([first(DOUBLE_BASS) + note("C", 3)], "36:4"),
    "an instrument that is changed sounds as it is": (
        [
            first(B_FLAT) + C,
            f"<attributes>{E_FLAT}</attributes>" + C,
            "<attributes><transpose><chromatic>0</chromatic></transpose></attributes>" + C,
        ],
        "70:4 63:4 72:4",
    ),
    "a voice that is filled up by <forward> lasts its bar": (
        [first() + note("C", 5, 8) + "<forward><duration>8</duration></forward>", D],
        "72:2 r:2 74:4",
    ),
    "cue notes and slashes are silent": (
        [first() + CUE + note("C", 5, 8), SLASH + note("D", 5, 8)],
        "r:2 72:2 r:2 74:2",
    ),
    "a note that is let ring is struck": (
        [first() + note("C", 5, 8) + note("C", 5, 8, '<tie type="let-ring"/>')],
        "72:2 72:2",
    ),
    "a tied note is one": ([first() + note("C#", 5, 16, TIE), note("C#", 5, 8, TIED) + note("C", 5, 8)], "73:6 72:2"),
    "grace notes have no length": (
        [first() + "<note><grace/><pitch><step>D</step><octave>5</octave></pitch></note>" + C],
        "72:4",
    ),
    "tuplets are exact": (
        [
            first().replace("<divisions>4", "<divisions>6")
            + note("C", 5, 4)
            + note("D", 5, 4)
            + note("E", 5, 4)
            + note("F", 5, 12)
        ],
        "72:2/3 74:2/3 76:2/3 77:2",
    ),
    "divisions may change": (
        [first() + C, "<attributes><divisions>8</divisions></attributes>" + note("D", 5, 32)],
        "72:4 74:4",
    ),
    "a repeat is played twice": (
        [first() + line("left", REPEAT) + C, D + line("right", AGAIN), E],
        "72:4 74:4 72:4 74:4 76:4",
    ),
    "a repeat may be played three times": (
        [first() + C + line("right", AGAIN.replace("/>", ' times="3"/>')), E],
        "72:4 72:4 72:4 76:4",
    ),
    "each turn has its ending": (
        [
            first() + C,
            line("left", ENDING[0].format("1")) + D + line("right", ENDING[1].format("1") + AGAIN),
            line("left", ENDING[0].format("2")) + E + line("right", ENDING[1].format("2")),
        ],
        "72:4 74:4 72:4 76:4",
    ),
    "an ending of several bars and turns": (
        [
            first() + C,
            line("left", ENDING[0].format("1, 2")) + D,
            E + line("right", ENDING[1].format("1, 2") + AGAIN),
            line("left", ENDING[0].format("3")) + C + line("right", ENDING[1].format("3")),
        ],
        "72:4 74:4 76:4 72:4 74:4 76:4 72:4 72:4",
    ),
    "da capo al fine in words": (
        [first() + C, D + direction("<words>Fine</words>"), E + direction("<words>D.C. al Fine</words>")],
        "72:4 74:4 76:4 72:4 74:4",
    ),
    "da capo as a sound only": (
        [first() + C, D + '<sound fine="yes"/>', E + '<sound dacapo="yes"/>'],
        "72:4 74:4 76:4 72:4 74:4",
    ),
    "dal segno al coda": (
        [
            first() + C,
            direction("<segno/>") + D + direction("<words>To Coda</words>", '<sound tocoda="1"/>'),
            E + direction("<words>D.S. al Coda</words>", '<sound dalsegno="1"/>'),
            direction("<coda/>", '<sound coda="1"/>') + C,
        ],
        "72:4 74:4 76:4 74:4 72:4",
    ),
}


@pytest.mark.parametrize("case", MUSICXML)
def test_musicxml_sounds_as_it_is_played(tmp_path, case):
    measures, sound = MUSICXML[case]
    assert heard(musicxml(tmp_path, document(measures))) == sound, case


def test_a_transposed_part_and_its_chord_symbols_agree_with_one_at_concert_pitch(tmp_path):
    symbol = "<harmony><root><root-step>D</root-step></root><kind>major</kind></harmony>"
    alone = musicxml(tmp_path, document([first(B_FLAT) + symbol + D]))
    assert [heard(alone, voice) for voice in range(4)] == ["72:4", "55:4", "52:4", "48:4"]  # C over a chord of C
    both = musicxml(tmp_path, document([first(B_FLAT) + D], [first() + note("C", 4)]))
    assert heard(both, 0) == "72:4" and heard(both, 3) == "60:4"


def test_no_chord_ends_a_chord_symbol(tmp_path):
    symbol = "<harmony><root><root-step>D</root-step></root><kind>{}</kind></harmony>"
    piece = musicxml(tmp_path, document([first() + symbol.format("major") + C, symbol.format("none") + D]))
    assert heard(piece, 3) == "50:4"


def test_a_bar_begins_in_all_parts_together_though_one_of_them_is_short(tmp_path):
    piece = musicxml(tmp_path, document([first() + note("C", 5, 8), D], [first() + note("C", 4), note("D", 4)]))
    assert heard(piece, 0) == "72:2 r:2 74:4" and heard(piece, 3) == "60:4 62:4"


def test_of_a_chord_only_the_tied_note_is_held(tmp_path):
    chord = note("C", 5, 16, "{0}") + note("E", 5, 16, first="<chord/>")
    piece = musicxml(tmp_path, document([first() + chord.format(TIE), chord.format(TIED)]))
    assert heard(piece, 0) == "76:4 76:4" and heard(piece, 3) == "72:8"


def test_a_repeat_in_one_part_repeats_all_with_their_upbeat(tmp_path):
    upper = [first() + note("G", 5, 4), C, note("D", 5, 12) + line("right", AGAIN), E]
    lower = [first() + note("G", 4, 4), note("C", 4), note("D", 4, 12), note("E", 4)]
    piece = musicxml(tmp_path, document(upper, lower))
    assert heard(piece, 0) == "79 72:4 74:3 79 72:4 74:3 76:4" and heard(piece, 3) == "67 60:4 62:3 67 60:4 62:3 64:4"
    assert piece.position[::STEPS].tolist()[:10] == [36, 0, 12, 24, 36, 0, 12, 24, 36, 0]


def test_drums_of_musicxml_are_left_out(tmp_path):
    piece = musicxml(tmp_path, document([first() + C], [first() + note("C", 3)], channel="10"))
    assert [heard(piece, voice) for voice in range(4)] == ["72:4", "", "", ""]


def test_musicxml_may_be_compressed_or_in_another_encoding_or_with_a_namespace(tmp_path):
    text = document([first(B_FLAT) + C])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "META-INF/container.xml", '<container><rootfiles><rootfile full-path="s.xml"/></rootfiles></container>'
        )
        archive.writestr("s.xml", text)
    files = (
        packed.getvalue(),
        ('<?xml version="1.0" encoding="UTF-16"?>' + text).encode("utf-16"),
        text.replace("<score-partwise>", '<score-partwise xmlns="http://example.org/x">'),
    )
    for content in files:
        assert heard(musicxml(tmp_path, content, "a.mxl")) == "70:4"


@pytest.mark.parametrize(
    "measures, reason",
    (
        (
            [first() + "<note><pitch><step>C</step><octave>5</octave></pitch></note>"],
            "bar 1: <note> without a <duration>",
        ),
        ([C], "bar 1: a <duration> before any <divisions>"),
        (
            [
                first() + C,
                "<attributes><measure-style><measure-repeat type='start'>1</measure-repeat></measure-style>"
                "</attributes>" + REST,
            ],
            "bar 2: a sign that repeats the bar before",
        ),
        (
            [first() + note("C", 5, 8) + f"<attributes>{B_FLAT}</attributes>" + note("C", 5, 8)],
            "bar 1: a <transpose> after notes",
        ),
        ([first(B_FLAT.replace("<transpose>", "<transpose number='2'>")) + C], "bar 1: a <transpose> of one staff"),
        ([first() + note("C", 5, 8) + line("middle", AGAIN) + note("C", 5, 8)], "bar 1: a repeat sign within it"),
    ),
)
def test_musicxml_that_would_be_read_wrong_is_refused_with_its_bar(tmp_path, measures, reason):
    with pytest.raises(InputError) as refused:
        musicxml(tmp_path, document(measures))
    assert reason in str(refused.value) and "a.musicxml" in str(refused.value)


def number(value):
    """A variable-length number."""
    found = [value & 0x7F]
    while value := value >> 7:
        found.append(value & 0x7F | 0x80)
    return bytes(reversed(found))


def track(*events):
    """A track of (ticks since the last event, bytes); its end is added."""
    data = b"".join(number(ticks) + bytes(event) for ticks, event in events) + b"\0\xff\x2f\0"
    return b"MTrk" + struct.pack(">I", len(data)) + data


def file(*tracks, kind=1, quarter=96, count=None):
    return b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks) if count is None else count, quarter) + b"".join(tracks)


def on(pitch, channel=0, speed=80):
    return [0x90 | channel, pitch, speed]


def off(pitch, channel=0):
    return [0x80 | channel, pitch, 0]


def tempo(quarters):
    return b"\xff\x51\x03" + struct.pack(">I", round(60e6 / quarters))[1:]


PLAIN = ((0, on(60)), (96, off(60)), (0, on(62)), (96, off(62)))
KEY = b"\xff\x59\x02"
MIDI = {
    "an unknown key signature is passed over": (file(track((0, KEY + b"\x0b\x07"), *PLAIN)), "60 62"),
    "a key signature without its mode is passed over": (file(track((0, b"\xff\x59\x01\x02"), *PLAIN)), "60 62"),
    "an event of an unknown kind takes its time": (
        file(
            track(
                (0, on(60)), (96, b"\xff\x60\x01\x00"), (0, off(60)), (96, b"\xff\x60\x00"), (0, on(62)), (96, off(62))
            )
        ),
        "60 r 62",
    ),
    "an unended note lasts to the end": (
        file(track((0, on(60)), (96, off(60)), (0, on(62)), (96, [0xB0, 7, 100]))),
        "60 62",
    ),
    "a note that is struck again is ended by that": (file(track((0, on(60)), (96, on(60)), (96, off(60)))), "60 60"),
    "all notes off ends a note": (
        file(track((0, on(60)), (96, [0xB0, 123, 0]), (96, on(62)), (96, off(62)))),
        "60 r 62",
    ),
    "running status, a note on without speed ends": (
        file(track((0, on(60)), (96, [60, 0]), (0, [62, 80]), (96, [62, 0]))),
        "60 62",
    ),
    "running status goes on after a meta event": (
        file(track((0, on(60)), (96, [60, 0]), (0, b"\xff\x01\x01a"), (0, [62, 80]), (96, [62, 0]))),
        "60 62",
    ),
    "changes of tempo in any track move nothing": (
        file(
            track((0, tempo(60)), (48, tempo(111)), (71, tempo(333))),
            track((0, tempo(7)), (0, on(60)), (96, off(60)), (5, tempo(9)), (91, on(62)), (96, off(62))),
        ),
        "60 r 62",
    ),
    "format 0 is read": (file(track((0, tempo(90)), *PLAIN), kind=0), "60 62"),
    "drums are left out": (file(track((0, on(36, 9)), (48, off(36, 9)), (48, on(60)), (96, off(60)))), "r 60"),
    "a program that is changed does not divide a part": (
        file(track((0, [0xC0, 1]), *PLAIN, (0, [0xC0, 9]), (0, on(64)), (96, off(64)))),
        "60 62 64",
    ),
    "exclusive messages and chunks of other kinds are passed over": (
        file(b"XFIH\0\0\0\2ab", track((0, b"\xf0\x03\x7e\x01\xf7"), *PLAIN), count=1),
        "60 62",
    ),
    "a bend, a pedal and pressure move nothing": (
        file(track((0, [0xE0, 0, 64]), (0, [0xB0, 64, 127]), (0, [0xD0, 9]), *PLAIN)),
        "60 62",
    ),
}


@pytest.mark.parametrize("case", MIDI)
def test_midi_sounds_as_it_is_played(tmp_path, case):
    content, sound = MIDI[case]
    path = tmp_path / "a.mid"
    path.write_bytes(content)
    (piece,) = read_file(path, STEPS)
    assert heard(piece) == sound, case
    assert [heard(piece, voice) for voice in (1, 2, 3)] == [""] * 3


def test_the_channels_of_one_track_are_parts_and_a_time_signature_counts_in_any_track(tmp_path):
    notes = track((0, on(60, 1)), (0, on(48, 2)), (96, off(60, 1)), (0, on(64, 1)), (96, off(64, 1)), (96, off(48, 2)))
    path = tmp_path / "a.mid"
    path.write_bytes(file(track((0, tempo(90))), notes, track((0, b"\xff\x58\x04\x03\x02\x18\x08"))))
    (piece,) = read_file(path, STEPS)
    assert heard(piece, 0) == "60 64" and heard(piece, 3) == "48:3"
    assert set(piece.bar) == {36}


def test_a_first_bar_of_its_own_metre_is_an_upbeat(tmp_path):
    metre = (b"\xff\x58\x04\x01\x02\x18\x08", b"\xff\x58\x04\x04\x02\x18\x08")
    path = tmp_path / "a.mid"
    path.write_bytes(file(track((0, metre[0]), (0, on(60)), (96, off(60)), (0, metre[1]), (0, on(62)), (384, off(62)))))
    (piece,) = read_file(path, 1)
    assert piece.position.tolist() == [3, 0, 1, 2, 3] and set(piece.bar) == {4}


def test_two_voices_in_unison_end_as_they_began_and_a_key_that_is_struck_twice_ends_once():
    assert paired([(0, True), (2, True), (4, False), (6, False)], 9) == [(0, 4), (2, 6)]
    assert paired([(0, True), (2, True), (4, False)], 9) == [(0, 2), (2, 4)]
    assert paired([(0, False), (2, True)], 9) == [(2, 9)]


@pytest.mark.parametrize(
    "content, reason",
    (
        (file(track(*PLAIN))[:-9], "ends within a track"),
        (file(track(*PLAIN), count=2), "announces 2 tracks, it has 1"),
        (file(track(*PLAIN), kind=2), "of format 0 or 1 that counts in beats"),
        (file(track(*PLAIN), quarter=0xE728), "of format 0 or 1 that counts in beats"),
        (file(track(*PLAIN), quarter=0), "of format 0 or 1 that counts in beats"),
        (file(track((0, [60, 80]))), "an event of an unknown kind"),
        (file(track((0, b"\xff\x90\x02\x3c\x50"), *PLAIN)), "a meta event of an unknown kind"),
        (file(track((0, [0x90, 60, 200]))), "a value over 127"),
    ),
)
def test_midi_that_cannot_be_told_is_refused_with_the_reason(tmp_path, content, reason):
    path = tmp_path / "a.mid"
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_file(path, STEPS)
    assert reason in str(refused.value) and "a.mid" in str(refused.value)


def test_a_file_is_what_it_says_itself_whatever_its_name_ends_in(tmp_path):
    contents = {
        "midi": file(track(*PLAIN)),
        "xml": document([first() + C]).encode(),
        "abc": (HEAD + "K:C\nC4|\n").encode(),
    }
    sounds = {"midi": "60 62", "xml": "72:4", "abc": "60:4"}
    for kind, suffix in (
        ("midi", "abc"),
        ("midi", "xml"),
        ("xml", "mid"),
        ("xml", "abc"),
        ("xml", "mxl"),
        ("abc", "xml"),
    ):
        path = tmp_path / f"{kind}.{suffix}"
        path.write_bytes(contents[kind])
        (piece,) = read_file(path, STEPS)
        assert heard(piece) == sounds[kind], path.name
    (tmp_path / "other.mid").write_bytes(b"\x89PNG, say")
    with pytest.raises(InputError, match="neither MIDI nor MusicXML"):
        read_file(tmp_path / "other.mid", STEPS)


def test_the_last_note_falls_on_its_own_frame_though_the_piece_ends_between_two():
    (piece,) = abc_tunes("X:1\nM:none\nL:1/4\nK:C\nC D E/|\n", "x", 1)  # ends after two and a half frames
    assert piece.pitches[:, 0].tolist() == [60, 62, 64]


def test_repeats_without_end_are_refused(tmp_path):
    times = AGAIN.replace("/>", ' times="999999"/>')
    with pytest.raises(InputError, match="fewer than 20,000 bars"):
        musicxml(tmp_path, document([first() + C + line("right", times)]))


@pytest.mark.parametrize(
    "key, pitch, name",
    (
        (14, 61, "C#4"),  # the leading note of D minor
        (14, 70, "Bb4"),
        (14, 68, "G#4"),
        (19, 66, "F#4"),  # G minor
        (19, 61, "C#4"),
        (12, 71, "B4"),  # C minor
        (17, 64, "E4"),  # F minor
        (18, 65, "E#4"),  # F# minor
        (13, 60, "B#3"),  # C# minor: the octave is that of the letter
        (15, 71, "Cb5"),  # Eb minor
        (0, 68, "G#4"),
        (0, 70, "Bb4"),
        (5, 66, "F#4"),
        (1, 61, "Db4"),
        (0, 0, "-"),
    ),
)
def test_a_pitch_is_spelled_as_its_key_has_it(key, pitch, name):
    assert pitch_name(pitch, key) == name


def test_in_every_key_a_scale_is_spelled_with_each_letter_once_and_every_name_is_its_pitch():
    semitones = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    for key in range(24):
        tonic = key_name(key).split()[0]
        scale = (0, 2, 3, 5, 7, 8, 10) if key >= 12 else (0, 2, 4, 5, 7, 9, 11)
        names = [pitch_name(60 + key % 12 + step, key) for step in scale]
        assert sorted(name[0] for name in names) == list("ABCDEFG") and names[0][:-1] == tonic, names
        for pitch in range(21, 109):
            name = pitch_name(pitch, key)
            back = semitones[name[0]] + name.count("#") - name.count("b") + 12 * (int(name[-1]) + 1)
            assert back == pitch, (name, key)


def test_the_score_and_the_musicxml_of_d_minor_have_a_c_sharp():
    pitches = np.array([[74, 69, 65, 50], [73, 69, 64, 45], [74, 69, 65, 50], [74, 69, 65, 50]])
    piece = make("x", pitches, pitches > 0, 1, key=14)
    assert "C#5" in output.text(piece) and "Db" not in output.text(piece)
    xml = output.to_musicxml(piece, 90).decode()
    assert xml.count("<alter>1</alter>") == 1 and "<alter>-1</alter>" not in xml


@pytest.mark.parametrize("missing, bar, steps", ((6, 8, 2), (0, 7, 2), (10, 12, 2), (0, 14, 4)))
def test_written_files_have_the_upbeat_and_the_metre_of_the_piece(tmp_path, missing, bar, steps):
    random = np.random.default_rng(bar)
    time = 2 * bar - missing
    pitches = random.integers(0, 5, (time, 4)) + (65, 58, 52, 43)
    at = (np.arange(time) + missing) % bar
    piece = make("x", pitches, random.random((time, 4)) < 0.5, steps, position=at, bar=np.full(time, bar))
    files = (tmp_path / "out.mid", tmp_path / "out.musicxml")
    output.to_midi(piece, 90).write(str(files[0]))
    files[1].write_bytes(output.to_musicxml(piece, 90))
    for path in files:
        (back,) = read_file(path, steps)
        for field in ("pitches", "struck", "position", "bar"):
            np.testing.assert_array_equal(getattr(back, field), getattr(piece, field), f"{path.name} {field}")
