"""The products of Winograd's convolution (winograd.py): at each place t, all filters of all channels.

    M[t][f] = sum over c of U[t][c, f] V[t][c]

Up to 14 filters x 2 vectors of images are sums in registers: for each channel 2 vectors and 14 weights are
loaded for 28 multiply-adds.

**Prefetches.** The pixels and outputs of a tile lie in pieces of 128 bytes, one for each channel, far apart;
the hardware does not foresee them. The products touch only what is in the cache, so they have time to ask:
for each channel they add, for a piece of x that the next input tile will read, and one of y that is about to
be written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

from ..emit import Value, VectorFunction, Vectors, address
from .winograd_tiles import beside


class Scratch(NamedTuple):
    """Bytes from place to place of V and of M, and from filter to filter of U."""

    v_place: int
    m_place: int
    u_filter: int


class ProductCall(NamedTuple):
    """Addresses, counts, and steps in bytes."""

    v: int
    u: int
    m: int
    channels: int
    places: int
    u_place: int
    u_channel: int
    table: int  # for each place two offsets: of a pixel of x, of one of y
    x: int  # that the next input tile reads
    x_channel: int
    y: int  # that the next output tile writes
    y_channel: int


def product_tile(
    filters: int, count: int, scratch: Scratch, vectors: Vectors, channels: int
) -> VectorFunction:
    """M[t][f] = sum over c of U[t][c, f] V[t][c] for `filters` filters, `count` vectors of images, all
    places.
    """
    k = VectorFunction(vectors, ProductCall)
    sums = {(f, j): k.variable(k.zero) for f in range(filters) for j in range(count)}
    with _each_place(k, sums, scratch) as places:
        with k.loop(0, "%channels") as c:
            v, u = (
                k.move(places["v"], k.mul(beside(vectors), c)),
                k.move(places["u"], k.mul("%u_channel", c)),
            )
            for j in range(count):
                _ask(k, places, c, range(0, filters, channels), j * vectors.bytes)
            pixels = [k.load(k.move(v, j * vectors.bytes)) for j in range(count)]
            for f in range(filters):
                weight = k.splat(k.move(u, scratch.u_filter * f))
                for j in range(count):
                    k.set(sums[f, j], k.multiply_add(weight, pixels[j], k.get(sums[f, j])))
        for (f, j), slot in sums.items():
            k.store(k.get(slot), k.move(places["m"], beside(vectors) * f + j * vectors.bytes))
    return k


@contextmanager
def _each_place(
    k: VectorFunction, sums: dict[tuple[int, int], str], scratch: Scratch
) -> Iterator[dict[str, str]]:
    """A loop over the places, which begins with sums of 0; gives what `_places` says of each."""
    start = {name: k.pointer(f"%{name}") for name in ("v", "u", "m", "table", "x", "y")}
    with k.loop(0, "%places") as t:
        places = _places(k, start, t, scratch)
        for slot in sums.values():
            k.set(slot, k.zero)
        yield places


def _places(k: VectorFunction, start: dict[str, str], t: Value, scratch: Scratch) -> dict[str, str]:
    """Where place t begins in V, U and M, and the pixels of x and y that the table has for it."""
    steps = {"v": k.mul(scratch.v_place, t), "u": k.mul("%u_place", t), "m": k.mul(scratch.m_place, t)}
    entry = k.move(start["table"], k.mul(16, t))
    steps |= {"x": k.load_integer(entry), "y": k.load_integer(k.move(entry, 8))}
    return {name: k.move(start[name], step) for name, step in steps.items()}


def _ask(k: VectorFunction, at: dict[str, str], c: Value, filters: range, step: int) -> None:
    """For channel c of a pixel of x, and for as many filters of one of y as there are to each channel."""
    k.prefetch(k.move(at["x"], k.mul("%x_channel", c), step))
    for f in filters:
        k.prefetch(k.move(at["y"], k.mul("%y_channel", k.add(c, f)), step), write=True)


@cache
def product_address(filters: int, count: int, scratch: Scratch, vectors: Vectors, channels: int) -> int:
    return address(product_tile(filters, count, scratch, vectors, channels))


def few_product_tile(filters: int, images: int, scratch: Scratch, vectors: Vectors) -> VectorFunction:
    """The same sums for a few images, with filters in the lanes: of filters that lie side by side in U."""
    k = VectorFunction(vectors, ProductCall)
    width = -(-filters // vectors.lanes)
    sums = {(n, j): k.variable(k.zero) for n in range(images) for j in range(width)}
    with _each_place(k, sums, scratch) as places:
        with k.loop(0, "%channels") as c:
            v = k.move(places["v"], k.mul(beside(vectors), c))
            u = k.move(places["u"], k.mul("%u_channel", c))
            weights = [k.load(k.move(u, j * vectors.bytes)) for j in range(width)]
            for n in range(images):
                pixel = k.splat(k.move(v, n * vectors.itemsize))
                for j in range(width):
                    k.set(sums[n, j], k.multiply_add(weights[j], pixel, k.get(sums[n, j])))
        for (n, j), slot in sums.items():
            total, first = k.get(slot), j * vectors.lanes
            for lane in range(min(vectors.lanes, filters - first)):
                place = k.move(places["m"], beside(vectors) * (first + lane) + n * vectors.itemsize)
                k.store_scalar(k.emit(f"extractelement {k.vector} {total}, i32 {lane}"), place)
    return k


@cache
def few_product_address(filters: int, images: int, scratch: Scratch, vectors: Vectors) -> int:
    return address(few_product_tile(filters, images, scratch, vectors))
