"""Replay: a step runs its Python a few times; from then on its launches alone are repeated, with the same bits.

Between two launches of a small net there is more Python (layers, the tape, shapes) than work in them, and its outcome is the
same every time. So `fit`, `evaluate` and `predict`, and every function that is decorated with `@tinynet.replayed`,

    first call of a kind    run on the tape, which *records* what derivatives need
    second                  are *captured*: their launches are noted, in a rehearsal on other numbers that leaves nothing behind
    third                   run on the tape and then as a program from the same state, and all bits are compared
    from the fourth on      repeat the program: the launches, in their order, on the same memory

**What is captured.** Launches (kernels/launches.py), and nothing else: kernels, operators and functions of `tinynet.ops`,
`grad`, `optimizer.apply`, `assign` and in-place operators of Tensors, draws of layers and of a SeedGenerator, and of metrics
`update_state`, `reset_state` and `result`, which are Python that is run again.

**What may change between steps, and how.** Numbers in arrays: those that are given, weights, statistics, slots. What a launched
function reads of the day: the learning rate and a schedule's step, counts of draws. Everything else makes another kind of step,
which is captured anew: structure, shapes, dtypes and memory order of the arrays; other arguments; numbers, strings and flags
that the Python names (globals, what it closes over, defaults, attributes of objects, entries of lists and dictionaries: see
names.py); what is trainable; the optimizer's settings; config.epsilon; chosen kernels; threads, and the thread that calls.

**When a program is thrown away.** An attribute of a layer, a regularizer or a constraint was set; a parameter has another
array; the optimizer was built anew; more than eight kinds are in use: the oldest goes.

**When a step is never repeated.** It computes with NumPy what differs from step to step (operators of arrays it was given are
NumPy's: begin with x = Tensor(x)); it looks at the numbers of a Tensor or
of an array it was given (`if loss > 1`, float, print); it reads the learning rate or the count of steps in Python; it draws
random numbers without a SeedGenerator; it calls fit or another step of a model; it sets an attribute of a layer; it launches
nothing; a comparison of bits fails; run_eagerly. `why()` of a function and `model.replay.why()` say which it is, and where.

**What must not be relied on.** Python that has no launch is not repeated: printing, appending to a list, counting in a
variable. It runs at the first calls, at the second of them twice. Python that is not tinynet's is compared again at the
30th call of its program, the 300th and so on, since it may hang on something that nobody sees; if the bits differ then, a
warning says so.

    function.py  @replayed                       step.py      tape, capture, comparison, repetition
    model.py     the steps of a model            capture.py   the listener that notes launches
    names.py     what somebody's Python goes by  program.py   launches, repeated
    where.py     which line is in the way        watched.py   arrays that tell when NumPy computes with them
                                                 bits.py      copies, comparisons, other numbers
"""

from tinynet import missing_names
from tinynet.replay.function import Replayed, replayed

__all__ = ["Replayed", "replayed"]

missing_names.namespace(__name__)
