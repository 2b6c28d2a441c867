# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the paper as contact sheets (`evaluation.contact_sheet`), one file per figure."""
