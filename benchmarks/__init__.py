"""Speed and memory of dreamkit against its peers: `make bench`."""
