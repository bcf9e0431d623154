"""Where the tests find weights: never on a model hub, at most in a cache folder that lies beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HUB = ROOT.parent / "shared" / "hub"

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost")
if HUB.is_dir():
    os.environ.setdefault("HF_HUB_CACHE", str(HUB))
