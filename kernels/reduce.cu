// Sums over axes, in double precision. The array is (A, R, K, N) in memory: A and K are kept, R and N are
// reduced (reduce.py joins neighbouring axes of a kind). The numbers of a result are cut into parts by the
// shape alone; one part is a block's.

struct Blocks {
    int a, r, k, n;
};

// The rest of a sum: of the only part the result, of several one number each, which add_parts adds in their
// order.
template <class T>
__device__ inline void leave(double sum, int result, int results, T* total, double* parts) {
    if (gridDim.y == 1)
        total[result] = (T)sum;
    else
        parts[(size_t)blockIdx.y * results + result] = sum;
}

// Where the numbers of one result lie together, N > 1: a block has one result. block (threads, whole warps),
// grid (A K, parts)
template <class T>
__global__ void sum_together(T* __restrict__ total, double* __restrict__ parts, const T* __restrict__ x,
                             Blocks s) {
    __shared__ double of_warps[32];
    const int a = blockIdx.x / s.k, k = blockIdx.x % s.k;
    const int64 all = (int64)s.r * s.n, end = all * (blockIdx.y + 1) / gridDim.y;
    double sum = 0;
    for (int64 i = all * blockIdx.y / gridDim.y + threadIdx.x; i < end; i += blockDim.x)
        sum += x[(((int64)a * s.r + i / s.n) * s.k + k) * s.n + i % s.n];
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
    const int64 end = (int64)s.r * (blockIdx.y + 1) / gridDim.y;
    double sum = 0;
    if (k < s.k)
        for (int64 r = (int64)s.r * blockIdx.y / gridDim.y + threadIdx.y; r < end; r += 8)
            sum += x[((int64)a * s.r + r) * s.k + k];
    sum = over_warps(sum, of_warps);
    if (threadIdx.y == 0 && k < s.k) leave(sum, a * s.k + k, s.a * s.k, total, parts);
}
