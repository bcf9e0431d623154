"""Where can a network come from? One file a source, each with `open_parts(name, request) -> Parts`."""
