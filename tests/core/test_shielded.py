"""A model never sees a secret."""

from tfai_jupyter.core.messages import Message, Prompt, ToolSpec
from tfai_jupyter.core.redaction import Redactor
from tfai_jupyter.core.shielded import ShieldedModel
from tfai_jupyter.testing import ScriptedModel, collect


class Door(ScriptedModel):
    """A scripted model that tells who came by."""

    def __init__(self, *replies):
        """Begin with nobody."""
        super().__init__(*replies)
        self.seen = []

    async def prepare(self):
        """Tell of it."""
        self.seen.append("prepare")

    async def ping(self):
        """Tell of it."""
        self.seen.append("ping")

    async def aclose(self):
        """Tell of it."""
        self.seen.append("aclose")


async def test_prompts_are_masked_and_tools_are_not():
    """What people and files say is masked; a schema's `string` stays though somebody's variable says so."""
    redactor, model = Redactor(), ScriptedModel(["fine"])
    redactor.learn(["swordfish", "string"])
    tool = ToolSpec("read", "Read.", {"type": "object", "properties": {"path": {"type": "string"}}})
    prompt = Prompt((Message("user", "it is swordfish"),), (tool,), "ask")
    pieces = await collect(ShieldedModel(model, redactor).stream(prompt))

    assert ["fine"] == pieces
    assert "swordfish" not in repr(model.prompts)
    assert ((tool,), "ask") == (model.prompts[0].tools, model.prompts[0].task)


async def test_everything_else_is_the_model_behind():
    """Name, readiness, health and end are its own."""
    door = Door()
    shielded = ShieldedModel(door, Redactor())
    await shielded.prepare()
    await shielded.ping()
    await shielded.aclose()

    assert (door.name, ["prepare", "ping", "aclose"]) == (shielded.name, door.seen)


async def test_leaving_early_ends_the_call():
    """Closing the stream closes the one behind it, at once."""
    ended = []

    class Slow(ScriptedModel):
        async def stream(self, prompt):
            try:
                yield prompt.task
                yield "never"
            finally:
                ended.append("call")

    pieces = ShieldedModel(Slow(), Redactor()).stream(Prompt(()))
    await anext(pieces)
    await pieces.aclose()

    assert ["call"] == ended
