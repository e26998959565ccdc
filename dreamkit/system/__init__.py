"""Starting TensorFlow: quietly, and with a GPU's memory shared."""
