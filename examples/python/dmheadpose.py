# SPDX-License-Identifier: MPL-2.0
"""The head poses of a Gst.Buffer, a message or a signal as dictionaries. Copy this file.

Needs only Debian's python3-gi and gir1.2-gstreamer-1.0 (no python3-gst-1.0).
"""

META_NAME = "DmHeadPoseMeta"
VERSION = 1

HEAD_FIELDS = (
    "id", "x", "y", "w", "h", "score", "yaw", "pitch", "roll",
    "rear", "truncated", "seam", "predicted",
)


def head_poses(buffer):
    """The head poses that a Gst.Buffer carries, or None when nobody looked at it.

    Angles in degrees, boxes in pixels of the buffer, times in nanoseconds.
    """
    meta = buffer.get_custom_meta(META_NAME)
    return None if meta is None else from_structure(meta.get_structure())


def from_structure(poses):
    """The same from the Gst.Structure of a message (post-messages) or of the signal (head-poses).

    None when it is of a layout that this module does not know.
    """
    if poses.get_value("version") != VERSION:
        return None
    heads = (poses.get_value(f"head-{i}") for i in range(poses.get_value("n")))
    return {
        "width": poses.get_value("width"),
        "height": poses.get_value("height"),
        "source": poses.get_value("source"),
        "age": poses.get_value("age"),
        "inference_time": poses.get_value("inference-time"),
        "heads": [_head(head) for head in heads],
    }


def _head(head):
    fields = {name: head.get_value(name) for name in HEAD_FIELDS}
    # get_value() cannot return a Gst.ValueArray to plain gi; get_array() makes a GObject.ValueArray.
    _, rotation = head.get_array("rotation")
    fields["rotation"] = [rotation.get_nth(i) for i in range(rotation.n_values)]
    return fields
