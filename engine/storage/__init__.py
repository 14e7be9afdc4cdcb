"""The store on disk: database, records, checkpoints, lock."""
