"""The rooms: each has endpoints, service, repository, schemas and, where people look at it, pages."""
