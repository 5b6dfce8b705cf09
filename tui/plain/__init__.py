"""The renderer without a screen: lines that are only ever added, for screen readers, pipes and odd terminals."""
