"""A backup (备份): one file with every row of one moment, read while others write, restored into either database.

A ZIP file: `tables/<name>.jsonl` has a row in each line, in the order of the primary key; `manifest.json` names the
columns, counts the rows and hashes the lines of each table. A row reads the same on SQLite and PostgreSQL, so that the
hashes are equal, too.
"""

from .archive import FORMAT, BackupUnusable, Manifest, TableManifest, open_backup
from .reading import restore
from .writing import write_backup

__all__ = ["FORMAT", "BackupUnusable", "Manifest", "TableManifest", "open_backup", "restore", "write_backup"]
