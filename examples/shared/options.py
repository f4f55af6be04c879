"""Numbers on a command line: what argparse is given as `type`."""

import argparse


def natural(text: str) -> int:
    return at_least(0, text)


def positive(text: str) -> int:
    return at_least(1, text)


def at_least(least: int, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"expected an integer of at least {least}, got {text!r}")
    return value
