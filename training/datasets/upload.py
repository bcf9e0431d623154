"""An archive that was uploaded on the page: a folder of pictures under a name that tells nothing of this machine."""

from __future__ import annotations

from dataclasses import replace

from training.datasets._contract import Dataset, Found, Source
from training.datasets.folder import open_folder
from training.uploads import HANDLE, place


def open_upload(source: Source) -> Dataset:
    """The pictures of one split; raises `Fault` where the upload is not there for who asks."""
    return open_folder(replace(source, name=str(place(source.name))))


FOUND = Found(
    name="upload/<digest>/<name>",
    about="A zip of your own pictures, uploaded on the page.",
    claims=lambda name: name.startswith(HANDLE),
    opens=open_upload,
)
