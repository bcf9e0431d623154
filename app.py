"""The page: `python app.py [--host H] [--port P]`. It is up before torch is imported, which happens behind it."""

from __future__ import annotations

import argparse

from explorers.safety import prepare

prepare()


from explorers.page import build, launch_options, warm_up  # noqa: E402

demo = build()


def main() -> None:
    parser = argparse.ArgumentParser(description="Look inside vision transformers, on one page.")
    parser.add_argument("--host", default=None, help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=None, help="port (default: the first free one from 7860)")
    given = parser.parse_args()
    _, address, _ = demo.launch(
        server_name=given.host,
        server_port=given.port,
        prevent_thread_lock=True,
        quiet=True,
        **launch_options(given.host),
    )
    print(f"Patchlight is at {address}", flush=True)
    warm_up()
    demo.block_thread()


if __name__ == "__main__":
    main()
