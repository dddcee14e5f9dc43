"""`memgpt search`: one question to everything, each hit with the place where it lives."""

from support.command_line import CommandLine


def test_each_hit_says_where_it_lives(memgpt: CommandLine) -> None:
    memgpt("memory", "append", "human", "Plays the piano")
    memgpt("send", "My piano was tuned in March.")
    memgpt("archival", "add", "The piano tuner is called Tom", "--tag", "piano")
    found = memgpt.json("search", "search", "piano")
    assert {(hit["where"], hit["id"]) for hit in found["hits"]} >= {
        ("core", "human"),
        ("recall", "m1"),
        ("archival", "p1"),
    }
    told = memgpt("search", "who tuned the piano").out
    assert "core memory  human, line 1" in told
    assert "archival  p1" in told


def test_all_agents_are_asked_and_named(memgpt: CommandLine) -> None:
    for name in ("ada", "bob"):
        memgpt("agent", "create", name, "--human", f"{name} lives in Lisbon")
    found = memgpt.json("search", "search", "Lisbon", "--all-agents")
    assert {(hit["agent"], hit["text"]) for hit in found["hits"]} == {
        ("ada", "ada lives in Lisbon"),
        ("bob", "bob lives in Lisbon"),
    }
    assert "bob: core memory" in memgpt("search", "Lisbon", "--all-agents").out
    assert "there is no agent" in memgpt("search", "Lisbon", "-a", "carol", code=3).err


def test_the_newest_year_can_be_asked_alone(memgpt: CommandLine) -> None:
    for year in (2021, 2023):
        memgpt("send", f"In {year} I sailed to Madeira.", "--created-at", f"{year}-05-01T12:00")
    hits = memgpt.json("search", "search", "sailed to Madeira", "--since", "2023", "--until", "2023")["hits"]
    assert hits
    assert {hit["created_at"][:4] for hit in hits} == {"2023"}


def test_an_empty_question_is_refused(memgpt: CommandLine) -> None:
    memgpt("memory", "set", "human", "Name: Ada")
    assert "nothing to search for" in memgpt("search", "  ", code=2).err


def test_an_exact_identifier_shows_only_what_holds_it(memgpt: CommandLine) -> None:
    memgpt("archival", "add", "The plumber has the number +49 30 1234567")
    memgpt("archival", "add", "The electrician has another number, +49 30 7654321")
    memgpt("send", "Call the plumber about the number.")
    question = "who has the number 0301234567 or +49301234567"
    asked = "whose number is +49301234567"
    assert len(memgpt.json("search", "search", question)["hits"]) > 1  # two identifiers: the ranking as it is
    assert [hit["id"] for hit in memgpt.json("search", "search", asked)["hits"]] == ["p1"]
    found = memgpt.json("archival-search", "archival", "search", asked)
    assert ([hit["id"] for hit in found["hits"]], found["total"], found["weak"]) == (["p1"], 1, False)
    assert found["hits"][0]["why"]["attention"] == 1
    assert memgpt.json("archival-search", "archival", "search", asked, "--page", "1")["hits"] == []
