"""What a shell line says: parsed with bash's own grammar, every command in it found, every word evaluated."""
