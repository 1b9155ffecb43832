"""Commands over HTTP: the same application written with each framework, each in a server of its own."""
