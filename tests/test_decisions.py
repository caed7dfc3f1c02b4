"""Records of decisions: what the code points to exists, and every record is pointed at."""

from __future__ import annotations

import re
from pathlib import Path

import gpla_assets

ROOT = Path(gpla_assets.__path__[0])
RECORDS = ROOT / "docs" / "decisions"
POINTER = re.compile(r"\bdecision (\d{4})\b")
HEADS = ("Question", "Weighed", "Decision", "What would change it")
MOST_LINES = 40


def pointers(root: Path) -> dict[str, list[str]]:
    """The numbers that the source below a folder points to, each with the files."""
    found: dict[str, list[str]] = {}
    for path in sorted(root.rglob("*.py")):
        for number in POINTER.findall(path.read_text("utf-8")):
            found.setdefault(number, []).append(path.relative_to(root).as_posix())
    return found


def faults(root: Path, records: Path) -> list[str]:
    """What is wrong between the source below `root` and the records."""
    numbers = [path.name[:4] for path in sorted(records.glob("[0-9]*.md"))]
    pointed = pointers(root)
    return [
        *(f"{files[0]} points to {n}, which is no record" for n, files in pointed.items()
          if n not in numbers),
        *(f"nothing points to {number}" for number in numbers if number not in pointed),
        *(f"{number} stands twice" for number in set(numbers) if numbers.count(number) > 1),
    ]  # fmt: skip


def test_code_points_to_records_that_exist_and_to_each_of_them() -> None:
    assert len(pointers(ROOT)) > 0
    assert faults(ROOT, RECORDS) == []


def test_a_missing_record_and_one_that_nobody_points_to_are_found(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("# decision 0001\n# decision 0003\n", "utf-8")
    for number in ("0001", "0002"):
        (tmp_path / f"{number}-one.md").write_text("", "utf-8")
    (tmp_path / "0002-other.md").write_text("", "utf-8")
    assert faults(tmp_path, tmp_path) == [
        "code.py points to 0003, which is no record",
        *["nothing points to 0002"] * 2,
        "0002 stands twice",
    ]


def test_records_are_short_and_say_what_a_record_says() -> None:
    for path in RECORDS.glob("[0-9]*.md"):
        text = path.read_text("utf-8")
        assert text.startswith(f"# {path.name[:4]} "), path.name
        assert len(text.splitlines()) <= MOST_LINES, path.name
        for head in HEADS:
            assert f"**{head}.**" in text, (path.name, head)


def test_the_index_names_every_record() -> None:
    rows = (RECORDS / "README.md").read_text("utf-8").splitlines()
    found = dict(re.findall(r"\[(\d{4})\]\((\S+)\)", row)[0] for row in rows if "](0" in row)
    assert found == {path.name[:4]: path.name for path in RECORDS.glob("[0-9]*.md")}
