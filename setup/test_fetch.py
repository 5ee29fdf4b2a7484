# SPDX-License-Identifier: MPL-2.0
"""Tests of setup/fetch.py that need no network: python3 -m unittest discover setup"""

import contextlib
import hashlib
import io
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import unittest.mock
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import fetch
from download import FetchError

CONTENT = b"a model"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WRONG = "0" * 64


class Fetch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        root, setup = fetch.ROOT, fetch.SETUP
        self.addCleanup(lambda: (setattr(fetch, "ROOT", root), setattr(fetch, "SETUP", setup)))
        fetch.ROOT, fetch.SETUP = self.folder, self.folder / ".setup"
        self.source = self.folder / "source"
        self.source.write_bytes(CONTENT)

    def entry(self, **changes):
        entry = {"name": "m", "group": ["g"], "license": "MIT", "archive": "m.bin",
                 "url": self.source.as_uri(), "result": "out/m.bin", "sha256": SHA256}
        return {key: value for key, value in (entry | changes).items() if value is not None}

    def fetch(self, accept_unknown=False, **changes):
        """The printed text."""
        with contextlib.redirect_stdout(io.StringIO()) as said:
            fetch.fetch(self.entry(**changes), self.folder, accept_unknown)
        return said.getvalue()

    @property
    def result(self):
        return self.folder / "out" / "m.bin"

    def assert_refused(self, *words, **changes):
        with self.assertRaises(FetchError) as caught:
            self.fetch(**changes)
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.assertFalse(self.result.exists())
        self.assertFalse((fetch.SETUP / "work").exists())

    def test_second_run_downloads_nothing(self):
        self.assertIn("downloading", self.fetch())
        self.source.unlink()
        said = self.fetch()
        self.assertIn("is there (verified)", said)
        self.assertEqual(said.count("\n"), 1)

    def test_lost_result_is_made_from_the_download(self):
        self.fetch()
        self.source.unlink()
        self.result.unlink()
        self.fetch()
        self.assertEqual(self.result.read_bytes(), CONTENT)

    def test_damaged_result_is_replaced(self):
        self.fetch()
        self.result.write_bytes(b"damaged")
        self.assertIn("replacing", self.fetch())
        self.assertEqual(self.result.read_bytes(), CONTENT)

    def test_damaged_download_is_loaded_again(self):
        self.fetch(archive_sha256=SHA256)
        self.result.unlink()
        (fetch.SETUP / "downloads" / "m.bin").write_bytes(b"damaged")
        self.assertIn("broken", self.fetch(archive_sha256=SHA256))
        self.assertEqual(self.result.read_bytes(), CONTENT)

    def test_wrong_hashes_are_refused(self):
        self.assert_refused(SHA256, WRONG, archive_sha256=WRONG)
        self.assertFalse((fetch.SETUP / "downloads" / "m.bin").exists())
        self.assert_refused(SHA256, WRONG, sha256=WRONG)

    def test_unknown_hash_is_told_and_taken_only_when_asked_for(self):
        self.assert_refused(SHA256, "--accept-unknown", sha256=None)
        self.assertIn(SHA256, self.fetch(accept_unknown=True, sha256=None))
        self.assertEqual(self.result.read_bytes(), CONTENT)

    def test_unreachable_source_is_told(self):
        self.source.unlink()
        self.assert_refused("source", "network", ".setup/downloads/m.bin")

    def test_member_of_a_wheel_and_of_a_tar(self):
        with zipfile.ZipFile(self.source, "w") as archive:
            archive.writestr("deep/m.onnx", CONTENT)
        self.assert_refused("gone.onnx", "deep/m.onnx", member="gone.onnx")
        self.fetch(member="deep/m.onnx")
        self.assertEqual(self.result.read_bytes(), CONTENT)

        inner = self.folder / "inner"
        inner.write_bytes(CONTENT)
        with tarfile.open(self.source, "w:gz") as archive:
            archive.add(inner, "deep/m.onnx")
        self.fetch(member="m.onnx", archive="m.tar.gz", result="out/of-tar")
        self.assertEqual((self.folder / "out" / "of-tar").read_bytes(), CONTENT)


    def debian_package(self, content):
        """A package as apt would download it."""
        tree = self.folder / "tree"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN" / "control").write_text(
            "Package: m\nVersion: 1\nArchitecture: all\nMaintainer: m <m@m.m>\nDescription: m\n")
        (tree / "usr").mkdir()
        (tree / "usr" / "m.bin").write_bytes(content)
        package = self.folder / "m.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, package], check=True,
                       stdout=subprocess.DEVNULL)
        return package

    @unittest.skipUnless(shutil.which("dpkg-deb"), "needs dpkg-deb")
    def test_member_of_a_debian_package(self):
        package = self.debian_package(CONTENT)
        self.assert_refused("gone.bin", url=package.as_uri(), archive="m.deb", member="./usr/gone.bin")
        self.fetch(url=package.as_uri(), archive="m.deb", member="./usr/m.bin")
        self.assertEqual(self.result.read_bytes(), CONTENT)

    def test_debian_package_comes_from_apt(self):
        tools = self.folder / "bin"
        tools.mkdir()
        apt = tools / "apt-get"
        apt.write_text(f"#!/bin/sh\n[ \"$3\" = model ] && cp '{self.source}' model_1_all.deb "
                       "|| { echo 'E: Unable to locate package' >&2; exit 100; }\n")
        apt.chmod(0o755)
        with unittest.mock.patch.dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}"):
            self.assert_refused("Unable to locate", "apt-get update", url=None, debian="gone")
            self.fetch(url=None, debian="model")
        self.assertEqual(self.result.read_bytes(), CONTENT)


class Manifests(unittest.TestCase):
    def manifest(self, text):
        file = tempfile.NamedTemporaryFile("w", suffix=".toml")
        self.addCleanup(file.close)
        file.write(text)
        file.flush()
        return file.name

    def test_bad_manifests_are_refused(self):
        for text, word in (("[[entry", "TOML"), ('[[entry]]\nname = "m"\n', "result")):
            with self.assertRaisesRegex(FetchError, word):
                fetch.entries_of(self.manifest(text), [])

    def test_entries_of_this_machine_are_chosen(self):
        here = platform.machine().lower()
        text = "".join(
            f'[[entry]]\nname = "{machine}"\ngroup = "{group}"\nmachine = "{machine}"\n'
            'url = "x"\narchive = "x"\nresult = "x"\nlicense = "MIT"\n'
            for machine, group in ((here, "g"), ("abacus", "g"), ("abacus", "other")))
        chosen = fetch.entries_of(self.manifest(text), ["g"])
        self.assertEqual([entry["name"] for entry in chosen], [here])
        with self.assertRaisesRegex(FetchError, "abacus"):
            fetch.entries_of(self.manifest(text), ["other"])

    def test_own_manifests_are_whole(self):
        root = pathlib.Path(__file__).resolve().parent.parent
        for name in ("setup/downloads.toml", "models/manifest.toml"):
            for entry in fetch.entries_of(root / name, []):
                with self.subTest(entry["name"]):
                    if "package" in entry:
                        self.assertRegex(entry["package"], r"^[\w-]+==[\d.]+$")
                        for key in ("archive_sha256", "sha256"):
                            self.assertRegex(entry[key], r"^[0-9a-f]{64}$")
                    if "convert" in entry:
                        self.assertRegex(entry["member_sha256"], r"^[0-9a-f]{64}$")
                        script = f"models/convert/{entry['convert']}.py"
                        self.assertTrue((root / script).is_file())
                    if "license_file" in entry:
                        self.assertTrue((root / entry["license_file"]).is_file())


if __name__ == "__main__":
    unittest.main()
