"""A long sequence with a few relevant steps in, their content out: how far back does a network remember?"""
