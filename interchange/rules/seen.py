"""Which keys a table has had so far: of a million rows kept in the memory of a few pictures, not of the rows themselves."""

from __future__ import annotations

from array import array


class Seen:
    """Keys by a number of 64 bits each, with the row they first stood in and a number for what that said: 24 bytes for a place,
    of which at most two thirds are taken.

    Two keys of a plan of a million rows have the same number once in ten million plans.
    """

    def __init__(self, places: int = 1024) -> None:
        self._count = 0
        self._make(places)

    def __len__(self) -> int:
        return self._count

    def first(self, key: int, row: int, content: int) -> tuple[int, int]:
        """The row this key first stood in, and what it said: these, where it is new."""
        key = key or 1
        place = self._place(key)
        if self._keys[place]:
            return self._rows[place], self._contents[place]
        self._keys[place], self._rows[place], self._contents[place] = key, row, content
        self._count += 1
        if self._count * 3 > len(self._keys) * 2:
            self._grow()
        return row, content

    def _make(self, places: int) -> None:
        nothing = bytes(8 * places)
        self._keys, self._rows, self._contents = array("q", nothing), array("q", nothing), array("q", nothing)

    def _place(self, key: int) -> int:
        keys, last = self._keys, len(self._keys) - 1
        place = key & last
        while (there := keys[place]) and there != key:
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        keys, rows, contents = self._keys, self._rows, self._contents
        self._make(len(keys) * 2)
        for key, row, content in zip(keys, rows, contents, strict=True):
            if key:
                place = self._place(key)
                self._keys[place], self._rows[place], self._contents[place] = key, row, content
