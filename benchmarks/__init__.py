"""Benchmarks: one kernel, one training step, one whole training, against the same in Keras and PyTorch.

    python -m benchmarks kernels     every operation: each implementation, FLOP/s,
                                     bytes/s, fraction of the machine's peak
    python -m benchmarks steps       one training step through `fit`, for the nets that the project reproduces
    python -m benchmarks scaling     the same with 1 and more threads, and with batches of 64 to 512
    python -m benchmarks memory      peak memory of a training process
    python -m benchmarks ablation    the same step with fewer of the engine's ideas
    python -m benchmarks epochs      seconds from the first training step to 98 % and 99 % on MNIST's test set
    python -m benchmarks startup     seconds from the start of a process to its first training step
    python -m benchmarks predict     how long `predict` takes for 1 to 512 images
    python -m benchmarks busy        the same beside processes that keep cores busy,
                                     and in a container's quota
    python -m benchmarks augmentation   a training step with augmented images, beside one without
    python -m benchmarks ladder      one convolution on every rung from its definition to the register tile
    python -m benchmarks tape        150 operations on a handful of numbers,
                                     forward and backward: what the tape itself costs
    python -m benchmarks chain       the files that a call of Conv2D and its gradient enter
    python -m benchmarks gpu         everything that a machine with a GPU is to check and to measure,
                                     in under seven minutes
    python -m benchmarks paper       how long a training step should take on a GPU, from what it launches
    python -m benchmarks.reading     lines and tokens of README's reading paths, and of the project's rooms
    python -m benchmarks plot FILE   pictures;   python -m benchmarks report: RESULTS.md

**Peers** (PyTorch, Keras on TensorFlow, Keras on JAX) are used where they are installed; `--peer-python`
names the interpreter of another environment that has them. One that is missing is left out with a line that
says so.

**What makes it fair.** Every library and mode runs in a process of its own, on the same cores, told the same
number of threads. The processes wait for their turn and take it one after the other, round by round, so
that a machine that slows down slows down everybody. All train the same net from the same weights on the same
arrays, and their losses are compared. Peers are run in every mode that might be their fastest.

**Before and after.** `--against PATH` names the interpreter of another checkout's environment (`git worktree
add ../before COMMIT`, and README's installation there). Its tinynet races along as `before`: driven by these
benchmarks, from the same weights, on the same arrays.

**What most laptops have.** With the environment variable `TINYNET_CPU=avx2` every library runs the code that
it has for processors without AVX-512, and the results go to a file of their own.

**A quiet machine.** Nothing begins while others have more than a twentieth of the cores' time (`quiet.py`
names them); with `--anyway` it does, and what is measured then is marked (levels that only print look
once, before they begin). Every record says what others had since the one before it, and what is faster than
the machine's peak allows is not kept.

Each result is written to the JSON file as soon as it is there, and what is there is not measured again
(`--fresh` does): a run can be stopped and continued. `SCHEMA.md` says what is in the file.

How the files fit together: `nets`, `data`, `shapes` say what is measured; `process` starts `worker`, which
answers with `training` and `calls` (of the libraries' `calls_*`, on the numbers of `inputs`); `steps`,
`kernels`, `predict`, `busy` (with `load`) and the other levels ask the questions; `quiet` watches the
machine; `results`, `table`, `busy_table`, `plots`, `report` keep and show the answers. The folder `gpu` has
its own; its page says how it goes.
"""
