"""`python -P -m engine FD`: the engine process that a console starts."""

from engine.runtime.sigmask import block_signals

if __name__ == "__main__":
    block_signals()
    from engine.runtime.leaving import leave
    from engine.runtime.process import process_main  # after the mask: it brings threads with it

    leave(process_main())
