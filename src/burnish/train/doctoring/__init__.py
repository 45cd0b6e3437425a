"""What `burnish doctor` looks at: the surroundings, the pictures and their classes, the network and its batches."""
