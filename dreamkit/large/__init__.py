"""What makes it fast, and possible at any size, without the lesson knowing."""
