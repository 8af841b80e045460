"""The mail of this node: who the others are, what is put in for them, and what is said in the letters."""
