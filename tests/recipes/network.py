# SPDX-License-Identifier: MPL-2.0
"""The network of the recipes: a private one with only the loopback, where the hosts named in the documents are this
machine; and its servers: an RTSP camera, an MQTT broker, a collector of lines."""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HOSTS = "127.0.0.1 localhost camera broker collector viewer\n"
# Set in the process inside the private network.
PRIVATE = os.environ.get("RECIPES_NETWORK") == "private"
MS_BIND = 4096
SECONDS = 30


def enter(arguments):
    """Restarts this program in its own network and mount namespace, if the machine permits it."""
    namespaces = ["unshare", "--map-root-user", "--mount", "--net", "--propagation", "private"]
    if PRIVATE:
        set_up()
    elif subprocess.run([*namespaces, "true"], stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["RECIPES_NETWORK"] = "private"
        os.execvp(namespaces[0], [*namespaces, sys.executable, *arguments])


def set_up():
    # The same as `ip link set lo up`.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        siocsifflags, iff_up_running = 0x8914, 0x41
        fcntl.ioctl(any_socket, siocsifflags, struct.pack("16sH14x", b"lo", iff_up_running))
    with tempfile.NamedTemporaryFile("w", suffix=".hosts") as hosts:
        hosts.write(HOSTS)
        hosts.flush()
        os.chmod(hosts.name, 0o644)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(hosts.name.encode(), b"/etc/hosts", None, MS_BIND, None) != 0:
            raise OSError(ctypes.get_errno(), "cannot put our own hosts over /etc/hosts")


class Peer:
    """The server that a command connects to. `received` returns the lines that it got, if any. If the server may
    never end, a command that still runs after `interrupt_after` seconds is interrupted by Ctrl-C."""

    def __init__(self, name=None, received=None, interrupt_after=None):
        self.name = name
        self.received = received
        self.interrupt_after = interrupt_after


def peer_of(command):
    for mark, peer in (("://camera/", camera), ("mosquitto_pub", broker), ("tcpclientsink", collector)):
        if mark in command:
            return peer
    return nobody if "tcpserversink" in command else None


def peer_for(command, folder):
    return (peer_of(command) or nobody)(folder)


@contextlib.contextmanager
def nobody(_folder):
    """For a server, whose client is another command, and for commands without a network."""
    yield Peer()


@contextlib.contextmanager
def camera(folder):
    """An RTSP server with the clip, rtsp://camera/stream, from its beginning for each viewer."""
    script = pathlib.Path(__file__).parents[1] / "cameras/server.py"
    process = subprocess.Popen(["/usr/bin/python3", script, "554", folder / "camera.mp4"], stdout=subprocess.DEVNULL)
    try:
        wait_for_port(554, process)
        # GStreamer 1.22's rtspsrc misses the end of a stream over UDP now and then, with any element behind.
        yield Peer("an RTSP camera", interrupt_after=15)
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def collector(_folder):
    """Receives lines on port 5000."""
    def take(connection, lines):
        with connection.makefile("rb") as stream:
            lines.extend(line.decode() for line in stream)

    with served(5000, take) as lines:
        yield Peer("the collector", lines)


@contextlib.contextmanager
def broker(_folder):
    """The part of MQTT 3.1.1 that a client needs to publish without acknowledgements."""
    def take(connection, lines):
        with connection.makefile("rb") as stream:
            while header := stream.read(1):
                kind, length = header[0] >> 4, remaining_length(stream)
                packet = stream.read(length)
                if kind == 1:  # CONNECT
                    connection.sendall(b"\x20\x02\x00\x00")
                elif kind == 3:  # PUBLISH
                    topic_end = 2 + int.from_bytes(packet[:2])
                    if packet[2:topic_end] == b"heads/gate":
                        lines.append(packet[topic_end:].decode())

    with served(1883, take) as lines:
        yield Peer("the MQTT broker", lines)


def remaining_length(stream):
    """MQTT's numbers: seven bits per byte, the lowest first."""
    value, shift = 0, 0
    while True:
        byte = stream.read(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7


@contextlib.contextmanager
def served(port, take):
    """Serves one connection on a port; yields a function that waits for its end and returns the lines."""
    lines = []
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(SECONDS)

        def serve():
            with contextlib.suppress(TimeoutError):
                connection, _ = server.accept()
                with connection:
                    take(connection, lines)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()

        def received():
            thread.join(SECONDS)
            return list(lines)

        yield received


def wait_for_port(port, process):
    """Waits until the port is open. Asks the kernel, because a trial connection would count as a client."""
    listening = f":{port:04X} 00000000:0000 0A"
    until = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < until:
        if listening in pathlib.Path("/proc/net/tcp").read_text():
            return
        time.sleep(0.05)
