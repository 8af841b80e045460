"""The exchange server."""
