"""Replay: after a few calls of a step its launches alone are repeated,
without its Python, with the same bits.

In a small net the Python between two kernels (layers, the tape, shapes) takes longer than the kernels, and
it does the same at every step. So `fit`, `evaluate` and `predict`, and functions decorated with
`@tinynet.replayed`, run their Python at the first calls only. For each *kind* of call (see below):

    first call     the function runs on the tape (which records what derivatives need);
                   it builds layers and slots
    second call    a trial run on other numbers captures the launches and leaves all weights as they were;
                   then the function runs on the tape. Other numbers: so that one which came from the data,
                   and was kept in the list of launches, shows as a wrong bit at the third call
    third call     the function runs on the tape; then its launches run as a program from the same state, and
                   all bits of results, weights, statistics and slots are compared
    from then on   the program runs: the same launches, in the same order, on the same memory

    >>> w = tinynet.Parameter([2.0])
    >>> @tinynet.replayed
    ... def step(x):
    ...     loss = ops.sum((w - x) ** 2)
    ...     w.assign(w - 0.1 * tinynet.grad(loss, w))
    ...     return loss
    >>> for t in range(4):
    ...     loss = step(np.array([t], np.float32))  # one kind: float32 arrays of one number
    ...     print(f"{float(loss):.2f}", step.why()[:12])
    4.00 not replayed
    0.36 not replayed
    0.27 replayed
    2.01 replayed

**On a GPU** it goes the same way, and the program is one CUDA graph (graph.py). The trial run is its capture:
nothing runs meanwhile, so the numbers it is given do not matter. A step that is repeated is a launch for the
numbers of the day (learning rate, words of the masks) and a launch of the graph, for some hundred kernels; in
`fit` and `evaluate` the running means are part of it. Nobody waits until a loss is read.

**What is captured.** Launches (kernels/launches.py), and nothing else. Launches are what kernels, the
operators of Tensors and the functions of `tinynet.ops` do, and also `grad`, `optimizer.apply`, `assign`,
the draws of layers and of a SeedGenerator. Of metrics, `update_state`, `reset_state` and `result` may be
called: each is the launch of a Python function, which is called again. On a GPU, also what CuPy is told to
do; Python that a launch calls runs in the capture alone, so metrics must do their work in array expressions.

**What may change from step to step.** The numbers in arrays: arguments, weights, statistics, slots. Also what
a launched Python function looks up anew each time: the learning rate, the count of steps that a schedule is
given, the counters of random draws.

**What makes another kind.** All else that a step may depend on; each kind is captured by itself:

    arguments    structure, shapes, dtypes, memory order; the values of arguments that are not arrays
    the Python   the plain values (numbers, strings, flags) that a user's function reads: globals, closure,
                 defaults, attributes of objects and classes, entries of lists and dictionaries, contents of
                 objects that are arguments (names.py); which arguments are the same array
    the model    which layers are trainable, the settings of the optimizer and of the loss
    the process  tinynet.config, chosen kernels, number of threads, which thread calls, the device in use

**When a program is thrown away.** When an attribute of a layer, a regularizer or a constraint is set (all
programs of the model or function); when a parameter has another array, or the optimizer has been built
again; and when eight more recently used kinds are kept. The next call of its kind is again a first call.

**When a step is never replayed.** Then it runs its Python at each call, which is slower and right.

    - It computes with NumPy on numbers that differ from step to step. Operators of array arguments are
      NumPy's: begin with x = Tensor(x).
    - Its Python reads such numbers: `if loss > 1`, float(loss), print(loss), the learning rate, the count of
      steps.
    - It changes at each call a value that its own Python names: counts in a global, appends to a list.
    - It changes an argument in place, or draws random numbers without a SeedGenerator.
    - It goes by an iterator or a generator, draws random numbers of NumPy or Python,
      or changes an array with NumPy.
    - It calls backward() or zero_grad(), which set `grad`: use tinynet.grad.
    - It returns an object of a class of its own, or a set: return arrays, Tensors,
      lists, tuples, dictionaries.
    - It calls `fit` or another step of a model, or sets an attribute of a layer at each step.
    - It launches nothing, fails in the trial run, or has other bits as a program.
    - Its parameters or batches are no arrays of NumPy, nor all of CuPy, or a Tensor argument is a result that
      the tape recorded.
    - On a GPU: its Python reads numbers of an array there (float(loss), a metric such as AUC in a step of
      one's own), copies an array there, meets cuBLAS, which CuPy cannot capture (@ of CuPy's arrays), or
      has an optimizer whose rule is one's own. A metric of `compile` that does so stays outside of the graph.
    - `run_eagerly=True`, or `config.run_functions_eagerly(True)`.

`why()` of a function and `model.replay.why()` say which of these it is, and name the line of code.

**Arrays that the Python names** may change in place. Launches read them as they are; of those of up to 64 KB
that Python reads too, any change makes the step be compared again.

**Results** are the caller's own, and constants from the first call on: take gradients within the function.

**What to know.** Python that leads to no launch is not repeated: printing a text, logging, writing a file.
It runs at the first call, twice at the second, once at the third, and then no more. A user's Python may
also depend on something that nobody notices, such as the contents of a file. So its programs are compared
again at the 30th call, the 300th and so on; if bits differ then, a warning says so, and the step runs its
Python.

    function.py   @replayed
    model.py      the steps of a model
    kinds.py      the steps of a function or a model, by kind
    step.py       tape, capture, comparison, repetition
    capture.py    the listener that keeps launches
    program.py    launches, repeated
    graph.py      both on a GPU: a CUDA graph
    names.py      values that a user's Python uses
    values.py     what stands for a value
    numbered.py   a number for each set of values
    structure.py  lists and dictionaries of arguments and results
    outside.py    parameters, arrays, generators beside the arguments
    watched.py    arrays that notice when Python computes with them
    bits.py       copies, snapshots, comparisons, other numbers
    where.py      the line that is the reason
"""

from tinynet import missing_names
from tinynet.replay.function import Replayed, replayed

__all__ = ["Replayed", "replayed"]

missing_names.namespace(__name__)
