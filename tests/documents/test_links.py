# SPDX-License-Identifier: MPL-2.0
"""The links between the documents and to files of the repository are valid."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *(page for folder in ("docs", "models", "tests", "examples")
                                   for page in (ROOT / folder).rglob("*.md"))]


def anchors(page):
    """Those that Markdown renderers give the headings."""
    headings = re.findall(r"^#+(.*)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w -]", "", heading.strip()).lower().replace(" ", "-") for heading in headings}


class Links(unittest.TestCase):
    def test_every_link_within_the_repository_leads_somewhere(self):
        links = [(page, link) for page in DOCUMENTS
                 for link in re.findall(r"\]\(([^)]*)\)", page.read_text(encoding="utf-8")) if "://" not in link]
        self.assertGreater(len(links), 20)
        for page, link in links:
            with self.subTest(page=str(page), link=link):
                file, _, anchor = link.partition("#")
                target = page.parent / file if file else page
                self.assertTrue(target.exists(), "no such file")
                if anchor:
                    self.assertIn(anchor, anchors(target), "no such heading")


if __name__ == "__main__":
    unittest.main()
