"""How good are the pictures? An open benchmark of style transfer; book/quality.md explains it."""
