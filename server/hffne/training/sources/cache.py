# SPDX-License-Identifier: GPL-3.0-or-later
"""Decoded items that are kept in memory, the least recently used given up first."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")

# Of each process that draws samples.
MOST_BYTES = 1 << 30


class RecentItems(Generic[Item]):
    """Items by number that are made when they are first wanted, up to so many bytes in all.

    Sent to a process that is spawned, it is empty.
    """

    def __init__(self, size: Callable[[Item], int], most: int = MOST_BYTES) -> None:
        """size: the bytes of an item; a function of a module, so that it can be sent to another process."""
        self.size, self.most, self.bytes = size, most, 0
        self.items: OrderedDict[int, Item] = OrderedDict()

    def __reduce__(self) -> Any:
        return RecentItems, (self.size, self.most)

    def get(self, number: int, make: Callable[[int], Item]) -> Item:
        """The item of a number, made by make(number) where it is not kept."""
        if number in self.items:
            self.items.move_to_end(number)
            return self.items[number]
        item = make(number)
        self.items[number] = item
        self.bytes += self.size(item)
        while self.bytes > self.most and len(self.items) > 1:
            self.bytes -= self.size(self.items.popitem(last=False)[1])
        return item
