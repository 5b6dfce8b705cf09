"""The words that the engine and its readers share: plain data, standard library only, no I/O."""
