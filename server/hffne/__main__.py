# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m hffne` is the command `hffne`."""

import sys

from hffne.isolation import protect_path

protect_path()  # before anything else is imported

try:
    from hffne.cli.main import main
except KeyboardInterrupt:
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main())
