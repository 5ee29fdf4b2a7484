# SPDX-License-Identifier: MPL-2.0
"""Checks the plugin on a newer GStreamer for tests/newer-gstreamer.sh. Uses plain gi and none of our code.

Arguments: a video with one head, the folder for pictures. Exits with 1 and prints what is wrong.
"""

import sys

import gi

for name in ("Gst", "GstVideo", "GstAnalytics"):
    gi.require_version(name, "1.0")
from gi.repository import GLib, Gst, GstAnalytics, GstVideo  # noqa: E402

CLIP, OUTPUT = sys.argv[1:]
FRAMES = 40
WIDTH, HEIGHT = 640, 360
DECODE = f'filesrc location="{CLIP}" ! decodebin ! identity eos-after={FRAMES}'
RELATE_TO = GstAnalytics.RelTypes.RELATE_TO
# From 1.28 on elements that move pixels report where, so that the poses must follow.
FOLLOWS = Gst.version() >= (1, 28, 0, 0)


def check(condition, text):
    if not condition:
        sys.exit(f"error: {text}")


def run(line, **probes):
    """Plays to the end; each probe is called with the buffers that reach the element of its name."""
    pipeline = Gst.parse_launch(line)
    failures = []
    for name, see in probes.items():

        def probe(_pad, info, see=see):
            try:
                see(info.get_buffer())
            except BaseException as failure:  # would be lost in the streaming thread
                failures.append(failure)
            return Gst.PadProbeReturn.OK

        pipeline.get_by_name(name).get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, probe)
    pipeline.set_state(Gst.State.PLAYING)
    kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR | Gst.MessageType.WARNING
    message = pipeline.get_bus().timed_pop_filtered(120 * Gst.SECOND, kinds)
    pipeline.set_state(Gst.State.NULL)
    if failures:
        raise failures[0]
    check(message is not None, f"no end of {line}")
    check(message.type == Gst.MessageType.EOS, f"{message.type} {message.get_structure()} of {line}")


def poses(buffer):
    """The fields of our meta's heads, `None` without a meta."""
    meta = buffer.get_custom_meta("DmHeadPoseMeta")
    if meta is None:
        return None
    structure = meta.get_structure()
    heads = [structure.get_value(f"head-{i}") for i in range(structure.get_value("n"))]
    fields = ("id", "x", "y", "w", "h", "score", "yaw", "pitch", "roll", "truncated")
    return [{field: head.get_value(field) for field in fields} for head in heads]


def analytics(buffer):
    """Objects as (number, class, box, confidence, tracks that it relates to)."""
    relations = GstAnalytics.buffer_get_analytics_relation_meta(buffer)
    if relations is None:
        return []
    length = GstAnalytics.relation_get_length(relations)
    tracks = {}
    for i in range(length):
        found, track = relations.get_tracking_mtd(i)
        if found:
            tracks[i] = track.get_info()[1:]
    objects = []
    for i in range(length):
        found, thing = relations.get_od_mtd(i)
        if found:
            _, x, y, w, h, confidence = thing.get_location()
            related = [t for n, t in tracks.items() if relations.get_relation(i, n) == RELATE_TO]
            label = GLib.quark_to_string(thing.get_obj_type())
            objects.append((i, label, (x, y, w, h), confidence, related))
    return objects


def box(head):
    return tuple(head[field] for field in "xywh")


def near(a, b, tolerance):
    return len(a) == len(b) and all(abs(p - q) <= tolerance for p, q in zip(a, b))


def attached():
    """Objects, tracks and regions exist and agree with our own meta."""
    seen, sights = [], {}

    def see(buffer):
        heads, objects = poses(buffer), analytics(buffer)
        check(heads is not None, "a frame without DmHeadPoseMeta")
        check(len(objects) == len(heads), f"{len(heads)} heads, but objects {objects}")
        for head, (number, label, place, confidence, tracks) in zip(heads, objects):
            check(label == "head", f"expected an object of type head, found {label}")
            check(place == box(head), f"object at {place}, head at {box(head)}")
            check(abs(confidence - head["score"]) < 1e-6, f"confidence {confidence}, {head}")
            check(len(tracks) == 1, f"expected one track, found {tracks}")
            track, first, last, lost = tracks[0]
            check(track == head["id"] >= 1 and not lost, f"track {tracks[0]} of {head}")
            first_before, last_before = sights.get(track, (last, -1))
            check(first == first_before and last > last_before, f"{tracks[0]} after {sights}")
            sights[track] = (first, last)
            region = GstVideo.buffer_get_video_region_of_interest_meta_id(buffer, number)
            check(region is not None, f"no region of interest with the object's number {number}")
            check((region.x, region.y, region.w, region.h) == place, "region and object differ")
            check(GLib.quark_to_string(region.roi_type) == "head", "a region of another type")
        seen.append(len(heads))

    run(
        f"{DECODE} ! dmheadpose tracking=true meta-format=custom+roi+analytics ! fakesink name=to",
        to=see,
    )
    check(len(seen) >= FRAMES - 1 and sum(seen) >= FRAMES - 1, f"too few heads: {seen}")
    print(f"{len(seen)} frames, {sum(seen)} heads as objects with tracks and regions.")


def drawn():
    """objectdetectionoverlay draws around our heads and nowhere else."""
    last = {}

    def keep(name):
        def see(buffer):
            last[name] = buffer.extract_dup(0, buffer.get_size())
            last["heads"] = poses(buffer)

        return see

    run(
        f"{DECODE} ! dmheadpose tracking=true meta-format=custom+analytics ! tee name=t"
        " t. ! queue ! videoconvert ! video/x-raw,format=RGB ! fakesink name=plain"
        " t. ! queue ! objectdetectionoverlay ! videoconvert ! video/x-raw,format=RGB ! tee name=drawn"
        " drawn. ! queue ! fakesink name=overlaid"
        f' drawn. ! queue ! pngenc ! multifilesink location="{OUTPUT}/objectdetectionoverlay.png"',
        plain=keep("plain"),
        overlaid=keep("overlaid"),
    )
    plain, overlaid, heads = last["plain"], last["overlaid"], last["heads"]
    stride = WIDTH * 3
    check(len(plain) == len(overlaid) == stride * HEIGHT, "frames of another size")
    changed = [
        (at % stride // 3, at // stride)
        for at in range(0, len(plain), 3)
        if max(abs(plain[at + c] - overlaid[at + c]) for c in range(3)) > 40
    ]
    check(len(heads) == 1, f"expected the clip's one head, found {heads}")
    x, y, w, h = box(heads[0])
    # The text is in the upper left corner; the chroma of a line colours its neighbours.
    columns, rows = [p[0] for p in changed], [p[1] for p in changed]
    check(changed, "objectdetectionoverlay has drawn nothing")
    found = (min(columns), min(rows), max(columns) - min(columns), max(rows) - min(rows))
    check(near(found, (x, y, w, h), 6), f"drawn at {found}, the head is at {box(heads[0])}")
    print(f"objectdetectionoverlay has drawn {len(changed)} pixels around the head.")


def taken_over():
    """A second element takes heads and numbers from the first one's objects and adds no others."""
    pairs = []

    def see(buffer):
        objects, heads = analytics(buffer), poses(buffer)
        check(len(objects) == len(heads), f"{len(heads)} heads, but objects {objects}")
        for head, (_, _, place, _, tracks) in zip(heads, objects):
            check(place == box(head), f"object at {place}, head at {box(head)}")
            check([t[0] for t in tracks] == [head["id"]], f"tracks {tracks} of {head}")
            pairs.append(head)

    run(
        f"{DECODE} ! dmheadpose tracking=true meta-format=analytics"
        " ! dmheadpose heads-from=roi-meta object-class=head meta-format=custom+analytics"
        " ! fakesink name=to",
        to=see,
    )
    check(len(pairs) >= FRAMES - 1, f"only {len(pairs)} heads were taken over")
    print(f"{len(pairs)} heads taken from objects.")


def crop_by(left, top, right, bottom):
    def expected(head):
        x, y, w, h = box(head)
        x0, x1 = max(x, left), min(x + w, WIDTH - right)
        y0, y1 = max(y, top), min(y + h, HEIGHT - bottom)
        cut = (x0, y0, x1, y1) != (x, y, x + w, y + h)
        inside = x1 > x0 and y1 > y0
        place = (x0 - left, y0 - top, x1 - x0, y1 - y0)
        return (place, (head["yaw"], head["pitch"], head["roll"]), cut) if inside else None

    return expected


def flip(place, angles=None):
    """`angles` is `None` if the picture is rotated: dmheadpose's own tests cover those."""

    def expected(head):
        turned = angles(head["yaw"], head["pitch"], head["roll"]) if angles else None
        return place(*box(head)), turned, False

    return expected


def scale_by(sx, sy, dx=0, dy=0):
    return flip(lambda x, y, w, h: (x * sx + dx, y * sy + dy, w * sx, h * sy), lambda *a: a)


# Name of the picture, elements, their effect on a head, and whether 1.28 reports it.
MOVES = [
    ("crop", "videocrop left=30 top=20 right=50 bottom=10", crop_by(30, 20, 50, 10), True),
    ("crop-cut", "videocrop left=330", crop_by(330, 0, 0, 0), True),
    ("crop-away", "videocrop right=600", crop_by(0, 0, 600, 0), True),
    (
        "mirror",
        "videoflip video-direction=horiz",
        flip(lambda x, y, w, h: (WIDTH - x - w, y, w, h), lambda y, p, r: (-y, p, -r)),
        True,
    ),
    (
        "upside-down",
        "videoflip video-direction=vert",
        flip(lambda x, y, w, h: (x, HEIGHT - y - h, w, h)),
        True,
    ),
    (
        "half-turn",
        "videoflip video-direction=180",
        flip(lambda x, y, w, h: (WIDTH - x - w, HEIGHT - y - h, w, h)),
        True,
    ),
    (
        "clockwise",
        "videoflip video-direction=90r",
        flip(lambda x, y, w, h: (HEIGHT - y - h, x, h, w)),
        True,
    ),
    (
        "counterclockwise",
        "videoflip video-direction=90l",
        flip(lambda x, y, w, h: (y, WIDTH - x - w, h, w)),
        True,
    ),
    ("transposed", "videoflip video-direction=ul-lr", flip(lambda x, y, w, h: (y, x, h, w)), True),
    (
        "antitransposed",
        "videoflip video-direction=ur-ll",
        flip(lambda x, y, w, h: (HEIGHT - y - h, WIDTH - x - w, h, w)),
        True,
    ),
    ("half", "videoscale ! video/x-raw,width=320,height=180", scale_by(0.5, 0.5), True),
    (
        "letterbox",
        "videoconvertscale ! video/x-raw,width=640,height=640,pixel-aspect-ratio=1/1",
        scale_by(1, 1, 0, 140),
        True,
    ),
    (
        "box",
        "videobox left=-30 top=-20 ! video/x-raw,width=670,height=380",
        scale_by(1, 1, 30, 20),
        False,
    ),
]


def moved(name, elements, expected, told):
    """Behind an element that moves pixels the poses are right or dropped; dropped only if it reports nothing."""
    before, n = {}, {"followed": 0, "dropped": 0}

    def remember(buffer):
        before[buffer.pts] = poses(buffer)

    def compare(buffer):
        heads = poses(buffer)
        if heads is None:
            n["dropped"] += 1
            return
        n["followed"] += 1
        wanted = [move for move in map(expected, before[buffer.pts]) if move]
        check(len(heads) == len(wanted), f"{name}: expected {wanted}, found {heads}")
        for head, (place, angles, cut) in zip(heads, wanted):
            check(near(box(head), place, 1.0), f"{name}: expected {place}, found {head}")
            found = tuple(head[field] for field in ("yaw", "pitch", "roll"))
            check(angles is None or near(found, angles, 1e-3), f"{name}: {angles}, found {head}")
            check(not cut or head["truncated"], f"{name}: not marked as cut: {head}")

    run(
        f"{DECODE} ! dmheadpose ! identity name=before ! {elements} ! identity name=behind"
        " ! dmheadposeoverlay overlay=box+axes+labels ! videoconvert ! pngenc"
        f' ! multifilesink location="{OUTPUT}/{name}.png"',
        before=remember,
        behind=compare,
    )
    check(n["followed"] or n["dropped"], f"{name}: no frame arrived")
    check(not (told and FOLLOWS) or not n["dropped"], f"{name}: the poses were dropped: {n}")
    print(f"{name}: {n['followed']} frames followed, {n['dropped']} dropped ({elements})")


Gst.init(None)
check(Gst.ElementFactory.find("dmheadpose"), "GStreamer finds no element dmheadpose")
attached()
drawn()
taken_over()
for move in MOVES:
    moved(*move)
