"""What was said last in, a reply out: small talk where no skill is meant."""
