"""Identifiers and times."""

import re
import uuid
from datetime import UTC, datetime, timedelta

from tfai_jupyter.core.ids import new_id, utc_now


def test_ids_are_uuids_of_version_seven():
    """Any program that knows UUIDs can read an id, and the time inside it."""
    identifier = uuid.UUID(new_id())
    written = datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)

    assert 7 == identifier.version
    assert uuid.RFC_4122 == identifier.variant
    assert timedelta(seconds=5) > abs(datetime.now(UTC) - written)


def test_ids_sort_by_the_time_they_were_made_at():
    """Ids made a tenth of a millisecond apart sort as they were made, so a turn knows those before it."""
    made = []
    for _ in range(200):
        made.append(new_id())
        busy = datetime.now(UTC) + timedelta(microseconds=100)
        while datetime.now(UTC) < busy:
            pass

    assert sorted(made) == made


def test_ids_differ_even_when_made_at_once():
    """No two of ten thousand ids are equal, and each has its own 62 random bits."""
    made = [uuid.UUID(new_id()) for _ in range(10_000)]

    assert 10_000 == len(set(made))
    assert 10_000 == len({identifier.int & (2**62 - 1) for identifier in made})


def test_times_are_utc_with_microseconds_and_z():
    """A time reads back as an aware UTC moment, and sorts as text."""
    first, second = utc_now(), utc_now()

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", first)
    assert first <= second
    assert UTC == datetime.fromisoformat(first).tzinfo
