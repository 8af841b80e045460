"""What a client may look up: campaigns, forms, problems, the node itself; and looking at a form without filing it."""
