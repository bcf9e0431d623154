"""How a network learns: one method is one file, with its paper and its equation, found by itself."""
