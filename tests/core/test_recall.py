"""What a model could be shown of a turn, gathered from where it lies."""

import pytest

from tfai_jupyter.core.absent import NoRetriever
from tfai_jupyter.core.errors import Forbidden, NotFound
from tfai_jupyter.core.messages import Message
from tfai_jupyter.core.recall import Recall
from tfai_jupyter.core.results import Passage
from tfai_jupyter.core.turns import Attachment
from tfai_jupyter.testing import StaticRetriever

PASSAGE = Passage("p", "VPC", "https://example.com", 0.5)


@pytest.fixture
def recall(world):
    """Make a recall that finds one passage."""
    return Recall(world.workspace, world.journal, StaticRetriever(PASSAGE))


async def test_everything_is_gathered(world, recall):
    """History, passages, files, attachments; nothing went without."""
    await world.ask("one?", replies=[["One."]])
    (world.root / "main.tf").write_text("a = 1\n")
    turn = world.turn("two?", attachments=(Attachment("file", path="main.tf"), Attachment("cell", text="x")))
    material, notices = await recall.gather(turn, "two, exactly?")

    assert ("two, exactly?", (PASSAGE,), ()) == (material.question, material.passages, notices)
    assert (Message("user", "one?"), Message("assistant", "One.")) == material.history
    assert ["main.tf"] == [file.path for file in material.snapshot.files]
    assert (Attachment("file", "main.tf", "a = 1\n", "main.tf"), Attachment("cell", text="x")) == material.attachments


async def test_paths_are_shown_as_tools_take_them(world, recall):
    """A model that is shown `main.tf` can read `main.tf`, wherever below the root the turn stands."""
    (world.root / "infra" / "network").mkdir(parents=True)
    (world.root / "infra" / "main.tf").write_text("a = 1\n")
    (world.root / "infra" / "network" / "vpc.tf").write_text("b = 1\n")
    turn = world.turn("why?")
    turn.directory = world.root / "infra"
    material, _ = await recall.gather(turn, "why?")

    assert {"main.tf", "network/vpc.tf"} == {file.path for file in material.snapshot.files}


async def test_a_directory_that_is_not_there_yet_has_no_files(world, recall):
    """Files for it are about to be proposed."""
    turn = world.turn("why?")
    turn.directory = world.root / "new"
    material, notices = await recall.gather(turn, "why?")

    assert ((), ()) == (material.snapshot.files, notices)


@pytest.mark.parametrize(("text", "options"), [("", {}), ("why?", {"no_docs": True})])
async def test_documentation_is_searched_only_where_it_helps(world, recall, text, options):
    """Not for a text that is empty, nor where a person wants none."""
    material, _ = await recall.gather(world.turn(text, options=options), "why?")

    assert () == material.passages


@pytest.mark.parametrize(("path", "error"), [("gone.tf", NotFound), ("../x.tf", Forbidden), ("a.tfstate", Forbidden)])
async def test_a_file_somebody_named_must_be_readable(world, path, error):
    """A person who sends a file along is told when it cannot be read, rather than answered without it."""
    (world.root / "a.tfstate").write_text("{}")
    recall = Recall(world.workspace, world.journal, NoRetriever())
    with pytest.raises(error):
        await recall.attachments(world.turn("why?", options={"files": [path]}))
