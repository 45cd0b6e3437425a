"""Random changes to training samples: pipelines by name and preset (`pipeline`), and eight transforms of pictures (`classification`)."""
