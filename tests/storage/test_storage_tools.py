from dataclasses import replace

import pytest

from tfai_jupyter.core.approvals import Approvals
from tfai_jupyter.core.errors import Conflict, Forbidden, NotFound
from tfai_jupyter.core.turns import Question, Turn
from tfai_jupyter.storage.journal import DuckDBJournal
from tfai_jupyter.storage.tools import StorageTools
from tfai_jupyter.storage.variables import masked
from tfai_jupyter.storage.vault import Vault
from tfai_jupyter.storage.workspace import DiskWorkspace


class Bench:
    """Storage tools over a workspace with one module."""

    def __init__(self, home):
        """Make the workspace."""
        (home / "root" / "infra").mkdir(parents=True)
        (home / "root" / "infra" / "main.tf").write_text("# main\n")
        self.vault = Vault(home / "vault")
        self.approvals = Approvals(self.vault)
        self.workspace = DiskWorkspace(home / "root", self.vault)
        self.journal = DuckDBJournal(home / "history.duckdb")
        self.tools = StorageTools(self.workspace, self.journal, self.approvals)
        self.turn = Turn("t", Question("", user="ann"), self.workspace.root / "infra")

    async def call(self, name, **arguments):
        """Run a tool as a turn does, by name, its arguments checked."""
        tool = next(each for each in self.tools.tools() if each.spec.name == name)
        return [item async for item in tool.run(self.turn, arguments)][-1]

    async def approved(self, contents):
        """Propose, approve, and return the consent."""
        change_set = await self.workspace.propose(contents)
        binding = {"change_set": change_set.digest}
        asked = self.approvals.request(
            self.turn, "change_set", change_set.id, digest=change_set.digest, binding=binding
        )
        return self.approvals.resolve(asked.id, "approve", by="ann")

    async def apply(self, consent, **options):
        """Apply with these options of the question."""
        turn = replace(self.turn, question=Question("", options=options))
        return [item async for item in self.tools.apply(turn, consent)][-1]


@pytest.fixture
def bench(tmp_path):
    """Return tools over a workspace with one module."""
    return Bench(tmp_path)


def test_models_are_offered_only_what_reads(bench):
    """What writes, or tells of other people's turns, is a person's command."""
    tools = bench.tools.tools()
    commands = {"files", "scaffold", "changes", "undo", "history", "usage", "sql"}

    assert {"read_file", "list_files"} == {tool.spec.name for tool in tools if tool.offered}
    assert commands == {tool.spec.name for tool in tools if not tool.offered}


async def test_a_file_is_read_for_the_model_and_not_for_the_journal(bench):
    """The text is in the content alone; the event has path and hash. Paths from the root work too."""
    (bench.workspace.root / "other.tf").write_text("# other\n")
    result, from_root = await bench.call("read_file", path="main.tf"), await bench.call("read_file", path="other.tf")

    assert ("# main\n", "read infra/main.tf, 7 bytes") == (result.content, result.summary)
    assert "# main" not in str(result.data)
    assert "# other\n" == from_root.content
    with pytest.raises(NotFound):
        await bench.call("read_file", path="absent.tf")
    with pytest.raises(Forbidden):
        await bench.call("read_file", path="../../x.tf")


async def test_values_of_variables_are_hidden_from_a_model(bench):
    """A variables file shows its names; which values are secret is declared elsewhere."""
    (bench.turn.directory / "terraform.tfvars").write_text('token = "s3cret"\ncount = 3\n')

    result = await bench.call("read_file", path="terraform.tfvars")
    assert 'token = "[REDACTED:tfvars]"\ncount = 3\n' == result.content


def test_masking_keeps_the_shape_of_a_variables_file():
    """Keys stay readable; strings, escaped quotes and here-documents do not."""
    text = 'm = { "key" = "a\\"b", x = "" }\nl = ["one", 2]\nh = <<-EOT\n  secret\n  EOT\n'
    expected = (
        'm = { "key" = "[REDACTED:tfvars]", x = "" }\nl = ["[REDACTED:tfvars]", 2]\n'
        "h = <<-EOT\n[REDACTED:tfvars]\n  EOT\n"
    )

    assert expected == masked(text)
    assert '{"key": "[REDACTED:tfvars]"}' == masked('{"key": "value"}')


async def test_files_are_listed_with_the_state_of_the_directory(bench):
    """The summary says how many and whether it is initialized; rows are for programs."""
    (bench.turn.directory / ".terraform").mkdir()
    result = await bench.call("files")

    assert "1 files in infra (initialized)" == result.summary
    assert ["main.tf", 7] == result.data["rows"][0]
    assert result == await bench.call("list_files", dir=".")


async def test_a_starter_module_is_drafted_and_overwrites_nothing(bench):
    """Four files are drafted below the turn's directory; where one exists nothing is."""
    result = await bench.call("scaffold", dir="net", description="A network.")

    names = ["infra/net/main.tf", "infra/net/outputs.tf", "infra/net/variables.tf", "infra/net/versions.tf"]
    assert names == sorted(bench.turn.draft)
    assert bench.turn.draft["infra/net/main.tf"].startswith("# A network.\n")
    assert "infra/net" in result.summary
    bench.turn.draft.clear()
    with pytest.raises(Conflict, match=r"already has a main\.tf"):
        await bench.call("scaffold", dir=".")
    assert {} == bench.turn.draft


async def test_an_approved_change_set_is_written_and_undone(bench):
    """The applier says what it wrote, with hashes for the audit; undo puts it back and says that."""
    consent = await bench.approved({"infra/main.tf": "# new\n", "infra/a.tf": "# a\n"})
    applied = await bench.apply(consent)

    assert "wrote 2 files: infra/a.tf, infra/main.tf" == applied.summary
    assert ("applied", consent.approval.subject_id) == (applied.data["done"], applied.data["change_set_id"])
    assert ["create", "update"] == [file["action"] for file in applied.data["files"]]
    undone = await bench.call("undo")
    assert undone.summary.startswith("put back 1 file: infra/main.tf; removed 1 file: infra/a.tf. ")
    assert "undone" == undone.data["done"]
    assert "# main\n" == (bench.turn.directory / "main.tf").read_text()
    with pytest.raises(NotFound, match="nothing to undo"):
        await bench.call("undo")


async def test_a_part_of_what_was_approved_can_be_taken(bench):
    """Only the chosen files are written, named in the event, and undone."""
    consent = await bench.approved({"infra/main.tf": "# new\n", "infra/a.tf": "# a\n"})
    applied = await bench.apply(consent, files=["infra/a.tf"])

    assert "wrote 1 file: infra/a.tf" == applied.summary
    assert "# main\n" == (bench.turn.directory / "main.tf").read_text()
    assert "removed 1 file: infra/a.tf." in (await bench.call("undo")).summary


async def test_only_what_was_approved_is_written(bench):
    """A proposal that was exchanged in the vault, or a file that changed, stops the applier."""
    consent = await bench.approved({"infra/main.tf": "# new\n"})
    other = await bench.workspace.propose({"infra/main.tf": "# evil\n"})
    stored = bench.vault.read("change_sets", consent.approval.subject_id)
    evil = bench.vault.read("change_sets", other.id) | {"id": consent.approval.subject_id}
    bench.vault.write("change_sets", consent.approval.subject_id, evil)

    with pytest.raises(Conflict, match="not the one that was approved"):
        await bench.apply(consent)
    bench.vault.write("change_sets", consent.approval.subject_id, stored | {"contents": evil["contents"]})
    with pytest.raises(Conflict, match="does not hold the texts"):
        await bench.apply(consent)
    bench.vault.write("change_sets", consent.approval.subject_id, stored)
    (bench.turn.directory / "main.tf").write_text("# edited\n")
    with pytest.raises(Conflict, match=r"infra/main\.tf changed"):
        await bench.apply(consent)
    assert "# edited\n" == (bench.turn.directory / "main.tf").read_text()


async def test_changes_shows_what_waits_and_what_can_be_undone(bench):
    """A row has the id to approve; what no approval waits for is not shown."""
    await bench.apply(await bench.approved({"infra/a.tf": "# a\n"}))
    await bench.workspace.propose({"infra/forgotten.tf": ""})
    change_set = await bench.workspace.propose({"infra/b.tf": "# b\n"}, summary="adds b")
    asked = bench.approvals.request(bench.turn, "change_set", change_set.id, digest=change_set.digest, binding={})
    rows = (await bench.call("changes")).data["rows"]

    assert ["pending", change_set.id, "infra/b.tf", "adds b", asked.id] == rows[0]
    assert ["applied", "infra/a.tf"] == [rows[1][0], rows[1][2]]


async def test_a_read_only_session_undoes_nothing(bench):
    """Undo writes files, so it is refused where nothing may be written."""
    await bench.apply(await bench.approved({"infra/a.tf": "# a\n"}))
    bench.tools = StorageTools(bench.workspace, bench.journal, bench.approvals, read_only=True)

    with pytest.raises(Forbidden, match="TFAI_READ_ONLY"):
        await bench.call("undo")


async def test_history_usage_and_sql_are_views_of_the_journal(bench, answer_events, change_events):
    """Each command's rows are named, and limits are kept."""
    for event in (*answer_events, *change_events):
        bench.journal.append(event)
    history = (await bench.call("history", limit=1)).data
    usage = {by: (await bench.call("usage", by=by)).data for by in ("day", "model", "tool", "user")}
    counted = await bench.call("sql", query="SELECT count(*) AS n FROM turns")

    assert [["approve", "/approve", "ok"]] == [row[1:4] for row in history["rows"]]
    assert ["day", "turns", "input_tokens", "output_tokens", "cost_usd"] == usage["day"]["columns"]
    assert [["2026-01-01", 2, 20, 10, 0.5]] == usage["day"]["rows"]
    assert [["openai", "gpt", 2, 20, 10, 0.5]] == usage["model"]["rows"]
    assert [["apply_change_set", 1, 0, 7]] == usage["tool"]["rows"]
    assert [["ann", 2, 20, 10, 0.5]] == usage["user"]["rows"]
    assert ("1 rows", [[2]]) == (counted.summary, counted.data["rows"])
    await bench.journal.aclose()
