"""What every venue must do, as numbered cases that tests and `venue check` run on any adapter."""
