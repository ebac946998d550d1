"""Decodes payloads off line: `decode.py --model M HEX_OR_BASE64`, or `decode.py --jsonl` on lines of stdin.

Needs nothing but Python. Each line of `--jsonl` gives exactly one line back, in order: the decoded
object, null for model `raw`, or {"error": ...} when the line itself is wrong.
"""

import argparse
import base64
import binascii
import json
import sys

from rocade_relay import codecs

EX_USAGE = 64
EX_DATAERR = 65


def payload_of(text):
    """The bytes of `text`, hexadecimal or else base64. Raises ValueError."""
    try:
        return binascii.unhexlify(text)
    except ValueError:
        return base64.b64decode(text, validate=True)


def codec_of(model):
    """The codec of `model`. Raises ValueError that names the known models."""
    try:
        return codecs.find(model)
    except KeyError:
        raise ValueError("model %r is not one of %s" % (model, ", ".join(sorted(codecs.CODECS)))) from None


def decode_line(line):
    """The decoded object of one `{"model", "fport", "hex"}` line (bytes)."""
    try:
        request = json.loads(line.decode("utf-8"))
        if not isinstance(request, dict):
            raise ValueError("not an object")
        model, text = request.get("model"), request.get("hex")
        if not isinstance(model, str) or not isinstance(text, str):
            raise ValueError("needs model and hex, both text")
        return codec_of(model).decode(binascii.unhexlify(text))
    except (ValueError, RecursionError) as error:
        return {"error": str(error)}


def print_json(value):
    """One line of UTF-8 JSON, whatever the locale says."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    sys.stdout.buffer.write(text.encode("utf-8") + b"\n")
    sys.stdout.buffer.flush()


def main(arguments):
    """Gives the exit code."""
    parser = argparse.ArgumentParser(description="Decode sensor payloads.")
    parser.add_argument("--model")
    parser.add_argument("--jsonl", action="store_true")
    parser.add_argument("payload", nargs="?")
    options = parser.parse_args(arguments)
    if options.jsonl:
        for line in sys.stdin.buffer:
            print_json(decode_line(line))
        return 0
    if options.model is None or options.payload is None:
        parser.print_usage(sys.stderr)
        return EX_USAGE
    try:
        print_json(codec_of(options.model).decode(payload_of(options.payload)))
    except ValueError as error:
        sys.stderr.write("decode: %s\n" % error)
        return EX_DATAERR
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
