"""Model clients behind one protocol, the catalog of models, and what can go wrong with a request."""
