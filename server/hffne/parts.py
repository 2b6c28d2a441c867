# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pixel of a face photo shows: the classes of the parsing network."""

# A beard and stubble are skin: they belong to the face. Clear lenses are what is seen through them.
PARTS = ("background", "skin", "brows", "eyes", "lips", "mouth", "hair", "glasses", "occluder", "cloth")
BACKGROUND, SKIN, BROWS, EYES, LIPS, MOUTH, HAIR, GLASSES, OCCLUDER, CLOTH = range(len(PARTS))
UNKNOWN = 255  # in a training set: nobody knows
# What belongs to a face, and of these what is seen as it is.
FACE = (SKIN, BROWS, EYES, LIPS, MOUTH)
# What may lie before it.
COVERS = (HAIR, GLASSES, OCCLUDER, CLOTH)
