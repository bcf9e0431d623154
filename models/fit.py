"""How a picture meets a network's shape, in one word; `models.pixels` does it."""

from __future__ import annotations

from typing import Literal

Fit = Literal["whole", "crop", "trained"]
"""`whole` keeps all of it, `crop` keeps its proportions and cuts the edges, `trained` does as the network's authors."""
