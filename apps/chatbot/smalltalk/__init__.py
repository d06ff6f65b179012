"""Small talk: the last turns of a conversation in, a reply out, where no skill applies."""
