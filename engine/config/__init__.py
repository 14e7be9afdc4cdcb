"""What users write, checked at the edge."""
