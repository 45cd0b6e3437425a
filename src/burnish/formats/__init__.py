"""One file per format, each with read and write, and open that recognises them."""
