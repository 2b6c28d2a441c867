# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m hffne` is the command `hffne`."""

import sys

from hffne.cli.main import main

sys.exit(main())
