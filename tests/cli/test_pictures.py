"""The pictures of the README are what their script draws of the real program today, numbers and dates aside."""

import importlib.util
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("pexpect", reason="there are no pseudo-terminals on this system")

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pictures as they would be drawn now."""
    spec = importlib.util.spec_from_file_location("make_pictures", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    spec.loader.exec_module(script)
    sys.path[:] = path
    folder = tmp_path_factory.mktemp("pictures")
    script.draw(folder)
    return folder


def shown(picture: Path) -> str:
    """The words of a picture: numbers are all alike, however wide, and so are bars."""
    words = [element.text or "" for element in ET.parse(picture).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own file
    text = " ".join(" ".join(words).split())
    return re.sub(r"([█░▒]) ?(?=\1)", "", re.sub(r"\d[\d.,:%-]*", "#", text))


@pytest.mark.parametrize("name", ["chat.svg", "context.svg"])
def test_a_picture_is_current(drawn: Path, name: str) -> None:
    assert shown(FOLDER / name) == shown(drawn / name), "not current: python docs/pictures/make.py"


def test_they_show_what_the_program_is_for() -> None:
    chat, context = shown(FOLDER / "chat.svg"), shown(FOLDER / "context.svg")
    for told in (
        "+ I moved to Porto last week.",
        "moved to recall storage",
        'You told me on # March # "Mara is allergic to peanuts',
    ):
        assert told in chat.replace("#: ", "# ")
    for part in ("instructions", "core memory", "summary", "queue", "free", "in all"):
        assert part in context


@pytest.mark.parametrize("name", ["chat.svg", "context.svg"])
def test_a_picture_needs_nothing_from_the_network(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    links = re.findall(r"(?:href|src|url\()\s*=?\s*[\"']?([^\"')\s]+)", text)
    assert all(link.startswith("#") for link in links), links
    assert "@import" not in text
    assert "@font-face" not in text
