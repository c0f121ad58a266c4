"""Benches by name: each module has `bench(*, write, **options) -> figures` and runs in the database it is given."""
