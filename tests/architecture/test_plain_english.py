"""Keep known patterns of unclear English out of messages, help, docstrings, comments, prompts, docs and configuration.

Each pattern has a reason, a sentence that it must catch and a plain one that it must not catch.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT_FILES = ("README.md", "CHANGELOG.md", "docs/*.md", "prompts/*.md", "configs/*.toml")


@dataclass(frozen=True)
class Pattern:
    """A regular expression over text with single spaces, matched in any case."""

    regex: str
    reason: str
    bad: str
    plain: str

    def find(self, text: str) -> str | None:
        """Return the words matched, or None."""
        found = re.search(self.regex, text, re.IGNORECASE)
        return found[0] if found else None


PATTERNS = (
    Pattern(
        r"(?<!there )\b(?:is|are|was|were|be) no (?!longer\b|more\b|less\b|better\b|worse\b|different\b)\w",
        "write 'is not a' or 'is not valid'",
        "'p1' is no id",
        "'p1' is not a valid id; there is no agent 'ana'; it is no longer used",
    ),
    Pattern(
        r"\b(?:that|which|it) (?:is|are|was) none\b",
        "say what is invalid",
        "ConfigError for a base URL that is none",
        "ConfigError if base_url is not a URL",
    ),
    Pattern(r"\bso manieth\b", "not English", "every so manieth row is a sample", "sample one row in 61"),
    Pattern(r"\bwho(?:m|so)?ever\b", "name the person or the caller", "by whomever", "no matter who made it"),
    Pattern(r"\bshall\b", "use 'must', 'will' or the present tense", "the agent shall stop", "the agent stops"),
    Pattern(r"\bnobody\b", "say what is missing", "it stands for nobody", "no terminal to ask at"),
    Pattern(r"\bnot here:", "say what another module does, if it matters", "Not here: the lock", "The lock is in x.py"),
    Pattern(r"\bseen today\b", "write what happens, without a date", "Seen today: a crash", "A crash is possible"),
    Pattern(
        r"\b(?:doors?|furnish\w*|rooms)\b|\ba room is\b|\b(?:each|every|which|no) room of\b|\broom has\b",
        "no metaphors of houses, rooms and doors",
        "What no room has foreseen",
        "Unexpected errors; there is room for 20 tokens",
    ),
    Pattern(r"(?<!--tag )\bhouse\b", "no metaphors of houses", "the house rules", "--tag house"),
    Pattern(
        r"\btold (?:to|of)\b|\b(?:is|are|was|were|be|been) told\b(?! apart)",
        "say what is shown, returned or reported, and where",
        "an error is told to the reader",
        "the command prints an error; they can be told apart",
    ),
    Pattern(
        r"\bknows? (?:nothing|no|neither|of)\b",
        "modules do not know; say what they do not depend on",
        "It knows nothing of words",
        "It does not depend on the ranking",
    ),
    Pattern(r"\bkeeps in mind\b", "say 'caches' or 'stores'", "words a tokenizer keeps in mind", "cached words"),
    Pattern(
        r"\b(?:die|dies|died) (?:of|under)\b|\bshould (?:it|this|that|they|the|a)\b[^?]*$|\bkill whoever\b",
        "say 'crash', and write conditions with 'if'",
        "the probe may die of it",
        "the probe may crash",
    ),
    Pattern(
        r"\bfor ever\b|(?<!`)\banew\b(?!`)|\bas ever\b|\bat hand\b|\bupon\b|\bbut for\b|\bwhence\b"
        r"|\bthere?in\b|\blest\b",
        "archaic",
        "a pattern that takes for ever is divided anew",
        "a pattern that never finishes is split again",
    ),
    Pattern(
        r"\bgo(?:es|ne|ing)? on with\b|\btake leave\b|\bsees? to (?:it|its)\b|\bat (?:its|their) (?:one )?word\b",
        "use the plain verb: resume, continue, delete, check",
        "a turn that is not to be gone on with",
        "do not resume the turn",
    ),
    Pattern(
        r"\bspeaks? of\b|\bspoke of\b",
        "say 'mention' or 'contain'",
        "looking for what speaks of it",
        "searching for messages that mention it",
    ),
    Pattern(
        r"\b(?:came|comes|come) (?:of it|to nothing)\b|\bwhat (?:a|an|the|each|every) [\w ]{1,20} came to\b"
        r"|\bthe one before came\b",
        "say 'result' or 'outcome'",
        "each whatever the one before came to",
        "each one even if the previous one failed",
    ),
    Pattern(
        r"\bthat there (?:is|are|was|never was)\b(?! (?:no|a|an|nothing|something)\b)|\bthere never was\b"
        r"|\bis that there\b",
        "say 'existing', 'unknown' or 'does not exist'",
        "the record of an agent that there is; a tag that there never was",
        "an existing agent; it says that there is no tag",
    ),
    Pattern(
        r"\b(?:is|are) (?:not )?to be (?:had|seen|said|told|gone|kept|entered|forgotten|loaded|written|given|undone)\b",
        "use 'must', 'can' or the present tense",
        "a folder not to be entered is to be seen",
        "the folder cannot be opened",
    ),
    Pattern(
        r", nor (?:is|are|does|do|has|have|can|was|were)\b|\bneither (?:is|are|does|do|has|have|can) ",
        "subject first, verb second",
        "it is no command, nor is a lone slash",
        "neither a path nor a single slash is a command",
    ),
    Pattern(
        r"(?:^|[.!?] )What (?:is|are|was|were|stands?|comes?|came|goes|has|have|had|no|fails?|failed|belongs?"
        r"|holds?|lies|remains|stays|waits|wants|cannot|can|may|must|follows|leaves|left|leads)\b(?![^.]*\?)",
        "subject first: name the thing instead of 'what is ...'",
        "What is named goes with its whole turn",
        "The selected items are deleted together with their turn",
    ),
    Pattern(r"\bhindrance\b|\bhinders?\b", "say 'prevent' or 'block'", "that is no hindrance", "that does not block"),
    Pattern(
        r"\bof equal ones\b|\bof (?:itself|themselves) (?:is|are)\b",
        "say 'duplicates'",
        "duplicates: of equal ones in a file each is one",
        "duplicates within a file get distinct ids",
    ),
)

# Text about words, not written in them.
EXEMPT = {
    ("memgpt_cli/text/vocabulary.py", "shall"): "a stop word",
    ("memgpt_cli/text/vocabulary.py", "upon"): "a stop word",
    ("docs/models.md", "shall"): "a line that a model says in an example",
}


def python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each comment and each string with a space. A block of comment lines is one text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    block: list[str] = []
    begin = end = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            alone = token.line[: token.start[1]].strip() == ""
            if not block or token.start[0] != end + 1 or not alone:
                if block:
                    yield begin, " ".join(block)
                block, begin = [], token.start[0]
            block.append(token.string.lstrip("# "))
            end = token.start[0]
    if block:
        yield begin, " ".join(block)


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """First line and text of each paragraph, list item, table row and comment block of a text file."""
    block: list[str] = []
    begin = 0
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        line = raw.strip().lstrip("# ")
        if block and (not line or raw.lstrip().startswith(("#", "* ", "- ", "|", "```"))):
            yield begin, " ".join(block)
            block = []
        if line:
            begin = begin if block else number
            block.append(line)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """First line and text, with single spaces, of everything in a file that a person may read."""
    content = path.read_text(encoding="utf-8")
    found = python_texts(content) if path.suffix == ".py" else paragraphs(content)
    return ((line, " ".join(text.split())) for line, text in found)


def files() -> list[Path]:
    named = [path for pattern in TEXT_FILES for path in sorted(ROOT.glob(pattern))]
    return [*named, *sorted((ROOT / "memgpt_cli").rglob("*.py"))]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.bad)
def test_a_pattern_catches_its_bad_example_and_not_its_plain_one(pattern: Pattern) -> None:
    assert pattern.find(pattern.bad)
    assert pattern.find(pattern.plain) is None


def test_all_text_is_free_of_the_patterns() -> None:
    found = []
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        for line, text in texts(path):
            for pattern in PATTERNS:
                words = pattern.find(text)
                if words and (name, words.lower()) not in EXEMPT:
                    found.append(f"{name}:{line}: {words!r} ({pattern.reason}): {text[:100]}")
    assert found == [], "\n".join([f"{len(found)} places:", *found])


def test_text_is_read_from_strings_comments_and_paragraphs(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""A title."""\n\n# one\n# two\nx = f"a b {1} c d"  # three\n', encoding="utf-8")
    assert {text for _, text in texts(module)} >= {"A title.", "one two", "three", "a b", "c d"}
    page = tmp_path / "page.md"
    page.write_text("# Title\n\nA line\nand another.\n\n* item\n| row |\n", encoding="utf-8")
    assert list(texts(page)) == [(1, "Title"), (3, "A line and another."), (6, "* item"), (7, "| row |")]
