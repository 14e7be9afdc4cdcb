"""The console: screens over the engine's door (engine.api), and the command line that starts both."""
