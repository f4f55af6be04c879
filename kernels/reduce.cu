// Sums over axes, in double precision. The array is (A, R, K, N) in memory: A and K are kept, R and N are
// reduced (reduce.py joins neighbouring axes of a kind). The numbers of a result are cut into parts by the
// shape alone; one part is a block's.

struct Blocks {
    int a, r, k, n;
};

const int WARPS = 4;  // of a block with one result

// The rest of a sum: of the only part the result, of several one number each, which add_parts adds in their
// order.
template <class T>
__device__ inline void leave(double sum, int result, int results, T* total, double* parts) {
    if (gridDim.y == 1)
        total[result] = (T)sum;
    else
        parts[(size_t)blockIdx.y * results + result] = sum;
}

// Where the numbers of one result lie together, N > 1: a block has one result, and its warps take 32 numbers
// of a row at a time, in turn. block (32 WARPS), grid (A K, parts)
template <class T>
__global__ void sum_together(T* __restrict__ total, double* __restrict__ parts, const T* __restrict__ x,
                             Blocks s) {
    __shared__ double of_warps[WARPS];
    const int a = blockIdx.x / s.k, k = blockIdx.x % s.k, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int across = (s.n + 31) / 32;
    const Span items = part_of(s.r * across, blockIdx.y, gridDim.y);
    double sum = 0;
    for (int item = items.first + warp; item < items.end; item += WARPS) {
        const int r = item / across, n = item % across * 32 + lane;
        // All lanes load, those behind the last number that one: so no load waits for a branch.
        const T value = x[(((int64)a * s.r + r) * s.k + k) * s.n + min(n, s.n - 1)];
        sum += n < s.n ? value : T(0);
    }
    sum = block_sum(sum, of_warps);
    if (threadIdx.x == 0) leave(sum, blockIdx.x, s.a * s.k, total, parts);
}

// Where neighbours belong to different results, N = 1: a lane has one result, and the warps of a block share
// its rows. block (32, 8), grid (A times parts of K, parts of R)
template <class T>
__global__ void sum_columns(T* __restrict__ total, double* __restrict__ parts, const T* __restrict__ x,
                            Blocks s) {
    __shared__ double of_warps[8][32];
    const int across = (s.k + 31) / 32, a = blockIdx.x / across, k = blockIdx.x % across * 32 + threadIdx.x;
    const Span rows = part_of(s.r, blockIdx.y, gridDim.y);
    double sum = 0;
    if (k < s.k)
        for (int r = rows.first + threadIdx.y; r < rows.end; r += 8)
            sum += x[((int64)a * s.r + r) * s.k + k];
    sum = over_warps(sum, of_warps);
    if (threadIdx.y == 0 && k < s.k) leave(sum, a * s.k + k, s.a * s.k, total, parts);
}
