# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's own two-stage training, for the published and the compact widths: ``hffne train paper-coarse|paper-fine``."""
