"""The docs that come from the code are what the code says, and the list of decisions is whole."""

import subprocess
import sys

from tests.architecture.source import ROOT


def test_generated_pages_are_current():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr


def test_every_decision_is_listed():
    folder = ROOT / "docs" / "adr"
    listed = (folder / "README.md").read_text("utf-8")
    decisions = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name for name in decisions if f"]({name})" not in listed] == []
    assert [int(name[:4]) for name in decisions] == list(range(1, len(decisions) + 1))


def test_pinned_versions_name_no_index():
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        name, equals, version = line.partition("==")
        assert name, line
        assert equals, line
        assert version, line
        assert "/" not in line, line
