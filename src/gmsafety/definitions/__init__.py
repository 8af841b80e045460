"""Definitions as data: what a region declares as one snapshot, read back, judged, and compared with what it replaces.

A node without the plugin of a region takes its snapshot instead: the same forms, rules, duties and units.
"""

from .judging import faults_of, in_order, needed_by
from .loosening import Loosening, loosenings
from .snapshot import content_of, hash_of, snapshot_of, written

__all__ = [
    "Loosening", "content_of", "faults_of", "hash_of", "in_order", "loosenings", "needed_by", "snapshot_of", "written",
]  # fmt: skip
