"""The formats in which clients ask and are answered; a file for each shape."""
