"""Forms and deliverables filed by a unit: draft → submitted → accepted or returned → the next revision."""
