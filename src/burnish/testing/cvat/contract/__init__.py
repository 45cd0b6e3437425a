"""The contract of the test server: recorded exchanges with a real CVAT are replayed against it, and what differs is told."""
