# SPDX-License-Identifier: GPL-3.0-or-later
"""What is computed of each photo of a batch, and in which form it is kept."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hffne import __version__
from hffne.errors import HffneError

# Per photo: an .npz and a 16-bit picture; or tar files (WebDataset) or Parquet files with many faces each.
Form = Literal["files", "webdataset", "parquet"]
FORMS: tuple[Form, ...] = ("files", "webdataset", "parquet")
# Photos in one shard.
SHARD = 256
WEIGHTS = Path(__file__).resolve().parents[1] / "weights"


@dataclass(frozen=True)
class BatchSettings:
    """All that the results of a batch depend on.

    model      "compact" or "paper"
    size       side of the fine network's crop in pixels; None: as each photo needs
    face       "largest", "all", or a number from 0
    form       one of FORMS
    compress   whether an .npz is compressed
    shard      photos in one shard
    """

    model: str = "compact"
    size: int | None = None
    face: str | int = "largest"
    form: Form = "files"
    compress: bool = True
    shard: int = SHARD

    @property
    def sharded(self) -> bool:
        """Whether many faces share a file."""
        return self.form != "files"

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain data."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> "BatchSettings":
        """What `as_dict` gave."""
        return BatchSettings(**fields)

    def manifest(self) -> dict[str, Any]:
        """The settings with the version of the program, the hash of its networks, and the hash of all that."""
        content = {"version": __version__, "weights": _weights_hash(self.model), "settings": self.as_dict()}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return {**content, "hash": hashlib.sha256(text.encode()).hexdigest()}


def _weights_hash(model: str) -> str:
    """SHA-256 of the networks' files. Raises HffneError where there are none."""
    folders = [WEIGHTS]
    if model == "paper":
        from hffne.weights.paper import paper_weights_folder

        folders.append(paper_weights_folder())
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.glob("*.safetensors")):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    if digest.digest() == hashlib.sha256().digest():
        raise HffneError("The networks' weights are missing.", hint="Install the package again.")
    return digest.hexdigest()
