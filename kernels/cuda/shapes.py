"""How work is divided on a GPU: by shapes alone, so that results have the same bits on all of them."""

PLACES = 528  # blocks of four warps that keep a large GPU busy: 4 on each of 132 multiprocessors
MOST_PARTS = 64


def blocks(count: int, of: int) -> int:
    """How many blocks of `of` hold `count` elements."""
    return -(-count // of)


def parts_for(blocks_of_a_part: int, most: int) -> int:
    """Into how many parts a sum is cut, `most` at most, so that a large GPU has a block for each place."""
    return max(1, min(blocks(PLACES, max(blocks_of_a_part, 1)), most, MOST_PARTS))
