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

const int WARPS = 4;  // of a block

// dtable[row, d] = sum of g over the places that read the row, in their order: parts[part, row, d] over one
// of several parts of the places. A lane has a column of the table, and its warp 32 rows. The warp goes
// through the ids, 32 at a time, and takes the places that are its own: nothing is sorted, and nobody waits
// for another. block (32, WARPS), grid (rows, columns, parts)
template <class T>
__global__ void embedding_grad(T* __restrict__ dtable, double* __restrict__ parts, const T* __restrict__ g,
                               const int64* __restrict__ ids, int rows, int d, int n, int places) {
    __shared__ double sums[WARPS][32][32];
    double(*const own)[32] = sums[threadIdx.y];  // a row of sums for each row of the table
    const int first = (blockIdx.x * WARPS + threadIdx.y) * 32, lane = threadIdx.x;
    const int column = blockIdx.y * 32 + lane;
    for (int row = 0; row < 32; row++) own[row][lane] = 0;
    const Span own_places = part_of(places, blockIdx.z, gridDim.z);
    for (int start = own_places.first; start < own_places.end; start += 32) {
        const int64 row = start + lane < own_places.end ? ids[start + lane] - first : -1;
        uint32 mine = __ballot_sync(ALL_LANES, row >= 0 && row < 32);
        for (; mine; mine &= mine - 1) {  // the lowest bit goes
            const int from = __ffs(mine) - 1, place = start + from;
            const int to = __shfl_sync(ALL_LANES, (int)row, from);
            if (column < d) own[to][lane] += g[((size_t)(place / n) * d + column) * n + place % n];
        }
    }
    for (int row = 0; row < min(32, rows - first); row++) {
        if (column >= d) break;
        const size_t to = (size_t)(first + row) * d + column;
        if (gridDim.z == 1)
            dtable[to] = (T)own[row][lane];
        else
            parts[(size_t)blockIdx.z * rows * d + to] = own[row][lane];
    }
}
