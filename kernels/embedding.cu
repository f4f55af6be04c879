// Rows of a table by integers, and the sum of their gradients (embedding.py). y and g are (T, D, N), ids (T,
// N): T places of a sample, D columns of the table, N samples, which are neighbours in memory.

// y[t, d, n] = table[ids[t, n], d], NaN where that is no row: nobody waits for the GPU to raise an error.
// block (threads), grid (elements)
template <class T>
__global__ void embedding(T* __restrict__ y, const T* __restrict__ table, const int64* __restrict__ ids,
                          int v, int d, int n, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    const int64 id = ids[(size_t)(i / n / d) * n + i % n];
    y[i] = id >= 0 && id < v ? table[id * d + i / n % d] : T(0) / T(0);
}

// dtable[row, d] = sum of g over the places that read the row. `places` are all places (t, n), those of a row
// together and in their order; those of row i are first[i] to first[i + 1]. block (threads), grid (elements)
template <class T>
__global__ void embedding_grad(T* __restrict__ dtable, const T* __restrict__ g,
                               const int64* __restrict__ places, const int64* __restrict__ first, int d,
                               int n, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    const int row = i / d, column = i % d;
    double sum = 0;
    for (int64 p = first[row]; p < first[row + 1]; p++)
        sum += g[(places[p] / n * d + column) * n + places[p] % n];
    dtable[i] = (T)sum;
}
