"""What every venue must do: one body of cases, run on every adapter."""
