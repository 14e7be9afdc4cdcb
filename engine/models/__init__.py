"""Models: their files, what they compute, and how they are trained."""
