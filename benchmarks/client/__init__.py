"""Client calls: ours beside the libraries it stands on, against a server that costs next to nothing."""
