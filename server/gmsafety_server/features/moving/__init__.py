"""A unit goes over to another node: its history is handed over, and from then on it files there."""
