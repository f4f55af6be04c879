// Matrix products out = a b, one for each block of a batch: (m, k) times (k, n).
//
// A block of 16 x 16 threads has a tile of 16 RT rows and 16 CT columns of one product, and keeps its sums in
// registers, RT x CT in a thread. It walks along k, DEPTH steps at a time, whose numbers of a and b all its
// threads bring into shared memory: RT CT multiply-adds for RT + CT loads from there. Where there are few
// tiles, k is cut into parts, by the shapes alone, whose sums add_parts adds in their order.

struct Product {
    int m, n, k;
    int a_deep, b_deep;    // whether the neighbours in memory are steps of k, or rows of a and columns of b
    int a_batch, b_batch;  // numbers from one product's operand to the next one's: 0, if all have the same
};

const int SIDE = 16;   // of the block
const int DEPTH = 16;  // steps of k in shared memory at a time
const int PAD = 4;     // so that neighbours along k lie in different banks, and four numbers stay aligned

// Which of the rows of a tile thread t of a side has, as its i-th of COUNT: four that lie together, so that
// one load brings them, and so on behind those of the other threads.
template <int COUNT> __device__ inline int own(int t, int i) {
    const int together = COUNT < 4 ? COUNT : 4;
    return i / together * SIDE * together + t * together + i % together;
}

// tile[step][i] = number (first + i, start + step) of a matrix that is (size, depth) in memory, if it is
// deep, else (depth, size); 0 outside of it and from step `end` on. Neighbours in memory are neighbouring
// threads'.
template <class T, int COUNT>
__device__ inline void load(T (*tile)[SIDE * COUNT + PAD], const T* matrix, int first, int size, int start,
                            int end, int depth, bool deep) {
    const int thread = threadIdx.y * SIDE + threadIdx.x;
    const int own_i = deep ? thread / DEPTH : thread % (SIDE * COUNT);
    const int own_step = deep ? thread % DEPTH : thread / (SIDE * COUNT);
    const int more_i = deep ? SIDE * SIDE / DEPTH : 0, more_steps = deep ? 0 : SIDE / COUNT;
#pragma unroll 4
    for (int times = 0; times < COUNT; times++) {
        const int i = own_i + times * more_i, step = own_step + times * more_steps;
        const int64 row = first + i, k = start + step;
        const bool inside = row < size && k < end;
        tile[step][i] = inside ? matrix[row * (deep ? depth : 1) + k * (deep ? 1 : size)] : T(0);
    }
}

// out (parts, batch, m, n). block (SIDE, SIDE), grid (batch times tiles, parts)
template <class T, int RT, int CT>
__global__ void __launch_bounds__(SIDE * SIDE, sizeof(T) > 4 ? 1 : 2)
    product(T* __restrict__ out, const T* __restrict__ a, const T* __restrict__ b, Product p) {
    __shared__ __align__(16) T left[DEPTH][SIDE * RT + PAD];
    __shared__ __align__(16) T right[DEPTH][SIDE * CT + PAD];
    const int down = (p.m + SIDE * RT - 1) / (SIDE * RT), across = (p.n + SIDE * CT - 1) / (SIDE * CT);
    const int64 one = blockIdx.x / (down * across), all = gridDim.x / (down * across);
    const int first_row = blockIdx.x / across % down * (SIDE * RT), first = blockIdx.x % across * (SIDE * CT);
    const Span steps = part_of(p.k, blockIdx.y, gridDim.y);

    T sum[RT][CT] = {};
    for (int start = steps.first; start < steps.end; start += DEPTH) {
        __syncthreads();  // the steps before these have been used
        load<T, RT>(left, a + one * p.a_batch, first_row, p.m, start, steps.end, p.k, p.a_deep);
        load<T, CT>(right, b + one * p.b_batch, first, p.n, start, steps.end, p.k, p.b_deep);
        __syncthreads();
#pragma unroll 2
        for (int step = 0; step < DEPTH; step++) {
            T of_rows[RT], of_columns[CT];
#pragma unroll
            for (int i = 0; i < RT; i++) of_rows[i] = left[step][own<RT>(threadIdx.y, i)];
#pragma unroll
            for (int j = 0; j < CT; j++) of_columns[j] = right[step][own<CT>(threadIdx.x, j)];
#pragma unroll
            for (int i = 0; i < RT; i++)
#pragma unroll
                for (int j = 0; j < CT; j++) sum[i][j] += of_rows[i] * of_columns[j];
        }
    }
    T* const result = out + (blockIdx.y * all + one) * p.m * p.n;
#pragma unroll
    for (int i = 0; i < RT; i++)
#pragma unroll
        for (int j = 0; j < CT; j++) {
            const int64 row = first_row + own<RT>(threadIdx.y, i), column = first + own<CT>(threadIdx.x, j);
            if (row < p.m && column < p.n) result[row * p.n + column] = sum[i][j];
        }
}
