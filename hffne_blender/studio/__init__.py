# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a face: lights to judge its relief, a turntable, and the photo lit anew."""
