// Binary cross-entropy of logits, element by element; formulas in binary_crossentropy.py. block (threads),
// grid (elements)

template <class T>
__global__ void loss(T* __restrict__ y, const T* __restrict__ t, const T* __restrict__ z, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    const T width = fabs(z[i]), weight = z[i] > T(0) ? T(1) - t[i] : t[i];
    y[i] = (weight != T(0) ? weight * width : T(0)) + log1p(exp(-width));  // 0 times infinity is 0
}

template <class T>
__global__ void loss_grad(T* __restrict__ dz, const T* __restrict__ g, const T* __restrict__ t,
                          const T* __restrict__ z, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    const T e = exp(-fabs(z[i])), q = e / (T(1) + e);
    dz[i] = g[i] * (z[i] > T(0) ? (T(1) - t[i]) - q : q - t[i]);
}
