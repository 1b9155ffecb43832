"""Lambda handlers with one command each: what a warm call costs, and what importing the module costs."""
