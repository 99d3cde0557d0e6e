import asyncio
import json
import time

import pytest

from tfai_jupyter.core.errors import Invalid, JournalUnavailable
from tfai_jupyter.core.events import TextDelta, ToolFinished, ToolStarted, TurnFailed, TurnFinished, TurnStarted
from tfai_jupyter.core.messages import Message, ModelName
from tfai_jupyter.storage.journal import DuckDBJournal

AT = "2026-01-01T00:00:00.000001Z"


@pytest.fixture
def path(tmp_path):
    """Return where the journal is; its directory is made by it."""
    return tmp_path / "tfai" / "history.duckdb"


def turn(turn_id, *events, conversation="c1", question="why?", command="ask", at=AT):
    """Return a turn's events, numbered."""
    first = TurnStarted(conversation, "r", ModelName("p", "m"), "", command, question, "ann", "cli")
    for number, event in enumerate((first, *events), 1):
        for name, value in (("turn_id", turn_id), ("seq", number), ("at", at)):
            object.__setattr__(event, name, value)
        yield event


async def filled(path, *turns, **options):
    """Open a journal and append turns."""
    journal = DuckDBJournal(path, **options)
    for events in turns:
        for event in events:
            journal.append(event)
    await journal.flush()
    return journal


async def column(journal, sql):
    """Return the first column of a query."""
    return [row[0] for row in (await journal.query(sql)).rows]


async def test_events_come_back_as_they_were_emitted(path, answer_events):
    """Pieces of text share a row in the file and are split again, also in the middle of a row."""
    journal = await filled(path, answer_events)

    assert tuple(answer_events) == await journal.events("t-answer")
    assert tuple(answer_events[4:]) == await journal.events("t-answer", after=4)
    assert () == await journal.events("t-answer", after=8)
    assert () == await journal.events("nothing")
    assert [3] == await column(journal, "SELECT count(*) FROM events")
    await journal.aclose()


async def test_what_was_appended_outlives_the_process(path, answer_events):
    """Another journal reads the file that the first one closed."""
    await (await filled(path, answer_events)).aclose()
    journal = DuckDBJournal(path)

    assert tuple(answer_events) == await journal.events("t-answer")
    assert "" == journal.notice
    await journal.aclose()


async def test_turns_tell_who_asked_what_and_how_it_ended(path, answer_events):
    """A row begins with the first event and is completed by the last one."""
    failed = turn("t-late", TurnFailed("timeout", "too late"))
    stopped, running = turn("t-stop", TurnFinished("cancelled")), turn("t-open")
    broken = turn("t-broken", TurnFailed("model_error", "no"))
    journal = await filled(path, answer_events, failed, stopped, running, broken, trace=lambda: "trace-1")
    row = (await journal.query("SELECT * EXCLUDE (started_at) FROM turns WHERE turn_id = 't-answer'")).rows[0]
    ends = dict((await journal.query("SELECT turn_id, outcome FROM turns")).rows)
    used = (await journal.query("SELECT input_tokens, output_tokens, cost_usd FROM turns WHERE outcome = 'ok'")).rows

    assert ("t-answer", "c1", "ann", "notebook", "ask", "infra", "req", "trace-1", "openai", "gpt") == row[:10]
    expected = {"t-answer": "ok", "t-late": "timeout", "t-stop": "cancelled", "t-open": None, "t-broken": "error"}
    assert expected == ends
    assert ((10, 5, 0.25),) == used
    await journal.aclose()


async def test_views_have_the_columns_of_the_contract(path, answer_events, change_events):
    """What the contract names can be queried, and holds what the events said."""
    journal = await filled(path, answer_events, change_events)
    expected = {
        "messages": "conversation_id, turn_id, role, content, created_at",
        "tool_runs": "turn_id, call_id, tool, arguments, outcome, summary, started_at, duration_ms",
        "approvals": "approval_id, turn_id, kind, subject_id, risk, decision, decided_by, created_at, decided_at",
        "changes": "change_set_id, turn_id, path, action, before_sha256, after_sha256, applied_at, undone_at",
        "usage_daily": "day, user, provider, model, turns, input_tokens, output_tokens, cost_usd",
        "audit": "seq, created_at, user, action, subject, detail, previous_hash, hash",
    }
    found = {name: ", ".join((await journal.query(f"FROM {name}")).columns) for name in expected}

    assert expected == found
    assert ["why?", "/approve"] == await column(
        journal, "SELECT content FROM messages WHERE role = 'user' ORDER BY turn_id"
    )
    assert "Use a 'module'.\n\0é💥 Done." in await column(journal, "SELECT content FROM messages")
    assert [7] == await column(journal, "SELECT duration_ms FROM tool_runs WHERE tool = 'apply_change_set'")
    assert ["ann"] == await column(journal, "SELECT decided_by FROM approvals WHERE decision = 'approve'")
    assert ["main.tf"] == await column(journal, "SELECT path FROM changes WHERE applied_at > '2026-01-01'")
    assert [2] == await column(journal, "SELECT turns FROM usage_daily")
    await journal.aclose()


async def test_the_model_is_reminded_of_pairs_oldest_first(path):
    """Each question has its answer; where nothing was said, what the tools did, or why there is none."""
    tools = (ToolStarted("c", "terraform_plan", {}), ToolFinished("c", "terraform_plan", "ok", "1 to add", 5))
    journal = await filled(
        path,
        turn("t1", TextDelta("be"), TextDelta("cause"), TurnFinished("end"), at="2026-01-01T00:00:01Z"),
        turn("t2", *tools, TurnFinished("end"), question="", command="plan", at="2026-01-01T00:00:02Z"),
        turn("t3", TextDelta("half an"), at="2026-01-01T00:00:03Z"),
        turn("t4", TurnFailed("timeout", "too late"), at="2026-01-01T00:00:04Z"),
        turn("t5", question="now?", at="2026-01-01T00:00:05Z"),
        turn("x1", TextDelta("other"), conversation="c2", at="2026-01-01T00:00:06Z"),
    )
    messages = await journal.messages("c1", before="t5")
    expected = [
        *(Message("user", "why?"), Message("assistant", "because")),
        *(Message("user", "/plan"), Message("assistant", "terraform_plan: 1 to add")),
        *(Message("user", "why?"), Message("assistant", "half an")),
        *(Message("user", "why?"), Message("assistant", "(no answer: too late)")),
    ]

    assert expected == list(messages)
    assert expected[-2:] == list(await journal.messages("c1", 2, before="t5"))
    assert Message("user", "now?") == (await journal.messages("c1"))[-2]
    assert () == await journal.messages("unknown")
    await journal.aclose()


async def test_append_returns_at_once_and_a_full_queue_loses_nothing(path):
    """More events than the queue holds go through a file, and all are there in their order."""
    events = [TextDelta(str(number), turn_id="t", seq=number, at=AT) for number in range(1, 3001)]
    journal = DuckDBJournal(path, capacity=10)
    began = time.perf_counter()
    for event in events:
        journal.append(event)
    took = time.perf_counter() - began
    await journal.flush()

    assert took < 2
    assert tuple(events) == await journal.events("t")
    assert 0 == journal.pending
    assert [] == list(path.with_name("history.duckdb.spool").iterdir())
    await journal.aclose()


async def test_nothing_happens_before_the_first_use(path):
    """A journal that nobody uses opens no file and starts no thread."""
    journal = DuckDBJournal(path)
    await journal.flush()
    await journal.aclose()

    assert not path.parent.exists()


async def test_a_closed_journal_neither_raises_into_a_turn_nor_hangs(path, answer_events):
    """What comes too late is left out; flush returns, and a question is answered with a sentence."""
    journal = await filled(path, answer_events)
    await journal.aclose()
    journal.append(answer_events[0])
    await asyncio.wait_for(journal.flush(), 1)

    with pytest.raises(JournalUnavailable, match="closed"):
        await journal.messages("c1")


async def test_whoever_stops_waiting_does_not_stop_the_journal(path, answer_events):
    """A flush that is cancelled before the writer comes to it leaves the writer at work."""
    journal = DuckDBJournal(path)
    for event in answer_events:
        journal.append(event)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(journal.flush(), 0)
    await asyncio.wait_for(journal.flush(), 30)

    assert tuple(answer_events) == await journal.events("t-answer")
    await journal.aclose()


async def test_files_and_directories_are_private(path, answer_events):
    """The journal, its log of late writes and its lock are for their user alone."""
    journal = await filled(path, answer_events)
    modes = {each.name: each.stat().st_mode & 0o777 for each in (path.parent, *path.parent.glob("history.duckdb*"))}

    assert 0o700 == modes.pop("tfai")
    assert {0o600} == set(modes.values())
    assert {"history.duckdb", "history.duckdb.wal"} <= set(modes)
    await journal.aclose()


async def test_text_that_is_no_unicode_or_no_json_is_kept_as_well_as_can_be(path):
    """A lone surrogate or an infinite number of a model does not stop the journal."""
    odd = ToolStarted("c", "plan", {"n": float("inf"), "text": "a\ud800b", "list": [float("nan")]})
    journal = await filled(path, turn("t", odd, TextDelta("\udc00"), TurnFinished("end")))
    back = await journal.events("t")

    assert {"n": None, "text": "a?b", "list": [None]} == back[1].arguments
    assert ("?", "turn_finished") == (back[2].text, (await column(journal, "SELECT type FROM events"))[-1])
    await journal.aclose()


async def test_a_query_only_reads_and_only_the_journal(path, answer_events):
    """Whatever would write, open another file or change the database is refused in a sentence."""
    journal = await filled(path, answer_events)
    for sql in (
        *("DELETE FROM events", "UPDATE turns SET user = ''", "INSERT INTO probe VALUES (now())", "DROP TABLE events"),
        *("SELECT 1; SELECT 2", "", "SELEKT", "SET threads = 1", "ATTACH '/tmp/x.duckdb'", "CHECKPOINT", "LOAD json"),
        *("COPY events TO '/tmp/x'", "EXPORT DATABASE '/tmp/x'", "SELECT * FROM read_text('/etc/hosts')"),
        *("SELECT * FROM '/etc/passwd'", "EXPLAIN ANALYZE DELETE FROM events", "PRAGMA memory_limit = '1GB'"),
        *("WITH x AS (SELECT 1) DELETE FROM events", "PREPARE p AS DELETE FROM events", "CALL pragma_version()"),
        *("CREATE TABLE x(i INT)", "INSTALL httpfs", "SELECT * FROM query('DELETE FROM events')", "VACUUM"),
    ):
        with pytest.raises(Invalid) as refused:
            await journal.query(sql)
        assert 1 == len(str(refused.value).splitlines()), sql

    assert tuple(answer_events) == await journal.events("t-answer")
    await journal.aclose()


async def test_every_way_to_look_is_allowed(path, answer_events):
    """Reading is not only SELECT."""
    journal = await filled(path, answer_events)
    for sql in (
        *("SELECT 1", "FROM turns", "WITH x AS (SELECT 1) SELECT * FROM x", "DESCRIBE turns", "SHOW TABLES"),
        *("EXPLAIN SELECT 1", "VALUES (1)", "SUMMARIZE turns", "PRAGMA show_tables", "SELECT 1;"),
    ):
        assert (await journal.query(sql)).rows, sql
    await journal.aclose()


async def test_an_answer_is_json_and_says_when_it_was_cut(path):
    """Times, large numbers and nested values become JSON; of many rows the first 10,000 come."""
    journal = DuckDBJournal(path)
    odd = "TIMESTAMP '2026-01-01 10:00:00', 2::HUGEINT ** 80, 1.5::DECIMAL(4, 1), 'nan'::DOUBLE, {'a': [1]}, 'x'::BLOB"
    row = (await journal.query(f"VALUES ({odd})")).rows[0]
    many = await journal.query("SELECT * FROM range(10001)")
    bound = await journal.query("SELECT ? || ?, ?::INTEGER, ?::VARCHAR", ("it's", "\0; DROP", 3, None))

    assert "2026-01-01T10:00:00" == row[0]
    assert (None, {"a": [1]}, "78") == row[3:]
    json.dumps(row, allow_nan=False)
    assert (10_000, True) == (len(many.rows), many.truncated)
    assert (("it's; DROP", 3, None),) == bound.rows
    await journal.aclose()


async def test_a_query_without_end_is_stopped(path, answer_events):
    """A query past its time is interrupted, and the journal works on."""
    journal = await filled(path, answer_events, query_seconds=0.3)
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7"

    with pytest.raises(Invalid, match="longer than"):
        await journal.query(endless)
    assert [1] == await column(journal, "SELECT count(*) FROM turns")
    await journal.aclose()


async def test_ping_writes_and_reads(path):
    """A journal that works says so, and opens its file for it."""
    journal = DuckDBJournal(path)
    await journal.ping()

    assert [1] == await column(journal, "SELECT count(*) FROM probe")
    await journal.aclose()


async def test_the_audit_holds_digests_in_a_chain(path, change_events):
    """Approval and written file each leave a row without any text, and a changed row is found."""
    journal = await filled(path, change_events)
    rows = (await journal.query('SELECT "user", action, subject, detail FROM audit ORDER BY seq')).rows

    assert [("ann", "approve", "ap1"), ("ann", "write_file", "main.tf")] == [row[:3] for row in rows]
    assert "sha256:b" in rows[1][3]
    assert (2, None) == ((await journal.verify_audit()).rows, (await journal.verify_audit()).broken_at)
    await journal.aclose()
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE audit SET subject = 'other.tf' WHERE seq = 2")
    journal = DuckDBJournal(path)

    assert 2 == (await journal.verify_audit()).broken_at
    await journal.aclose()
