"""Seeded frames for the comparison with the manufacturer's library: every type, model and length class."""

import random

SEED = 8275
ROUNDS = 90
# Frame code -> lengths of a whole frame without and with the device time stamp (None: any number of samples).
LAYOUTS = {
    "comfort-v1": {
        0x10: (10,),
        0x1F: (8,),
        0x20: (3, 4, 5),
        0x30: (2,),
        0x33: (5,),
        0x4C: None,
        0x4D: (6,),
        0x51: (9, 13),
        0x52: (9, 13),
    },
    "comfort": {
        0x10: (11,),
        0x1F: (8,),
        0x20: (3, 4, 5),
        0x30: (2,),
        0x33: (5,),
        0x37: (8,),
        0x4C: None,
        0x4D: (6, 10),
        0x51: (9, 13),
        0x52: (9, 13),
    },
    "comfort-co2": {
        0x10: (11, 13),
        0x1F: (8,),
        0x20: (3, 4, 5),
        0x30: (11, 19, 23),
        0x33: (5,),
        0x37: (8,),
        0x51: (9, 13),
        0x52: (9, 13),
        0x6A: None,
        0x6B: (8, 12),
    },
}
SAMPLE_SIZES = {0x4C: 3, 0x6A: 5}
STAMPED_MODELS = ("comfort", "comfort-co2")


def generate():
    """Yields (model, class, payload); the same sequence on every run."""
    source = random.Random(SEED)
    for model, layouts in sorted(LAYOUTS.items()):
        for code, lengths in sorted(layouts.items()):
            for _ in range(ROUNDS):
                whole = whole_length(source, code, lengths)
                yield model, "valid", body(source, code, whole)
                yield model, "trailing", body(source, code, whole + source.randint(1, 6))
                yield model, "truncated", body(source, code, source.randint(2, max(2, whole - 1)))
        for _ in range(ROUNDS * 6):
            yield model, "unknown", body(source, source.randint(0, 255), source.randint(2, 30))
            yield model, "random", bytes(source.getrandbits(8) for _ in range(source.randint(0, 51)))


def whole_length(source, code, lengths):
    """A length the frame's layout knows."""
    if lengths is None:
        return 2 + SAMPLE_SIZES[code] * source.randint(0, 16) + source.choice((0, 4))
    return source.choice(lengths)


def body(source, code, length):
    """A frame of `length` bytes; half of the bytes are extremes."""
    return bytes([code]) + bytes(
        source.choice((0x00, 0x01, 0x7F, 0x80, 0xFF)) if source.random() < 0.5 else source.getrandbits(8)
        for _ in range(length - 1)
    )


def is_cut_stamped_data(model, payload):
    """The one known exception: time-stamped data frames whose tail is cut.

    The manufacturer's codecs take sample bytes for the time stamp there and answer garbage without an
    error, from 4 bytes on (below, reading the time stamp fails for them too).
    """
    if model not in STAMPED_MODELS or len(payload) < 4 or not payload[1] & 0x04:
        return False
    if payload[0] != {"comfort": 0x4C, "comfort-co2": 0x6A}[model]:
        return False
    samples = len(payload) - 2 - 4
    return samples < 0 or samples % SAMPLE_SIZES[payload[0]] != 0
