"""Level `gpu`: all that is to be checked and measured on a machine with a GPU, in under seven minutes.

    python -m benchmarks gpu --out FOLDER            run again, it continues where it was stopped
    python -m benchmarks gpu --quick                 fewer nets, batches and kernels: about two minutes
    python -m benchmarks paper                       what a step should take, without a GPU

Each section (sections.py) is a process of its own with a time limit; the limits and what lies between them
add up to less than seven minutes. A section that fails or is stopped keeps what it has found so far, says
why, and the next one begins.

    facts      what a launch and a graph cost, bandwidth of copies, peak of multiply-adds, what is captured
    tests      `pytest -m gpu`
    paper      launches, bytes and FLOPs of a step, counted, and the time that follows from assumptions
    steps      training steps through `fit`, recorded and eager
    kernels    kernels of the project's nets and of every other kind, for a roofline
    accuracy   seconds of training to 99 % on MNIST ($TINYNET_DATA), or 97 % on tinynet's own digits
    torch      the same nets in PyTorch, where it is installed: every mode that might be its fastest

What is there in the end: a JSON for each section, gpu.json with all of it, summary.txt and pictures.
`--stand-in` runs it all on tests/cupy_stand_in, in tiny sizes, so that a test has run every line before a
GPU does. Its numbers mean nothing.
"""
