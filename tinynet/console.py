"""What a stream of text can show: the one place through which tinynet prints.

`sys.stdout` may be None (pythonw, a closed descriptor), closed, limited to ASCII or cp1252, or any object
with a `write` that somebody put there. A training never ends because of it: what cannot be shown is drawn in
ASCII, what cannot be written is left out. Errors of the device (a full disk, a pipe that nobody reads any
more) are raised, as `print` does.
"""

import sys
from typing import Any

# one character for one: columns stay where they are
PLAIN = str.maketrans("┏┳┓┡╇┩├┼┤└┴┘━─┃│…", "+" * 12 + "--||~")


def say(text: str) -> None:
    """Prints `text` and a newline on standard output, at once."""
    stream = sys.stdout
    if not is_open(stream):
        return
    line = shown(text, stream) + "\n"
    try:
        try:
            stream.write(line)
        except UnicodeEncodeError:  # a stream that does not say what it can show
            stream.write(line.translate(PLAIN).encode("ascii", "backslashreplace").decode("ascii"))
        getattr(stream, "flush", _nothing)()
    except ValueError as error:
        if "closed" not in str(error):  # a file that is closed behind what stands in its place
            raise


def shown(text: str, stream: Any) -> str:
    """`text` as `stream` can show it: lines of boxes in ASCII where one of them is missing,
    escapes for what is left.
    """
    encoding = encoding_of(stream)
    drawn = "".join(c for c in text if ord(c) in PLAIN)
    if not _fits(drawn, encoding):
        text = text.translate(PLAIN)
    return text if _fits(text, encoding) else text.encode(encoding, "backslashreplace").decode(encoding)


def encoding_of(stream: Any) -> str:
    """The encoding of `stream`; UTF-8, which shows everything, where it does not state one."""
    encoding: Any = getattr(stream, "encoding", None)
    try:
        "".encode(encoding)
    except (LookupError, TypeError):
        return "utf-8"
    return str(encoding)


def is_open(stream: Any) -> bool:
    """Whether there is something to write to."""
    return stream is not None and not getattr(stream, "closed", False)


def is_terminal(stream: Any) -> bool:
    """Whether `stream` is a terminal, on which a line can be drawn again."""
    try:
        return is_open(stream) and bool(stream.isatty())
    except (AttributeError, TypeError, ValueError, OSError):  # no such method, no method, closed behind it
        return False


def is_notebook(stream: Any = None) -> bool:
    """Whether this stream, or standard output, is the output of a notebook's cell."""
    return type(sys.stdout if stream is None else stream).__module__.startswith("ipykernel.")


def redraws(stream: Any) -> bool:
    """Whether a line on `stream` can be drawn again: on a terminal, and below a notebook's cell."""
    return is_terminal(stream) or is_notebook(stream)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _nothing() -> None:
    pass
