"""Philox4x32-10: random words computed from a counter, with no state to carry.

Each of ten rounds multiplies two words of the counter by constants and mixes the
halves of the products with the rest:

    (h0, l0) = M0 c0,  (h1, l1) = M1 c2          64-bit products, high and low words
    (c0, c1, c2, c3) <- (h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0),   (k0, k1) <- (k0 + W0, k1 + W1)

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers:
as easy as 1, 2, 3", SC 2011, section 3.3.
"""

from .common import Array, xp
from .emit import VectorFunction

M0, M1 = 0xD2511F53, 0xCD9E8D57  # multipliers
W0, W1 = 0x9E3779B9, 0xBB67AE85  # golden ratio and sqrt(3) - 1: the key's increments
ROUNDS = 10
LOW = 0xFFFFFFFF


def philox4x32(counter: Array, key: Array) -> Array:
    """Four random words for every counter: counter (..., 4) uint32,
    key two numbers below 2**32 -> (..., 4) uint32.
    """
    xp_ = xp(counter)
    # 64-bit words hold the products whole; the upper halves are masked away where a word wraps around.
    c0, c1, c2, c3 = (counter[..., word].astype(xp_.uint64) for word in range(4))
    k0, k1 = (xp_.asarray(key[i], xp_.uint64) for i in range(2))
    for _ in range(ROUNDS):
        p0, p1 = c0 * M0, c2 * M1
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & LOW, (p0 >> 32) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return xp_.stack([c0, c1, c2, c3], axis=-1).astype(xp_.uint32)


class Rounds:
    """The same as vector code: `words(counter)` writes the rounds into a VectorFunction,
    a counter in each 64-bit lane.

    Of every lane the lower half counts; the upper half is left to hold anything.
    """

    def __init__(self, k: VectorFunction, key: tuple[str, str]) -> None:
        self.k, self.type = k, f"<{k.vectors.lanes} x i64>"
        self.keys = [
            [
                self.spread(k.emit(f"add i64 {word}, {step * increment}"))
                for word, increment in zip(key, (W0, W1), strict=True)
            ]
            for step in range(ROUNDS)
        ]

    def words(self, counter: list[str]) -> list[str]:
        c0, c1, c2, c3 = counter
        for key in self.keys:
            p0, p1 = (self("mul", self("and", c, LOW), m) for c, m in ((c0, M0), (c2, M1)))
            c0, c1 = self("xor", self("xor", self("lshr", p1, 32), c1), key[0]), p1
            c2, c3 = self("xor", self("xor", self("lshr", p0, 32), c3), key[1]), p0
        return [c0, c1, c2, c3]

    def __call__(self, instruction: str, a: str, b: str | int) -> str:
        """The instruction on two vectors, or on a vector and a number."""
        return self.k.emit(f"{instruction} {self.type} {a}, {self.constant(b) if isinstance(b, int) else b}")

    def constant(self, number: int) -> str:
        return "<" + ", ".join([f"i64 {number}"] * self.k.vectors.lanes) + ">"

    def spread(self, number: str) -> str:
        """An i64 in every lane."""
        single = self.k.emit(f"insertelement {self.type} poison, i64 {number}, i32 0")
        order = f"<{self.k.vectors.lanes} x i32> zeroinitializer"
        return self.k.emit(f"shufflevector {self.type} {single}, {self.type} poison, {order}")
