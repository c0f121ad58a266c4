"""Which keys a table has had."""

from __future__ import annotations

from random import Random

import pytest

from interchange.rules.seen import Seen

pytestmark = pytest.mark.no_database


def test_a_key_is_known_by_the_row_it_first_stood_in():
    seen = Seen()

    assert seen.first(hash(("P1",)), 2, 100) == (2, 100)
    assert seen.first(hash(("P2",)), 3, 200) == (3, 200)
    assert seen.first(hash(("P1",)), 4, 300) == (2, 100)
    assert len(seen) == 2


def test_it_answers_as_a_dictionary_does_however_many_keys_there_are_and_however_they_collide():
    random, seen, known = Random(1), Seen(places=8), {}
    for row in range(20_000):
        key = random.choice([random.randrange(-5_000, 5_000), random.randrange(2_000) << 40]) or 1

        assert seen.first(key, row, row * 7) == known.setdefault(key, (row, row * 7))

    assert len(seen) == len(known)
