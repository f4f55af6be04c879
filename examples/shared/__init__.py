"""What the studies share: the rows they reproduce, the command line, the runs that are kept, one training,
and the data.

A *study* is one example file that follows a notebook. A *row* is one program of it: what it is, and what the
notebook printed. A *run* is one training of a row from one seed; it is kept in a file of its own, so that a
study that was stopped goes on where it was.
"""
