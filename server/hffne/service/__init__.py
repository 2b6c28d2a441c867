# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a service on a pipe: the frame codec and the request loop."""
