# SPDX-License-Identifier: GPL-3.0-or-later
"""Maps derived from a face's normals, shape and colors without a network; `registry` lists them."""
