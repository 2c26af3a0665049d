"""docs/sources is what the emulator's catalogue says."""

from docs import sources


def test_the_pages_are_up_to_date() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in sources.FOLDER.glob("*.md")}
    assert written == sources.pages(), "run python tests/docs/sources.py"
