# SPDX-License-Identifier: GPL-3.0-or-later
"""The published metrics on the published benchmarks. The data are for checking only, never for training."""
