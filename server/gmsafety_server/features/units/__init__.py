"""Units: who there is on a day, what became of them, and the changes that an administrator enters."""
