from tfai_jupyter.core.events import TextDelta
from tfai_jupyter.storage.processes import is_alive, process_name
from tfai_jupyter.storage.rows import Entry
from tfai_jupyter.storage.spool import Spool, chunks


def entries(*texts):
    """Return entries with these texts."""
    return [Entry(TextDelta(text, turn_id="t", seq=1, at=""), process_name()) for text in texts]


def texts(chunk):
    """Return a chunk's texts."""
    return [entry.event.text for entry in chunk.entries]


def test_a_live_spool_is_read_as_it_grows_and_stays(tmp_path):
    """Each round gives what is new; the file is its writer's as long as that lives."""
    spool = Spool(tmp_path)
    spool.write(entries("a", "é\n\0"))
    first = list(chunks(tmp_path, {}))
    spool.write(entries("c"))
    second = list(chunks(tmp_path, {first[0].name: first[0].taken}))

    assert (["a", "é\n\0"], False) == (texts(first[0]), first[0].ended)
    assert [["c"]] == [texts(chunk) for chunk in second]
    assert [] == list(chunks(tmp_path, {second[0].name: second[0].taken}))
    assert spool.path.exists()
    spool.close()


def test_an_abandoned_spool_is_read_to_its_end_and_removed_after_that(tmp_path):
    """The file goes only when the last chunk has been taken, so that a crash in between repeats it."""
    spool = Spool(tmp_path)
    spool.write(entries("a"))
    spool.close()
    reading = chunks(tmp_path, {})
    chunk = next(reading)

    assert (["a"], True) == (texts(chunk), chunk.ended)
    assert spool.path.exists()
    assert [] == list(reading)
    assert not spool.path.exists()


def test_a_line_larger_than_a_chunk_is_read(tmp_path):
    """An event of many megabytes comes as one, and those after it too."""
    spool = Spool(tmp_path)
    spool.write(entries("x" * 9_000_000, "after"))
    found = [text for chunk in chunks(tmp_path, {}) for text in texts(chunk)]

    assert [9_000_000, 5] == [len(text) for text in found]
    spool.close()


def test_what_is_no_entry_is_left_out(tmp_path):
    """Torn, empty and foreign lines cost only themselves."""
    good = entries("good")[0].line()
    (tmp_path / "1-x.jsonl").write_text(f'\0\0\n{{"a": 1}}\n{good}\n[]\n{good[:30]}')

    assert [["good"]] == [texts(chunk) for chunk in chunks(tmp_path, {})]


def test_a_spool_without_room_says_what_it_did_not_keep(tmp_path):
    """Where nothing can be written, all comes back to the caller with the reason."""
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "spool")
    given = entries("a", "b")

    assert given == list(spool.write(given))
    assert "Not a directory" in spool.problem


def test_a_process_is_known_by_more_than_its_number():
    """A pid that another process has now, or that nobody has, is not the process that was meant."""
    assert is_alive(process_name())
    for name in ("", "x", "0@host/boot:1", "99999999@host/boot:1", f"{process_name()}1"):
        assert not is_alive(name)
