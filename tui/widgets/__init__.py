"""Strip widgets: they keep lines, compare them and repaint only what changed."""
