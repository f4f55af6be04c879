"""The names that were perhaps meant: what errors about a name that does not exist suggest."""

import re
from collections.abc import Iterable

# What other libraries and people call it, letters and digits alone: what it is called here.
ELSEWHERE = {
    "adaptiveavgpool2d": "globalaveragepooling2d",
    "adaptivemaxpool2d": "globalmaxpooling2d",
    "batchnorm1d": "batchnormalization",
    "batchnorm2d": "batchnormalization",
    "bceloss": "binarycrossentropy",
    "bcewithlogitsloss": "binarycrossentropy",
    "convtranspose2d": "conv2dtranspose",
    "crossentropyloss": "sparsecategoricalcrossentropy",
    "dropout2d": "spatialdropout2d",
    "f1": "f1score",
    "identity": "linear",
    "kaiming": "henormal",
    "kaimingnormal": "henormal",
    "kaiminguniform": "heuniform",
    "l1loss": "meanabsoluteerror",
    "linear": "dense",
    "lrelu": "leakyrelu",
    "mseloss": "meansquarederror",
    "nllloss": "sparsecategoricalcrossentropy",
    "none": "linear",
    "smoothl1loss": "huber",
    "xavier": "glorotuniform",
    "xaviernormal": "glorotnormal",
    "xavieruniform": "glorotuniform",
}


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """At most so many of the `known` names, the likeliest first:
    alike but for case and underscores, else misspelt or cut.
    """
    snake = "_" in name or not name[:1].isupper()
    # of two spellings the likelier one
    plain = {other: _plain(other) for other in sorted(known, reverse=snake) if other != name}
    wanted = _plain(name)
    if not wanted:
        return []
    for alike in (wanted, ELSEWHERE.get(wanted)):
        if found := [other for other, text in plain.items() if text == alike]:
            return found[:1]
    import difflib  # which takes as long to import as tinynet does; only errors need it

    spelt = difflib.get_close_matches(wanted, plain.values(), most, 0.7)
    part = [
        text
        for text in plain.values()
        if len(wanted) > 1 and (text.startswith(wanted) or text.endswith(wanted))
    ]
    likely = dict.fromkeys([*spelt, *sorted(part, key=len)])
    return [next(other for other, text in plain.items() if text == one) for one in likely][:most]


def hint(name: str, known: Iterable[str]) -> str:
    """What an error says after a name that does not exist: "did you mean 'relu'?",
    or which names there are, at most ten.
    """
    known = list(known)
    if near := nearest(name, known):
        return f"did you mean {' or '.join(map(repr, near))}?"
    few = sorted(other for other in known if other == other.lower()) or sorted(known)
    return f"there are {', '.join(few if len(few) <= 10 else [*few[:7], f'and {len(few) - 7} more'])}"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
