"""The dialogs. Each returns what the operator decided; none of them sends a command."""
