"""What a backtest came to: trades, equity, figures, where they came from, and the files that keep them."""
