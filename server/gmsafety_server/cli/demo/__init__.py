"""The demonstration: three Fridays of six counties, played through the interface of a real server."""
