"""Accounts: logging in, tokens of programs, one's own password, and the accounts an administrator looks after."""
