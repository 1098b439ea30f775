#!/usr/bin/env python3
"""kernel-support joins what the kernels say, and sees every document that says something else."""

import os
import subprocess
import tempfile
import unittest

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kernel-support")
ANSWER = """## Kernel {series}

Release {series}{release}, agent 0.1.0.

| fault | supported | mechanism | limits |
| --- | --- | --- | --- |
| delay | yes | BPF \\| netem | {limits} |
| loss | {loss} | {how} |  |
"""


class KernelSupport(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.results = folder.name
        self.document = os.path.join(folder.name, "kernel-support.md")
        self.answer("6.1", limits="no seed")
        self.answer("6.12")
        self.assertEqual(self.tool("--write", "6.1", "6.12"), (0, ""))

    def answer(self, series, folder=None, release=".0-1-amd64", limits="", loss="yes", how="a black hole"):
        path = os.path.join(self.results, folder or series)
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, "kernel-support.md"), "w") as file:
            file.write(ANSWER.format(series=series, release=release, limits=limits, loss=loss, how=how))

    def tool(self, *arguments):
        done = subprocess.run([TOOL, "--results", self.results, "--document", self.document, *arguments], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def text(self):
        with open(self.document) as file:
            return file.read()

    def differs(self, *said):
        code, text = self.tool()
        self.assertEqual(code, 1, text)
        for part in (*said, "tests/kernel/kernel-support --write --results"):
            self.assertIn(part, text)
        self.assertEqual(self.tool("--write"), (0, ""))
        self.assertEqual(self.tool(), (0, ""))

    def test_one_row_a_fault_one_column_a_kernel(self):
        self.assertIn("| fault | mechanism | Linux 6.1 | Linux 6.12 |\n| --- | --- | --- | --- |\n"
                      "| delay | BPF \\| netem | yes; no seed | yes |\n| loss | a black hole | yes | yes |\n",
                      self.text())
        self.assertEqual(self.tool(), (0, ""))

    def test_another_release_of_the_series_changes_nothing(self):
        self.answer("6.12", release=".99+deb13-amd64")
        self.assertEqual(self.tool(), (0, ""))
        self.answer("6.1", limits="no seed; in this release not beside others")
        self.assertEqual(self.tool(), (0, ""))

    def test_a_planted_change_is_seen(self):
        for place, change in (("no seed", "a seed"), ("| yes |\n", "| no |\n"), ("a black", "a white"), ("# What", "# How")):
            with self.subTest(place):
                text = self.text()
                with open(self.document, "w") as file:
                    file.write(text.replace(place, change, 1))
                self.differs(f"-{change}" if place.startswith("#") else change)
                self.assertEqual(self.text(), text)

    def test_what_a_kernel_says_anew_is_seen(self):
        self.answer("6.12", limits="no hope")
        self.differs("+| delay | BPF \\| netem | yes; no seed | yes; no hope |")
        self.answer("6.1", loss="no: no sch_blackhole", how="magic")
        self.differs("+| loss | 6.1: magic; 6.12: a black hole | no: no sch_blackhole | yes |")

    def test_a_missing_document_is_wrong(self):
        os.remove(self.document)
        self.assertEqual(self.tool("6.1", "6.12")[0], 1)
        self.assertEqual(self.tool()[0], 2)

    def test_without_every_answer_it_makes_nothing(self):
        before = self.text()
        os.remove(os.path.join(self.results, "6.12", "kernel-support.md"))
        code, text = self.tool("--write")
        self.assertEqual(code, 2)
        self.assertIn("no answer of kernel 6.12", text)
        self.answer("6.1", folder="6.12")
        self.assertEqual(self.tool("--write")[0], 2)
        self.answer("6.12", loss="yes | what")
        self.assertEqual(self.tool("--write")[0], 2)
        self.assertEqual(self.text(), before)


if __name__ == "__main__":
    unittest.main()
