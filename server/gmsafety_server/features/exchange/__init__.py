"""The exchange between nodes: messages come in, are taken up, go out; peers, keys, what waits and what failed."""
