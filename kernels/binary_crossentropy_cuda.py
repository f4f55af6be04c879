"""Binary cross-entropy on a GPU: launches of the kernels in binary_crossentropy.cu."""

from .binary_crossentropy import binary_crossentropy, binary_crossentropy_grad
from .common import Array
from .cuda import FLOATS, Kernel, blocks
from .elementwise import cast, flat

THREADS = 256

_loss = Kernel(__file__, "binary_crossentropy.cu", "loss", T=FLOATS)
_loss_grad = Kernel(__file__, "binary_crossentropy.cu", "loss_grad", T=FLOATS)


@binary_crossentropy.implementation("cuda")
def _(z: Array, t: Array) -> Array:
    y, flats = flat(cast(t, z.dtype), z)
    _loss[z.dtype]((blocks(z.size, THREADS),), (THREADS,), *flats, z.size)
    return y


@binary_crossentropy_grad.implementation("cuda")
def _(g: Array, z: Array, t: Array) -> Array:
    dz, flats = flat(cast(g, z.dtype), cast(t, z.dtype), z)
    _loss_grad[z.dtype]((blocks(z.size, THREADS),), (THREADS,), *flats, z.size)
    return dz
