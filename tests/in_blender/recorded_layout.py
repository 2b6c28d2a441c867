# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the layout of a panel, which cannot be drawn without a window."""


class Layout:
    """Records what a panel draws."""

    def __init__(self, drawn):
        self.drawn = drawn

    def __getattr__(self, name):
        def call(*args, **named):
            what = [name, *[arg for arg in args if isinstance(arg, str)], *[str(value) for value in named.values()]]
            self.drawn.append(" ".join(what))
            return Layout(self.drawn)

        return call
