"""`make bench`: speed, memory and peers, as ratios taken in one run on one input. Never part of the tests."""
