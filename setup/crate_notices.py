#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Lists the Rust crates that are linked into the plugin and the tools, each with its licence and the notices
in its source: binaries may only be redistributed together with these.

    python3 setup/crate_notices.py OUTPUT.txt
"""

import json
import pathlib
import subprocess
import sys

NOTICES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")


def cargo(*arguments):
    done = subprocess.run(["cargo", *arguments], check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout


def linked_crates():
    """The packages that the build links: no dependencies of build scripts or tests, only this platform."""
    tree = cargo("tree", "--locked", "--workspace", "--edges", "normal,no-proc-macro",
                 "--prefix", "none", "--format", "{p}")
    # A line is "name vVERSION", followed by a folder for our own packages.
    linked = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    metadata = json.loads(cargo("metadata", "--locked", "--format-version", "1"))
    packages = [package for package in metadata["packages"]
                if package["source"] and (package["name"], "v" + package["version"]) in linked]
    return sorted(packages, key=lambda package: (package["name"], package["version"]))


def notices_of(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    return [file.read_text(encoding="utf-8", errors="replace").strip()
            for file in sorted(folder.iterdir())
            if file.is_file() and file.name.upper().startswith(NOTICES)]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    packages = linked_crates()
    if not packages:
        sys.exit("crate_notices: expected crates in the output of cargo tree, found none")
    crates_of = {}  # many crates have identical texts: each is written once
    lines = ["Rust crates in these binaries, with the licences that their authors state:", ""]
    for package in packages:
        crate = f"{package['name']} {package['version']}"
        authors = ", ".join(package["authors"])
        lines.append(f"{crate}: {package['license'] or 'see its text below'}"
                     + (f" ({authors})" if authors else ""))
        for text in notices_of(package):
            crates_of.setdefault(text, []).append(crate)
    for text, crates in crates_of.items():
        lines += ["", "-" * 100, ", ".join(crates) + ":", "", text]
    pathlib.Path(sys.argv[1]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(packages)} crates, {len(crates_of)} texts: {sys.argv[1]}")


if __name__ == "__main__":
    main()
