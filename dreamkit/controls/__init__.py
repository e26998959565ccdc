"""What shapes a picture beyond the weights: masks, several paintings, colours, moves, textures."""
