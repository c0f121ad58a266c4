"""Deciding is pure: plain values in, verdicts with reasons out; no database, no clock."""
