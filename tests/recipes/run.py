#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Runs the commands of the documentation literally: every line of every ```sh block.

    tests/recipes/run.py PLUGIN-FOLDER [DOCUMENT.md ...]

Each document gets a folder with the files that its commands name (in.mp4 is a clip of a face, stored as by phones).
The commands run in order, so that one can read what another wrote. The hosts camera, broker, collector and viewer are
this machine, in a private network (network.py). The clip, at its own speed, stands in for a camera (v4l2src); this is
the only change made to a command. Commands that cannot be run are in NOT_RUN with the reason, and are listed.
"""

import itertools
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile

import network

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETUP = ROOT / ".setup"
CLIP = SETUP / "clips/WolfgangLanger_Pexels.mp4"
WHENET = ROOT / "models/whenet_Nx3x224x224_prepost.onnx"
YUNET = ROOT / "models/face_detection_yunet_2023mar_dynamic.onnx"
# Files named by the commands of the documents.
FILES = {
    "head.onnx": YUNET,
    "pose.onnx": WHENET,
    "front.onnx": WHENET,
    WHENET.name: WHENET,
    "pictures": SETUP / "pictures",
    "FOLDER": SETUP / "pictures",
    ".setup": SETUP,
    "examples": ROOT / "examples",
}
# Files for the commands, with this many frames of the clip (as counted by the parser), so that a recipe takes
# seconds. An RTSP camera does not wait until the models are loaded, so its clip is longer.
CUTS = {"in.mp4": 36, "desk.mp4": 36, "camera.mp4": 120}
# As written by a phone: the picture lies on its side, and a tag says so.
TURNED = "in.mp4"
# The clip in the size and the format that the command requests from its camera, at its own speed.
CAMERA = "filesrc location=desk.mp4 ! decodebin ! identity sync=true ! videoconvert ! videoscale"
# The expected effect of each videoflip in the documents: its input clip, and how each row of the result is read.
TURNS = {
    "videoflip video-direction=auto": ("in.mp4", lambda row: row),
    "videoflip video-direction=horiz": ("desk.mp4", lambda row: row[::-1]),
}
SIDES = 32, 18  # of the pictures that are compared, in pixels
SECONDS = 120  # a command that takes longer hangs

# Beginnings of commands that are not run here, and why.
NOT_RUN = {
    "make ": "targets are not run from within a target",
    "export GST_PLUGIN_PATH=": "set for all commands here",
    "gst-device-monitor-1.0": "there are no cameras to list",
    "cargo run --release --example rtsp_ingest": "does not end; tests/cameras runs it",
    "rtsp_ingest ": "does not end; tests/cameras runs it",
    "docker ": "not available everywhere",
    "deploy/make-secrets.sh ": "for docker; tests/deploy.sh runs it",
    "dmheadpose-eval AFLW2000/": "needs the data set; tools/tests/tools/eval runs it on one of its form",
    "dmheadpose-eval target/truth/": "needs the pictures of make truth, which take minutes",
    "dmheadpose-eval Pointing04/": "needs the data set; tools/tests/tools/eval runs it on one of its form",
    "dmheadpose-eval --detector heads/": "needs labelled pictures; tools/tests/tools/eval makes some",
}
# Elements that are not available everywhere, and what provides them.
FOREIGN = {
    "objectdetectionoverlay": "GStreamer 1.24 or newer; tests/newer-gstreamer.sh runs it",
    "gvadetect": "Intel's DL Streamer and a model for it",
}


def commands_of(document):
    """The commands in the ```sh blocks; continued lines are one command."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, flags=re.M | re.S)
    outside = re.sub(r"^```sh\n.*?^```$", "", text, flags=re.M | re.S)
    stray = re.search(r"^(.*=\S+ )?gst-launch-1\.0 .*$", outside, flags=re.M)
    if stray:
        sys.exit(f"{document.name}: expected this command in a ```sh block, so that it is run: {stray[0]}")
    lines = "".join(blocks).replace("\\\n", "\\\0").splitlines()
    return [line.replace("\\\0", "\\\n") for line in lines if line.strip()]


def why_not_run(command):
    for start, reason in NOT_RUN.items():
        if command.startswith(start):
            return reason
    words = command.split()
    for element, needs in FOREIGN.items():
        if element in words and not has_element(element):
            return f"needs {needs}"
    if not network.PRIVATE and network.peer_of(command):
        return "this machine allows no network namespace for it"
    return None


def has_element(name):
    return subprocess.run(["gst-inspect-1.0", "--exists", "--atleast-version=1.0", name]).returncode == 0


class Failure(Exception):
    pass


def start(command, folder):
    camera = CAMERA + (" ! jpegenc" if "v4l2src ! image/jpeg" in command else "")
    played = re.sub(r"v4l2src( device=\S+)?", camera, command)
    return subprocess.Popen(["bash", "-euo", "pipefail", "-c", played], cwd=folder, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True)


def finish(process, interrupt_after=None):
    """Waits for a command, checks how it ended and returns its output."""
    try:
        if interrupt_after:
            try:
                process.wait(interrupt_after)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        raise Failure(f"not finished after {SECONDS} seconds\n{output}{errors}") from None
    if process.returncode != 0:
        raise Failure(f"ended with status {process.returncode}\n{output}{errors}")
    # Late frames are a matter of this machine, not of the command.
    bad = re.search(r"^(ERROR|WARNING(?!.* A lot of buffers are being dropped)|.*-(CRITICAL|WARNING) \*\*).*",
                    output + errors, flags=re.M)
    if bad:
        raise Failure(f"printed: {bad[0]}\n{output}{errors}")
    return output


def poses_in(lines, what):
    """Checks lines of dmheadposejson: complete, and with a head in at least one."""
    try:
        frames = [json.loads(line) for line in lines]
    except json.JSONDecodeError as error:
        raise Failure(f"{what}: expected JSON lines, found: {error}") from error
    rolls = [abs(head["roll"]) for frame in frames for head in frame["heads"]]
    if not rolls:
        raise Failure(f"{what}: expected heads, found none in {len(frames)} lines")
    if statistics.median(rolls) > 45:
        raise Failure(f"{what}: expected upright heads, found them on their side: {statistics.median(rolls):.0f} degrees")
    return f"{len(rolls)} heads in {len(frames)} lines"


def small_picture(folder, clip, element="identity"):
    """The rows of the clip's first picture after an element, small and grey."""
    width, height = SIDES
    path = folder / "picture.raw"
    subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={folder / clip}", "!", "decodebin", "!", "videoconvert",
                    "!", *element.split(), "!", "videoconvertscale", "!",
                    f"video/x-raw,format=GRAY8,width={width},height={height}", "!", "identity", "eos-after=2", "!",
                    "filesink", f"location={path}"], check=True, timeout=SECONDS)
    picture = path.read_bytes()[: width * height]
    path.unlink()
    return [picture[start:start + width] for start in range(0, len(picture), width)]


def check_turn(element, folder):
    """Checks that the element changes the picture as the document says."""
    if element not in TURNS:
        raise Failure(f"{element}: expected one of {', '.join(TURNS)}; add its effect on a picture to TURNS")
    clip, read = TURNS[element]
    expected = b"".join(read(row) for row in small_picture(folder, "desk.mp4"))
    found = b"".join(small_picture(folder, clip, element))
    if len(found) != len(expected):
        raise Failure(f"{element}: expected a picture of {len(expected)} pixels, found {len(found)}")
    # An unflipped picture differs by some 40 levels, a flipped one only by encoding loss.
    difference = sum(abs(a - b) for a, b in zip(expected, found)) / len(expected)
    if difference > 5:
        raise Failure(f"{element}: expected the picture to be turned, found it {difference:.0f} levels away from that")
    return f"{element}: turns the picture"


def check_files(command, folder):
    """Checks that the command's output files exist and have the type that their name says."""
    words = shlex.split(command, comments=True)
    told = []
    for word, target in itertools.product(words, ("location=", "-o", "--csv", "--plots")):
        if word.startswith("location=") and target == "location=" and "filesink" in words:
            name = word.removeprefix("location=")
        elif word == target and target != "location=":
            name = words[words.index(word) + 1]
        else:
            continue
        path = folder / name
        if "%" in name or "://" in name or path.name == "in.mp4" or ".setup" in name:
            continue
        if not path.exists() or path.is_file() and not path.stat().st_size:
            raise Failure(f"{name}: expected it to be written, found nothing")
        if path.suffix == ".jsonl":
            told.append(f"{name}: {poses_in(path.read_text().splitlines(), name)}")
        elif path.suffix == ".mp4":
            frames = subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={path}", "!", "decodebin", "!",
                                     "fakesink"], timeout=SECONDS, capture_output=True, text=True)
            if frames.returncode:
                raise Failure(f"{name}: expected a video, found: {frames.stderr}")
            told.append(f"{name}: plays")
        else:
            told.append(f"{name}: written")
    return told


def run(command, folder, then=None):
    """Runs a command with its peer; `then` is the command that connects to it, if it is a server."""
    with network.peer_for(command, folder) as peer:
        process = start(command, folder)
        told = []
        if then:
            network.wait_for_port(5000, process)
            client = start(then, folder)
            lines = finish(client).splitlines()
            told.append(f"the client read {len(lines)} lines")
            if not lines:
                raise Failure("the client read nothing")
        output = finish(process, peer.interrupt_after)
        if "-m filesrc" in command and "dmheadpose," not in output:
            raise Failure(f"expected messages of dmheadpose, found:\n{output}")
        if peer.received is not None:
            told.append(f"{peer.name} received {poses_in(peer.received(), peer.name)}")
        elif peer.name:
            told.append(f"from {peer.name}")
    turns = re.findall(r"videoflip(?: [\w-]+=\S+)*", command)
    return told + check_files(command, folder) + [check_turn(element, folder) for element in turns]


def folder_for(document, scratch):
    folder = scratch / document.stem
    folder.mkdir()
    for name, target in FILES.items():
        (folder / name).symlink_to(target)
    for name in CUTS:
        (folder / name).symlink_to(scratch / name)
    return folder


def cut_clip(target, frames):
    """Writes the clip's beginning."""
    turned = target.name == TURNED
    turn = "avdec_h264 ! videoflip video-direction=90l ! x264enc tune=zerolatency speed-preset=ultrafast quantizer=18 ! h264parse !"
    pipeline = (f"filesrc location={CLIP} ! qtdemux ! h264parse ! identity eos-after={frames} ! {turn if turned else ''} "
                f"mp4mux ! filesink location={target}")
    subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], check=True, timeout=SECONDS)
    if turned:
        tag_as_turned(target)


def tag_as_turned(path):
    """Tags the file's picture as to be rotated clockwise by a quarter turn, which mp4mux cannot."""
    data = bytearray(path.read_bytes())
    matrix_in_header = 40
    at = data.index(b"tkhd") + len(b"tkhd") + matrix_in_header
    struct.pack_into(">9i", data, at, 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def documents():
    folders = ("docs", "models", "examples", "tests", "benches")
    found = [ROOT / "README.md"]
    return found + sorted(itertools.chain.from_iterable((ROOT / name).rglob("*.md") for name in folders))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    plugins = pathlib.Path(sys.argv[1]).resolve()
    network.enter(sys.argv)
    if not has_element("fakevideosink"):
        sys.exit("recipes: expected the element fakevideosink (gstreamer1.0-plugins-bad) for displays, found none")
    os.environ.update(
        GST_PLUGIN_PATH=str(plugins),
        PATH=f"{plugins}:{os.environ['PATH']}",
        # Without a display autovideosink uses this sink, which keeps time like a display.
        GST_PLUGIN_FEATURE_RANK="fakevideosink:MAX",
        LC_ALL="C.UTF-8",
    )
    os.environ.pop("DISPLAY", None)
    os.environ.pop("WAYLAND_DISPLAY", None)

    chosen = [pathlib.Path(name).resolve() for name in sys.argv[2:]]
    ran, not_run, failed, used = 0, [], 0, set()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="recipes-"))
    try:
        for name, frames in CUTS.items():
            cut_clip(scratch / name, frames)
        for document in chosen or documents():
            commands = commands_of(document)
            if not commands:
                continue
            print(f"\n-- {document.relative_to(ROOT)}", flush=True)
            folder = folder_for(document, scratch)
            commands = iter(commands)
            for command in commands:
                reason = why_not_run(command)
                if reason:
                    not_run.append((command, reason))
                    used.update(start for start in NOT_RUN if command.startswith(start))
                    print(f"not run: {command}\n    {reason}")
                    continue
                print(f"$ {command}", flush=True)
                then = next(commands) if "tcpserversink" in command else None
                if then:
                    print(f"$ {then}", flush=True)
                try:
                    told = run(command, folder, then)
                    camera = ["with the clip as the camera"] if "v4l2src" in command else []
                    print(f"    ok{''.join('; ' + what for what in camera + told)}", flush=True)
                    ran += 1 + bool(then)
                except Failure as failure:
                    failed += 1
                    print(f"    FAILED: {failure}", flush=True)
    finally:
        shutil.rmtree(scratch)

    print(f"\n{ran} commands ran, {len(not_run)} were not run (see above), {failed} failed.")
    stale = set(NOT_RUN) - used if not chosen else set()
    if stale:
        sys.exit(f"recipes: no document has a command that begins with: {', '.join(sorted(stale))}; "
                 "take it out of NOT_RUN")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
