"""The server's figures: filing, roll-up, board, and what millions of stored rows change."""
