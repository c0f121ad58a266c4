"""Reading values and rows of the import format: what each cell must be, and what is wrong with it otherwise. Pure."""
