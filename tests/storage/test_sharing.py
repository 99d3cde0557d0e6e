"""Many processes, one journal; crashes, damage and full disks. Real processes throughout."""

import asyncio
import os
import signal

import pytest

from tfai_jupyter.core.errors import JournalUnavailable
from tfai_jupyter.core.events import TurnFailed
from tfai_jupyter.storage.journal import DuckDBJournal


@pytest.fixture
def path(tmp_path):
    """Return where the journal is."""
    return tmp_path / "history.duckdb"


async def rows(journal, sql):
    """Return the rows of a query."""
    return [tuple(row) for row in (await journal.query(sql)).rows]


async def until(journal, sql, expected, seconds=20):
    """Ask again until the answer is the expected one."""
    found = await rows(journal, sql)
    for _ in range(seconds * 10):
        if found == expected:
            break
        await asyncio.sleep(0.1)
        found = await rows(journal, sql)
    return found


async def owned(path):
    """Open a journal that has the file."""
    journal = DuckDBJournal(path)
    await journal.ping()
    return journal


async def test_kill_9_loses_nothing_that_was_flushed(path, process):
    """Events acknowledged before the kill are in the file; the turn is ended as interrupted."""
    script = (
        "start()\nfor n in range(300): say(str(n))\nflush()\nfor n in range(300): say('late')\nos.kill(os.getpid(), 9)"
    )
    with process(path, "t", script) as running:
        assert "flushed\n" == running.stdout.readline()
        assert -signal.SIGKILL == running.wait()
    journal = await owned(path)
    events = await journal.events("t")

    assert [str(number) for number in range(300)] == [event.text for event in events[1:301]]
    assert isinstance(events[-1], TurnFailed)
    assert ("interrupted", events[-2].seq + 1) == (events[-1].code, events[-1].seq)
    assert [("error",)] == await rows(journal, "SELECT outcome FROM turns")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    await journal.aclose()


async def test_processes_beside_the_owner_lose_nothing(path, process, short_turn):
    """Two processes spool while this one owns the file and appends too; each event is there once."""
    journal = await owned(path)
    script = "start()\nfor n in range(200): say('x')\nflush()\nemit(TurnFinished('end'))\njournal.close()"
    with process(path, "a", script) as one, process(path, "b", script) as two:
        for event in short_turn("c"):
            journal.append(event)
        assert [0, 0] == [one.wait(60), two.wait(60)]
    counts = "SELECT turn_id, sum(last_seq - seq + 1)::INT, max(last_seq) FROM events GROUP BY ALL ORDER BY 1"
    expected = [("a", 202, 202), ("b", 202, 202), ("c", 2, 2)]

    assert expected == await until(journal, counts, expected)
    assert [("ok",)] * 3 == await rows(journal, "SELECT outcome FROM turns")
    assert [] == list(path.with_name("history.duckdb.spool").iterdir())
    await journal.aclose()


async def test_who_finds_the_file_taken_says_so_once_and_takes_over_later(path, process, short_turn):
    """The notice names file and owner; history of this process can be read; then the file becomes ours."""
    with process(path, "theirs", "start()\nflush()\nwait()") as owner:
        assert "flushed\n" == owner.stdout.readline()
        journal = DuckDBJournal(path)
        for event in short_turn("ours", "c-ours"):
            journal.append(event)
        await journal.flush()

        assert str(owner.pid) in journal.notice
        assert str(path) in journal.notice
        assert 2 == len(await journal.messages("c-ours"))
        assert 2 == len(await journal.events("ours"))
        for unknown in (journal.messages("c-theirs"), journal.query("SELECT 1"), journal.ping()):
            with pytest.raises(JournalUnavailable, match="belongs to process"):
                await unknown
    for _ in range(200):
        if not journal.notice:
            break
        await asyncio.sleep(0.1)

    expected = [("ours", "ok"), ("theirs", "error")]
    assert expected == await rows(journal, "SELECT turn_id, outcome FROM turns ORDER BY 1")
    await journal.aclose()


async def test_a_turn_that_still_runs_elsewhere_is_not_ended(path, process):
    """The owner leaves a spooling process' turn alone while that lives, and ends it when it dies."""
    journal = await owned(path)
    outcome = "SELECT outcome FROM turns WHERE turn_id = 'theirs'"
    with process(path, "theirs", "start()\nflush()\nwait()") as other:
        assert "flushed\n" == other.stdout.readline()
        assert [(None,)] == await until(journal, outcome, [(None,)])
        await journal.aclose()
        journal = await owned(path)
        assert [(None,)] == await until(journal, outcome, [(None,)])

    assert [("error",)] == await until(journal, outcome, [("error",)])
    await journal.aclose()


async def test_another_program_that_holds_the_file_is_named(path, process, short_turn):
    """A DuckDB shell or notebook that has the file open is a lock like any other."""
    await (await owned(path)).aclose()
    script = "import duckdb\nheld = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nwait()"
    with process(path, "x", script) as shell:
        assert "held\n" == shell.stdout.readline()
        journal = DuckDBJournal(path)
        await journal.flush()
        for event in short_turn("t"):
            journal.append(event)
        await journal.flush()

        assert f"process {shell.pid}" in journal.notice
        assert 2 == len(await journal.events("t"))
    await journal.aclose()
    journal = await owned(path)

    assert 2 == len(await journal.events("t"))
    await journal.aclose()


async def test_a_torn_last_line_costs_only_itself(path, process):
    """Of a spool that a crash cut, whole lines are taken in and the file is removed."""
    journal = await owned(path)
    with process(path, "theirs", "start()\nsay('kept')\nflush()\nwait()") as other:
        assert "flushed\n" == other.stdout.readline()
        await journal.aclose()
        spool = next(path.with_name("history.duckdb.spool").iterdir())
        assert 0o600 == spool.stat().st_mode & 0o777
        other.kill()
        other.wait()
    with spool.open("a") as file:
        file.write('{"type": "text_delta", "event": {"text": "to')
    journal = await owned(path)

    assert ["turn_started", "text_delta", "turn_failed"] == [
        row[0] for row in await rows(journal, "SELECT type FROM events")
    ]
    assert not spool.exists()
    await journal.aclose()


@pytest.mark.parametrize("damage", ["garbage", "empty", "middle", "late writes"])
async def test_a_damaged_file_is_set_aside_and_never_deleted(path, process, damage, short_turn):
    """A new journal begins, the old bytes stay beside it, and one notice says so."""
    await (await owned(path)).aclose()
    wal = path.with_name("history.duckdb.wal")
    if damage == "late writes":
        with process(path, "t", "start()\nflush()\nwait()") as running:
            running.stdout.readline()
    broken = wal if damage == "late writes" else path
    content = bytearray(broken.read_bytes())
    middle = len(content) // 2
    content = {"garbage": b"x" * 5000, "empty": b""}.get(damage) if damage in ("garbage", "empty") else content
    if damage in ("middle", "late writes"):
        content[middle : middle + 64] = os.urandom(64)
        content[4096:4160] = os.urandom(64) if damage == "middle" else content[4096:4160]
    broken.write_bytes(content)
    journal = await owned(path)
    aside = [each for each in path.parent.iterdir() if "corrupt" in each.name]

    assert "damaged" in journal.notice
    assert [bytes(content)] == [each.read_bytes() for each in aside]
    for event in short_turn("new"):
        journal.append(event)
    assert 2 == len(await journal.events("new"))
    await journal.aclose()


async def test_without_a_place_to_write_history_is_kept_in_memory(tmp_path, short_turn):
    """A path that cannot be made gives a notice; the turn goes on, and this process remembers."""
    (tmp_path / "file").write_text("")
    journal = DuckDBJournal(tmp_path / "file" / "history.duckdb")
    for event in short_turn("t"):
        journal.append(event)
    await journal.flush()

    assert "kept in memory" in journal.notice
    assert 2 == len(await journal.messages("c1"))
    with pytest.raises(JournalUnavailable, match="cannot be written"):
        await journal.ping()
    await journal.aclose()


async def test_a_full_disk_costs_neither_the_turn_nor_an_event(path, process):
    """When the file can grow no more, events stay in memory; with room again they are written."""
    script = (
        "import resource\nstart()\nflush()\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))\n"
        "for n in range(50): say('word' * 50)\n"
        "flush()\n"
        "print(journal.notice, len(asyncio.run(journal.events(turn))), flush=True)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))\n"
        "emit(TurnFinished('end'))\n"
        "import time\nwhile journal.notice: time.sleep(0.1)\n"
        "journal.close()"
    )
    with process(path, "t", script) as running:
        lines = running.stdout.read().splitlines()
        assert 0 == running.wait(60)
    journal = await owned(path)

    assert "history cannot be written" in lines[2]
    assert [number + 1 for number in range(52)] == [event.seq for event in await journal.events("t")]
    assert [("ok",)] == await rows(journal, "SELECT outcome FROM turns")
    await journal.aclose()
