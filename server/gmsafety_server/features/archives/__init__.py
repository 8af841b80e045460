"""Archives (归档): a campaign in one file, and the audit log as a file; both are verified without a server."""
