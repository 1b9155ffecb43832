"""One module for each contender: one command, its models, and `handler`, as somebody deploys it."""
