"""Pure rules of figures: what each one means, how a period is put together, how a distribution is read."""
