# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the paper as contact sheets, one file a figure. Rows are (label, tiles) as evaluation.contact_sheet has them."""
