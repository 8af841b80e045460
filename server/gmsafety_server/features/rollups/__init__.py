"""The upper unit's form out of the lower ones': proposed, adjusted with reasons, filed upward, traced to the cell."""
