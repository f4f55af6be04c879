"""A thread is a loan: the pool asks for as many helpers as bring something, and on which cores.

A helper that the system stops in the middle of a piece, because somebody else's turn has come, holds up the launch for a time
slice: a thousand times as long as the piece takes. The thread that launches keeps an account of such delays (`late`). If they
are more than now and then, the cores are wanted elsewhere, and it tries what goes fastest (`arrange`), each for TRIAL_TIME:

    level n     all helpers, or fewer, on other cores than the one that launches
    level 0     one helper, on the same core. Nobody waits for it in vain, since one of the two always runs, and a scheduler
                that is fair to threads gives a core's share twice
    level -1    no helper

The best of these stays for a while, first for SHORTEST, then for longer and longer. Then the pool asks for all helpers again,
and keeps them if there are no delays. Speed is counted in launches.
"""

from ..emit.atomic import load, store, write
from . import memory as at
from .memory import compiled
from .system import core, ring, settle

SPIN = 50_000  # nanoseconds that a thread waits before it sleeps; a system takes 5,000 to 50,000 to wake one up
LATE, ENOUGH = 500_000, 4_000_000  # a longer delay counts; so many nanoseconds of delays are too many, ...
PART = 50  # ... beyond a fiftieth of the time
TRIAL_TIME = 120_000_000
SHORTEST, LONGEST = 1_000_000_000, 4_000_000_000


@compiled
def late(pool, now, delay):
    """Adds a delay to the account, and has other levels tried if there is too much in it."""
    delays = max(0, load(pool + at.DELAYS) - (now - load(pool + at.COUNTED)) // PART) + delay
    write(pool + at.DELAYS, delays)
    write(pool + at.COUNTED, now)
    tries = load(pool + at.TRIAL) or load(pool + at.LEVEL) != load(pool + at.LIMIT) or now < load(pool + at.UNTIL)
    if delays > ENOUGH and not tries:
        soon = now - load(pool + at.RAISED) < 2 * SHORTEST
        write(pool + at.PERIOD, min(2 * load(pool + at.PERIOD), LONGEST) if soon else SHORTEST)
        write(pool + at.RATE, -1)
        _try(pool, now, 1)


@compiled
def _try(pool, now, trial):
    """Begins a trial, the number `trial` of five, or ends them."""
    level = _level(trial, load(pool + at.LIMIT))
    while 1 < trial <= 5 and level == _level(trial - 1, load(pool + at.LIMIT)):
        trial += 1
        level = _level(trial, load(pool + at.LIMIT))
    if trial > 5:
        trial, level = 0, load(pool + at.BEST)
        write(pool + at.UNTIL, now + load(pool + at.PERIOD))
        write(pool + at.DELAYS, 0)
    write(pool + at.TRIAL, trial)
    write(pool + at.BEGAN, now)
    write(pool + at.FROM, load(pool + at.NUMBER))
    store(pool + at.LEVEL, level)


@compiled
def _level(trial, limit):
    """All helpers, three quarters, half, one beside the thread that launches, none."""
    if trial <= 3:
        return limit - (trial - 1) * limit // 4
    return 4 - trial


@compiled
def arrange(pool, now):
    """Before a launch: the level, and the helpers' places."""
    if load(pool + at.TRIAL):
        if now - load(pool + at.BEGAN) > TRIAL_TIME:
            rate = (load(pool + at.NUMBER) - load(pool + at.FROM)) * 1_000_000_000 // (now - load(pool + at.BEGAN))
            if load(pool + at.LEVEL) == 0:
                rate += rate // 10  # what it brings differs from slice to slice; over many of them it is never much slower
            if rate > load(pool + at.RATE):
                write(pool + at.RATE, rate)
                write(pool + at.BEST, load(pool + at.LEVEL))
            _try(pool, now, load(pool + at.TRIAL) + 1)
    elif load(pool + at.LEVEL) != load(pool + at.LIMIT) and now > load(pool + at.UNTIL):
        write(pool + at.RAISED, now)
        write(pool + at.DELAYS, 0)
        store(pool + at.LEVEL, load(pool + at.LIMIT))
    here, level = core(), load(pool + at.LEVEL)
    placed = (here << 32) + (load(pool + at.LIMIT) << 16) + level + 2
    if placed != load(pool + at.PLACED):
        store(pool + at.PATIENCE, SPIN if level > 0 else 0)
        if level < 0 or settle(pool, here, level == 0):
            write(pool + at.PLACED, placed)
        ring(pool + at.BENCH)
    return level
