# SPDX-License-Identifier: MPL-2.0
"""The head poses of a Gst.Buffer, a message or a signal as dictionaries. Copy this file.

Needs only Debian's python3-gi and gir1.2-gstreamer-1.0 (no python3-gst-1.0).
"""

from gi.repository import Gst

META_NAME = "DmHeadPoseMeta"
VERSION = 1
SOURCES = ("inferred", "tracked", "held")

NUMBERS = ("x", "y", "w", "h", "score", "yaw", "pitch", "roll")
FLAGS = ("rear", "truncated", "seam", "predicted")
# The largest 32-bit float: every number of a head fits into one.
LARGEST = float.fromhex("0x1.fffffep127")


class _Broken(Exception):
    """A field is missing or invalid."""


def head_poses(buffer):
    """The head poses that a Gst.Buffer carries, or None if it was not analysed.

    Angles in degrees, boxes in pixels of the buffer, times in nanoseconds, None for a time that is not known.
    """
    meta = buffer.get_custom_meta(META_NAME)
    return None if meta is None else from_structure(meta.get_structure())


def from_structure(poses):
    """The same from the Gst.Structure of a message (post-messages) or of the signal (head-poses).

    None when it is of a layout that this module does not know. Heads that are broken are left out.
    """
    if poses is None:
        return None
    try:
        if _field(poses.get_int, "version") != VERSION:
            return None
        n = _field(poses.get_int, "n")
        found = {
            "width": _field(poses.get_int, "width"),
            "height": _field(poses.get_int, "height"),
            "source": _text(poses, "source"),
            "age": _time(poses, "age"),
            "inference_time": _time(poses, "inference-time"),
        }
    except _Broken:
        return None
    if n < 0 or found["width"] <= 0 or found["height"] <= 0 or found["source"] not in SOURCES:
        return None
    # Limits the loop when the number of heads is wrong.
    heads = (_head(poses, f"head-{i}") for i in range(min(n, poses.n_fields())))
    found["heads"] = [head for head in heads if head is not None]
    return found


def _head(poses, name):
    if not poses.has_field_typed(name, Gst.Structure):
        return None
    head = poses.get_value(name)
    if head is None:
        return None
    try:
        fields = {"id": _field(head.get_uint64, "id")}
        fields |= {name: _number(_field(head.get_double, name)) for name in NUMBERS}
        fields |= {name: _field(head.get_boolean, name) for name in FLAGS}
        fields["rotation"] = _rotation(head)
        fields["uncertainty"] = _uncertainty(head)
    except _Broken:
        return None
    return fields


def _field(get, name):
    """The value of a field, of the getter's type."""
    present, value = get(name)
    if not present:
        raise _Broken
    return value


def _number(value):
    # Refuses NaN, too.
    if not -LARGEST <= value <= LARGEST:
        raise _Broken
    return value


def _uncertainty(head):
    """Standard deviation of the pose's rotation angle in degrees; None where the pose model states none."""
    if not head.has_field("uncertainty"):
        return None
    value = _number(_field(head.get_double, "uncertainty"))
    if value < 0:
        raise _Broken
    return value


def _time(poses, name):
    value = _field(poses.get_uint64, name)
    return None if value == Gst.CLOCK_TIME_NONE else value


def _text(poses, name):
    try:
        return poses.get_string(name)
    except UnicodeDecodeError:
        raise _Broken from None


def _rotation(head):
    # get_value() cannot return a Gst.ValueArray to plain gi; get_array() makes a GObject.ValueArray.
    if not head.has_field_typed("rotation", Gst.ValueArray):
        raise _Broken
    values = _field(head.get_array, "rotation")
    if values.n_values != 9:
        raise _Broken
    try:
        rotation = [values.get_nth(i) for i in range(9)]
    except (TypeError, UnicodeDecodeError):  # a type of value that Python does not support
        raise _Broken from None
    if not all(isinstance(value, float) for value in rotation):
        raise _Broken
    return [_number(value) for value in rotation]
