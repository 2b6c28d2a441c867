# SPDX-License-Identifier: GPL-3.0-or-later
"""The exit codes of `hffne` and of the extension's headless script.

Standard library only: the engine and the extension have the same file.
"""

DONE = 0
ERROR = 1
# A photo that cannot be read, or options that are not possible; argparse uses the same.
BAD_INPUT = 2
NO_FACE = 3
CANNOT_WRITE = 4
# A mistake in this program.
INTERNAL = 70
# Stopped from the keyboard: 128 and the number of SIGINT.
INTERRUPTED = 130
