"""The order book of ours, flatten and recovery as pure machines."""
