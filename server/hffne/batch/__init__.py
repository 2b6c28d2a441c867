# SPDX-License-Identifier: GPL-3.0-or-later
"""Any number of photos: the pipeline in several processes or on a cluster, what was done kept in records."""
