"""The panes: each turns sections of a snapshot into rows of cells and knows nothing else."""
