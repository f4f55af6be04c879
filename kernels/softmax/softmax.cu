// Softmax and cross-entropy over the classes of x (P, C, M); formulas in normalise.py and cross_entropy.py. A
// lane is a column of classes, (p, m); the warps of a block share the classes of its 32 columns: warp w has
// w, w + 8, w + 16, ... What each has found is joined through shared memory, always in one order. S is the
// number format of sums over classes. block (32 columns, 8 warps), grid (P times parts of M)

const int WARPS = 8;

struct Classes {
    int c, m;
};

// This thread's column: the place of its first class, and how many it has (none behind the last column).
struct Column {
    size_t first;
    int m, classes, stride;
    bool exists;
    __device__ Column(const Classes& k) {
        const int parts = (k.m + 31) / 32, p = blockIdx.x / parts;
        m = blockIdx.x % parts * 32 + threadIdx.x;
        first = (size_t)p * k.c * k.m + m;
        exists = m < k.m;
        classes = exists ? k.c : 0;
        stride = k.m;
    }
    __device__ size_t at(int c) const { return first + (size_t)c * stride; }
    // One thread writes what a column has one of.
    __device__ bool writes() const { return exists && threadIdx.y == 0; }
};

// The largest of a column's values; of_warps is used for nothing else, so nobody still reads it.
template <class T> __device__ inline T column_largest(T value, T (&of_warps)[WARPS][32]) {
    of_warps[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    T largest = of_warps[0][threadIdx.x];
    for (int warp = 1; warp < WARPS; warp++) largest = max(largest, of_warps[warp][threadIdx.x]);
    return largest;
}

template <class T> struct Denominator {
    T largest;  // logit of the column
    T sum;      // of exp(z - largest)
};

// p = softmax of the columns of z
template <class T, class S>
__device__ inline Denominator<T> softmax_of(T* p, const T* z, const Column& own, T (&values)[WARPS][32],
                                            S (&sums)[WARPS][32]) {
    T largest = own.classes ? z[own.first] : T(0);
    for (int c = threadIdx.y; c < own.classes; c += WARPS) largest = max(largest, z[own.at(c)]);
    largest = column_largest(largest, values);
    S sum = S(0);
    for (int c = threadIdx.y; c < own.classes; c += WARPS) {
        const T e = exp(z[own.at(c)] - largest);
        p[own.at(c)] = e;
        sum += e;
    }
    const T total = (T)over_warps(sum, sums);
    for (int c = threadIdx.y; c < own.classes; c += WARPS) p[own.at(c)] /= total;
    return {largest, total};
}

template <class T, class S> __global__ void softmax(T* __restrict__ p, const T* __restrict__ z, Classes k) {
    __shared__ T values[WARPS][32];
    __shared__ S sums[WARPS][32];
    softmax_of(p, z, Column(k), values, sums);
}

// dx = y (g - sum of g y)
template <class T, class S>
__global__ void softmax_grad(T* __restrict__ dx, const T* __restrict__ g, const T* __restrict__ y,
                             Classes k) {
    __shared__ S sums[WARPS][32];
    const Column own(k);
    S sum = S(0);
    for (int c = threadIdx.y; c < own.classes; c += WARPS) sum += g[own.at(c)] * y[own.at(c)];
    const T inner = (T)over_warps(sum, sums);
    for (int c = threadIdx.y; c < own.classes; c += WARPS)
        dx[own.at(c)] = y[own.at(c)] * (g[own.at(c)] - inner);
}

// Targets are rows (C, N) or labels (N); the other one is null.
template <class T> __device__ inline T target(const T* rows, const int64* labels, const Column& own, int c) {
    return rows ? rows[own.at(c)] : T(labels[own.m] == c);
}

template <class T, class S>
__device__ inline T total_of(const T* p, const Column& own, S (&sums)[WARPS][32]) {
    S sum = S(0);
    for (int c = threadIdx.y; c < own.classes; c += WARPS) sum += p[own.at(c)];
    return (T)over_warps(sum, sums);
}

// q, moved into low .. high. NaN stays, of which min and max would make a bound: then a net that computes
// nonsense would seem to have a loss.
template <class T> __device__ inline T clipped(T q, T low, T high) {
    return q < low ? low : q > high ? high : q;
}

// - sum of t log q, q = p / total, clipped to low .. high
template <class T, class S>
__device__ inline T clipped_loss(const T* p, T total, const T* rows, const int64* labels, T low, T high,
                                 const Column& own, S (&sums)[WARPS][32]) {
    S sum = S(0);
    for (int c = threadIdx.y; c < own.classes; c += WARPS) {
        const T t = target(rows, labels, own, c);
        if (t != 0) sum -= t * log(clipped(p[own.at(c)] / total, low, high));
    }
    return (T)over_warps(sum, sums);
}

template <class T, class S>
__global__ void crossentropy(T* __restrict__ loss, const T* __restrict__ p, const T* __restrict__ rows,
                             const int64* __restrict__ labels, T low, T high, Classes k) {
    __shared__ S sums[WARPS][32];
    const Column own(k);
    const T total = total_of(p, own, sums);
    const T found = clipped_loss(p, total, rows, labels, low, high, own, sums);
    if (own.writes()) loss[own.m] = found;
}

// dp = g (sum of w - w / q) / total, w = t where q = p / total was not clipped, else 0
template <class T, class S>
__global__ void crossentropy_grad(T* __restrict__ dp, const T* __restrict__ g, const T* __restrict__ p,
                                  const T* __restrict__ rows, const int64* __restrict__ labels, T low, T high,
                                  Classes k) {
    __shared__ S sums[WARPS][32];
    const Column own(k);
    const T total = total_of(p, own, sums);
    S sum = S(0);
    for (int c = threadIdx.y; c < own.classes; c += WARPS) {
        const T q = p[own.at(c)] / total;
        if (low <= q && q <= high) sum += target(rows, labels, own, c);
    }
    const T weight = (T)over_warps(sum, sums);
    for (int c = threadIdx.y; c < own.classes; c += WARPS) {
        const T q = p[own.at(c)] / total;
        const T pull = low <= q && q <= high ? target(rows, labels, own, c) / q : T(0);
        dp[own.at(c)] = g[own.m] * (weight - pull) / total;
    }
}

// p = softmax(z), and the loss: of q = p / sum of p, clipped; or - sum of t (z - log of the sum of exp z)
template <class T, class S>
__global__ void softmax_crossentropy(T* __restrict__ loss, T* __restrict__ p, const T* __restrict__ z,
                                     const T* __restrict__ rows, const int64* __restrict__ labels, T low,
                                     T high, bool clip, Classes k) {
    __shared__ T values[WARPS][32];
    __shared__ S sums[WARPS][32];
    const Column own(k);
    const Denominator<T> d = softmax_of(p, z, own, values, sums);
    T found = T(0);
    if (clip) {
        const T total = total_of(p, own, sums);
        found = clipped_loss(p, total, rows, labels, low, high, own, sums);
    } else {
        S sum = S(0);
        for (int c = threadIdx.y; c < own.classes; c += WARPS) {
            const T t = target(rows, labels, own, c);
            if (t != 0) sum -= t * (z[own.at(c)] - d.largest - log(d.sum));
        }
        found = (T)over_warps(sum, sums);
    }
    if (own.writes()) loss[own.m] = found;
}

// dz = g (q sum of w - w), q and w as above; without the clip q = p and w = t
template <class T, class S>
__global__ void softmax_crossentropy_grad(T* __restrict__ dz, const T* __restrict__ g,
                                          const T* __restrict__ p, const T* __restrict__ rows,
                                          const int64* __restrict__ labels, T low, T high, bool clip,
                                          Classes k) {
    __shared__ S sums[WARPS][32];
    const Column own(k);
    const T total = clip ? total_of(p, own, sums) : T(1);
    S sum = S(0);
    for (int c = threadIdx.y; c < own.classes; c += WARPS) {
        const T q = p[own.at(c)] / total;
        if (!clip || (low <= q && q <= high)) sum += target(rows, labels, own, c);
    }
    const T weight = (T)over_warps(sum, sums);
    for (int c = threadIdx.y; c < own.classes; c += WARPS) {
        const T q = p[own.at(c)] / total;
        const bool pulls = !clip || (low <= q && q <= high);
        dz[own.at(c)] = g[own.m] * (q * weight - (pulls ? target(rows, labels, own, c) : T(0)));
    }
}
