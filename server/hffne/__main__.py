# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m hffne` is the command `hffne`."""

import os
import sys

from hffne.isolation import protect_path

protect_path()  # before anything else is imported
# NumPy's OpenBLAS, whose threads wait actively after each of many small products and keep a core from PyTorch's: a
# fifth of the processor time of a photo's normals.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

try:
    from hffne.cli.main import main
except KeyboardInterrupt:
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main())
