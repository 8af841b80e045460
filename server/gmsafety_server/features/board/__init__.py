"""Who owes what and who has filed it: the desk, the due list, the board, the calendar feeds."""
