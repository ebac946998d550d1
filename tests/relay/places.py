"""Where the tested relay and the reference material are."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
RELAY = os.path.join(REPOSITORY, "templates", "conduit", "relay")
ORACLE = os.path.join(REPOSITORY, "target", "oracle")
SHARED = os.environ.get("ROCADE_SHARED", os.path.join(os.path.dirname(REPOSITORY), "shared"))

sys.path.insert(0, RELAY)


def reference(*parts):
    """The path of a reference file; it may be absent."""
    return os.path.join(SHARED, "reference", *parts)


def same(left, right):
    """JSON equality: 20 equals 20.0, true is not 1, the order of keys is free."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(*pair) for pair in zip(left, right))
    return left == right


def agrees(got, expected):
    """Whether a decoded object is the manufacturer's: an error counts as such, its text is free."""
    if "error" in expected:
        return "error" in got and set(got) == {"status", "error"} and same(got["status"], expected["status"])
    return same(got, expected)
