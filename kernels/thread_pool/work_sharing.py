"""Work sharing: a launch is cut into pieces, a few for each thread, which threads take one by one.

The thread that launches takes them from the front, helpers from the back, each by one atomic change of one
word. Whoever has a processor works; a helper that has lost it takes no piece and costs nothing. When no piece
is left, the thread that launches waits for those that helpers have begun. Loops are cut by index, and no
result depends on the cuts, so that the bits are the same whoever does what.
"""

from ..emit import call_kernel
from ..emit.atomic import add, exchange, load, pause, replace, store, write
from . import memory as at
from .helpers import LATE, arrange, kept, late, watch
from .memory import compiled
from .system import clock, myself, name, ring, sleep, wake, work

MOST_ARGUMENTS = 240  # of a compiled loop, for which a thread has room; one with more is not shared


@compiled
def pieces():
    """Into how many pieces a loop is cut."""
    return load(at.pool() + at.PIECES)


@compiled
def number():
    """Number of the thread that runs a piece: 0 for the one that launched. A helper keeps its own,
    whatever is allowed now.
    """
    shared, me = at.pool(), myself()
    for i in range(load(shared + at.STARTED)):
        if load(shared + at.SELVES + 8 * i) == me:
            return i + 1
    return 0


@compiled
def run_alone(function, arguments, shape, steps, data, dimensions, count, threads):
    """A launch where there are no helpers."""
    call_kernel(function, (arguments, shape, steps, data))


@compiled
def first():
    return 0


@compiled
def share(function, arguments, shape, steps, data, dimensions, count, threads):
    """A launch, as compiled loops ask for it: function(arguments, shape, steps,
    data) for each of shape[0] pieces.
    """
    shared, pieces = at.pool(), load(shape)
    alone = (
        pieces < 2 or load(shared + at.LIMIT) == 0 or count > MOST_ARGUMENTS or dimensions > MOST_ARGUMENTS
    )
    if alone or not replace(shared + at.TURN, 0, 1):  # or another thread's launch has the helpers
        call_kernel(function, (arguments, shape, steps, data))
        return
    begin = clock(shared + at.SCRATCH)
    launch = add(shared + at.NUMBER, 1)
    level = arrange(shared, begin)
    watch(shared, begin)
    if level < 0:
        call_kernel(function, (arguments, shape, steps, data))
        _end(shared, begin)
        store(shared + at.TURN, 0)
        return
    write(shared + at.FUNCTION, function)
    write(shared + at.ARGUMENTS, arguments)
    write(shared + at.SHAPE, shape)
    write(shared + at.STEPS, steps)
    write(shared + at.DATA, data)
    write(shared + at.DIMENSIONS, dimensions)
    write(shared + at.COUNT, count)
    write(shared + at.DONE, 0)
    store(shared + at.WORD, (launch << 32) | (pieces << 16))
    if load(shared + at.ASLEEP) and exchange(shared + at.ASLEEP, 0):
        ring(shared + at.BELL)
    mine = 0
    while True:
        word = load(shared + at.WORD)
        if word & 0xFFFF >= (word >> 16) & 0xFFFF:
            break
        if replace(shared + at.WORD, word, word + 1):
            _piece(shared, shared + at.SCRATCH, word & 0xFFFF)
            mine += 1
    end = _end(shared, begin)
    if load(shared + at.DONE) != pieces - mine:
        _finish(shared, begin, end, mine, pieces - mine)
    store(shared + at.TURN, 0)


@compiled
def _piece(shared, scratch, number):
    """Runs one piece: the arguments moved by so many steps, the outermost dimension 1."""
    arguments, shape, steps = load(shared + at.ARGUMENTS), load(shared + at.SHAPE), load(shared + at.STEPS)
    moved, one = scratch + 64, scratch + at.OWN // 2
    for i in range(load(shared + at.COUNT)):
        write(moved + 8 * i, load(arguments + 8 * i) + number * load(steps + 8 * i))
    for i in range(1, load(shared + at.DIMENSIONS) + 1):
        write(one + 8 * i, load(shape + 8 * i))
    write(one, 1)
    call_kernel(load(shared + at.FUNCTION), (moved, one, steps, load(shared + at.DATA)))


@compiled
def _end(shared, begin):
    """When the thread that launches has no more pieces to run. If it took long,
    others may have had its core.
    """
    end = clock(shared + at.SCRATCH)
    if end - begin > LATE:
        kept(shared, begin, end, work(shared + at.SCRATCH, load(shared + at.LEVEL) == 0))
    return end


@compiled
def _finish(shared, begin, end, mine, others):
    """Waits for the pieces that helpers have begun. What goes beyond the time of two pieces is a delay."""
    while load(shared + at.DONE) != others:
        if clock(shared + at.SCRATCH) - end < load(shared + at.PATIENCE):
            for _ in range(16):
                pause()
            continue
        store(shared + at.WAITING, 1)
        done = load(shared + at.DONE)
        if done != others:
            sleep(shared + at.DONE, done)
        store(shared + at.WAITING, 0)
    now = clock(shared + at.SCRATCH)
    if mine and now - end - 2 * (end - begin) // mine > LATE:
        late(shared, now, now - end)


@compiled
def help_out(index):
    """What the helper number `index` does, for ever."""
    shared = at.pool()
    scratch = shared + at.SCRATCH + (index + 1) * at.OWN
    store(shared + at.SELVES + 8 * index, myself())
    store(shared + at.NAMES + 8 * index, name())
    idle = clock(scratch)
    while True:
        bench, word = load(shared + at.BENCH), load(shared + at.WORD)
        if index >= min(max(load(shared + at.LEVEL), 1), load(shared + at.LIMIT)):
            sleep(shared + at.BENCH, bench)
            continue
        last = ((word >> 16) & 0xFFFF) - 1
        if word & 0xFFFF <= last:
            if replace(shared + at.WORD, word, word - 0x10000):
                _piece(shared, scratch, last)
                add(shared + at.DONE, 1)
                if load(shared + at.WAITING):
                    wake(shared + at.DONE)
                idle = clock(scratch)
        elif clock(scratch) - idle < load(shared + at.PATIENCE):
            for _ in range(16):
                pause()
        else:
            bell = load(shared + at.BELL)
            add(shared + at.ASLEEP, 1)
            word = load(shared + at.WORD)
            if word & 0xFFFF >= (word >> 16) & 0xFFFF:
                sleep(shared + at.BELL, bell)
            idle = clock(scratch)
