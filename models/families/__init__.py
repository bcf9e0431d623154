"""How is each family of networks read? One file a family, found by itself: its constant is `FAMILY`."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from models.backbone import Family


def families() -> tuple[Family, ...]:
    """Every family in this folder, in the order of their files."""
    return tuple(module.FAMILY for module in _modules())


def family_of(network: nn.Module) -> Family | None:
    """The family whose file claims the network, by its class; None where nobody reads it."""
    return next((family for family in families() if family.claims(network)), None)


def create_options() -> dict[str, dict[str, Any]]:
    """By timm's module: what `timm.create_model` must be told so that the families can feed any size."""
    return {name: told for module in _modules() for name, told in getattr(module, "CREATE_OPTIONS", {}).items()}


_importing = threading.Lock()
"""Names that transformers makes on demand are not there where two threads ask for the first of them."""


def _modules() -> tuple[ModuleType, ...]:
    with _importing:
        return _imported()


@cache
def _imported() -> tuple[ModuleType, ...]:
    return tuple(importlib.import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__))
