"""A request in, an answer out: recognises intent and slots with confidences, calls a skill, or makes small talk."""
