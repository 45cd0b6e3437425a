"""What is found out by trying before a training begins: the largest batch, a learning rate, and how settings follow the batch."""
