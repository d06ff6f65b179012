"""A request in, an answer out: what was meant, how sure that is, the skill that does it, or a little small talk."""
