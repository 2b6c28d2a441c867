# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos: read them, find the faces on them, cut the faces out."""
