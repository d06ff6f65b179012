"""Synthesises speech with eSpeak NG, in a separate process since its library is GPL-3.0-or-later and keeps state.

Standard input: a JSON list of [voice, words per minute, pitch, text]. Standard output: the sample rate (4 bytes), then
for each text the number of samples (4 bytes) and the 16-bit samples. Exit status 3: the package is not installed.
"""

import ctypes
import json
import sys

NOT_INSTALLED = 3
SYNCHRONOUS, RATE, PITCH, UTF8 = 2, 1, 3, 1
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main() -> int:
    """Reads the list, writes the synthesised speech, and returns the exit status."""
    try:
        import espeakng_loader
    except ImportError:
        return NOT_INSTALLED
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    heard: list[bytes] = []

    @CALLBACK
    def hear(samples, count, events):
        if samples and count > 0:
            heard.append(ctypes.string_at(samples, 2 * count))
        return 0

    library.espeak_SetSynthCallback(hear)
    out = sys.stdout.buffer
    out.write(rate.to_bytes(4, "little"))
    for voice, words_a_minute, pitch, text in json.load(sys.stdin):
        heard.clear()
        status = library.espeak_SetVoiceByName(voice.encode())
        status = status or library.espeak_SetParameter(RATE, words_a_minute, 0)
        status = status or library.espeak_SetParameter(PITCH, pitch, 0)
        said = text.encode()
        status = status or library.espeak_Synth(said, len(said) + 1, 0, 1, 0, UTF8, None, None)
        samples = b"".join(heard)
        if status or not samples:
            print(f"eSpeak NG cannot speak {text!r} with the voice {voice} (status {status})", file=sys.stderr)
            return 1
        out.write((len(samples) // 2).to_bytes(4, "little") + samples)
    return 0


if __name__ == "__main__":
    sys.exit(main())
