# SPDX-License-Identifier: GPL-3.0-or-later
"""The detail of a generated face on an artist's own mesh: fit, carry over, show."""
