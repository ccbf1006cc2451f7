"""What is derived from resources: views of one object, and the estate that joins many. Pure."""
