"""Helpers: how many threads the pool asks for, and on which cores.
It asks for as many as make launches faster.

A helper that the system stops in the middle of a piece, because somebody else's turn has come, holds up the
launch for a time slice: a thousand times as long as the piece takes. So does the thread that launches if it
is stopped itself. It keeps an account of such delays (`late`, `kept`). If they are more than now and then,
the cores are wanted elsewhere, and it tries what goes fastest (`arrange`), each for TRIAL_TIME:

    level n     all helpers, or fewer, on other cores than the one that launches
    level 0     one helper, on the same core. Nobody waits for it in vain, since one of the two always runs,
                and a scheduler that is fair to threads gives a core's share twice
    level -1    no helper

Level 0 is tried first, twice: until others have found other cores, it is slower than it will be. The best
stays for a while, first for SHORTEST, then for longer and longer; for a tenth of that only, if others no
longer have the core that they had. Then the pool asks for all helpers again, and keeps them if there are no
delays. If there are, the best level returns. Which one that is is tried anew if it was no helper, or was
found TRUST ago. Speed is counted in launches.
"""

from ..emit.atomic import load, store, write
from . import memory as at
from .memory import compiled
from .system import core, myself, ring, settle, work

# nanoseconds that a thread waits before it sleeps; a system takes 5,000 to 50,000 to wake one up
SPIN = 50_000
LATE, ENOUGH = 500_000, 4_000_000  # a longer delay counts; so many nanoseconds of delays are too many, ...
PART = 50  # ... beyond a fiftieth of the time
ONE = 3_000_000  # what a single delay counts for at most: one is not enough
TRIAL_TIME, TRUST = 120_000_000, 8_000_000_000
SHORTEST, LONGEST = 1_000_000_000, 4_000_000_000
RECENT = 1_000_000  # nanoseconds for which a reading of processor time will do


@compiled
def late(pool, now, delay):
    """Adds a delay to the account, and has other levels tried if there is too much in it."""
    delays = max(0, load(pool + at.DELAYS) - (now - load(pool + at.COUNTED)) // PART) + min(delay, ONE)
    write(pool + at.DELAYS, delays)
    write(pool + at.COUNTED, now)
    tries = (
        load(pool + at.TRIAL) or load(pool + at.LEVEL) != load(pool + at.LIMIT) or now < load(pool + at.UNTIL)
    )
    if delays > ENOUGH and not tries:
        soon = now - load(pool + at.UNTIL) < 2 * SHORTEST
        write(pool + at.PERIOD, min(2 * load(pool + at.PERIOD), LONGEST) if soon else SHORTEST)
        if soon and now - load(pool + at.TRIED) < TRUST and 0 <= load(pool + at.BEST) < load(pool + at.LIMIT):
            _stay(pool, now)
        else:
            write(pool + at.RATE, -1)
            _try(pool, now, 1)


@compiled
def watch(pool, now):
    """Before a launch: reads the processor time of the thread that launches (level 0: of all),
    if it is not known.
    """
    beside = load(pool + at.LEVEL) == 0
    whose = myself() + beside
    if whose != load(pool + at.WHOSE) or now - load(pool + at.READ) > RECENT:
        write(pool + at.WHOSE, whose)
        write(pool + at.READ, now)
        write(pool + at.WORK, work(pool + at.SCRATCH, beside))


@compiled
def kept(pool, begin, end, work):
    """Adds to the account how long others had the core of the thread that launches,
    by its processor time until now.
    """
    lost = min(end - begin, end - load(pool + at.READ) - (work - load(pool + at.WORK)))
    write(pool + at.READ, end)
    write(pool + at.WORK, work)
    if lost > LATE:
        write(pool + at.WANTED, end)
        late(pool, end, lost)


@compiled
def _try(pool, now, trial):
    """Begins a trial, the number `trial` of six, or ends them."""
    level = _level(trial, load(pool + at.LIMIT))
    while 4 < trial <= 6 and level == _level(trial - 1, load(pool + at.LIMIT)):
        trial += 1
        level = _level(trial, load(pool + at.LIMIT))
    if trial > 6:
        write(pool + at.TRIED, now)
        _stay(pool, now)
        return
    write(pool + at.TRIAL, trial)
    write(pool + at.BEGAN, now)
    write(pool + at.FROM, load(pool + at.NUMBER))
    store(pool + at.LEVEL, level)


@compiled
def _stay(pool, now):
    """Stays at the best level for a while."""
    best = load(pool + at.BEST)
    write(pool + at.UNTIL, now + (load(pool + at.PERIOD) if best < load(pool + at.LIMIT) else SHORTEST))
    for place in (at.TRIAL, at.DELAYS, at.WANTED):
        write(pool + place, 0)
    store(pool + at.LEVEL, best)


@compiled
def _over(pool, now):
    """Whether the level has stayed long enough."""
    wanted = load(pool + at.WANTED)
    return now > load(pool + at.UNTIL) or (wanted != 0 and now - wanted > load(pool + at.PERIOD) // 10)


@compiled
def _level(trial, limit):
    """One helper beside the thread that launches, twice; none; half of the helpers, three quarters, all."""
    if trial <= 3:
        return 0 if trial <= 2 else -1
    return limit - (6 - trial) * limit // 4


@compiled
def arrange(pool, now):
    """Before a launch: the level, and the helpers' places."""
    if load(pool + at.TRIAL):
        if now - load(pool + at.BEGAN) > TRIAL_TIME:
            rate = (
                (load(pool + at.NUMBER) - load(pool + at.FROM))
                * 1_000_000_000
                // (now - load(pool + at.BEGAN))
            )
            if load(pool + at.LEVEL) >= 0:  # what helpers bring differs from slice to slice ...
                rate += rate // 10
            # ... and over many of them this one is never much slower than none
            if load(pool + at.LEVEL) == 0:
                rate += rate // 10
            if rate > load(pool + at.RATE):
                write(pool + at.RATE, rate)
                write(pool + at.BEST, load(pool + at.LEVEL))
            _try(pool, now, load(pool + at.TRIAL) + 1)
    elif load(pool + at.LEVEL) != load(pool + at.LIMIT) and _over(pool, now):
        write(pool + at.UNTIL, now)
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
