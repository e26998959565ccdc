"""Many pictures with one call: in processes or on a cluster."""
