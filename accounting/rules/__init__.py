"""Pure rules of bookkeeping: which role an amount has, on which day it counts, how an entry is rounded."""
