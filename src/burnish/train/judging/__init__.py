"""How good a trained network is on given pictures: each task's own judge, and what all of them share."""
