"""What runs the core: loops, processes, lifecycle."""
