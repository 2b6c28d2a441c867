# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as a separate process: how to start it and talk to it. No bpy here."""
