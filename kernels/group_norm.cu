// Normalisation within samples of x (A, R, K, S, N) in memory: R and S are reduced, so a group is (a, k) of
// one sample; formulas in group_norm.py. A lane is a sample, and the warps of a block share the numbers of
// its group. gamma and beta have a number for each feature (a, r, k, s); mean, var and what else a group has
// one of are (A, K, N).

struct Groups {
    int a, r, k, s, n;
};

const int WARPS = 8;

// This thread's group and sample.
struct Own {
    int a, k, n;
    bool exists;
    size_t group;  // its place among the statistics
    __device__ Own(const Groups& g) {
        const int across = (g.n + 31) / 32, group_number = blockIdx.x / across;
        n = blockIdx.x % across * 32 + threadIdx.x;
        a = group_number / g.k;
        k = group_number % g.k;
        exists = n < g.n;
        group = (size_t)group_number * g.n + n;
    }
    // The feature of number i of the group.
    __device__ int feature(const Groups& g, int i) const {
        return ((a * g.r + i / g.s) * g.k + k) * g.s + i % g.s;
    }
};

// y = (x - mean) / sqrt(var + epsilon) gamma + beta. block (32, WARPS), grid (groups times parts of N)
template <class T>
__global__ void group_norm(T* __restrict__ y, T* __restrict__ mean, T* __restrict__ var,
                           const T* __restrict__ x, const T* __restrict__ gamma, const T* __restrict__ beta,
                           double epsilon, bool centred, Groups g) {
    __shared__ double of_warps[WARPS][32];
    const Own own(g);
    const int numbers = own.exists ? g.r * g.s : 0, count = g.r * g.s;
    T centre = T(0);
    if (centred) {
        T sum = T(0);
        for (int i = threadIdx.y; i < numbers; i += WARPS) sum += x[(size_t)own.feature(g, i) * g.n + own.n];
        centre = (T)(over_warps((double)sum, of_warps) / count);
    }
    T rest = T(0), squares = T(0);  // about the centre, which is the mean as far as it could be rounded
    for (int i = threadIdx.y; i < numbers; i += WARPS) {
        const T off = x[(size_t)own.feature(g, i) * g.n + own.n] - centre;
        rest += off;
        squares += off * off;
    }
    const double moved = centred ? over_warps((double)rest, of_warps) / count : 0;
    const double variance = over_warps((double)squares, of_warps) / count - moved * moved;
    const T average = (T)(centre + moved), inverse = (T)(1 / sqrt(variance + epsilon));
    for (int i = threadIdx.y; i < numbers; i += WARPS) {
        const int feature = own.feature(g, i);
        const size_t place = (size_t)feature * g.n + own.n;
        y[place] = (x[place] - average) * inverse * gamma[feature] + beta[feature];
    }
    if (own.exists && threadIdx.y == 0) {
        mean[own.group] = average;
        var[own.group] = (T)variance;
    }
}

// dx = (h - sum(h) / M - xhat sum(h xhat) / M) / sqrt(var + epsilon), h = gamma g. The same block and grid
template <class T>
__global__ void group_norm_grad(T* __restrict__ dx, const T* __restrict__ gradient, const T* __restrict__ x,
                                const T* __restrict__ gamma, const T* __restrict__ mean,
                                const T* __restrict__ var, double epsilon, bool centred, Groups g) {
    __shared__ double of_warps[WARPS][32];
    const Own own(g);
    const int numbers = own.exists ? g.r * g.s : 0, count = g.r * g.s;
    const T average = own.exists ? mean[own.group] : T(0),
            inverse = own.exists ? (T)(1 / sqrt(var[own.group] + epsilon)) : T(0);
    T sum = T(0), product = T(0);
    for (int i = threadIdx.y; i < numbers; i += WARPS) {
        const int feature = own.feature(g, i);
        const size_t place = (size_t)feature * g.n + own.n;
        const T h = gradient[place] * gamma[feature];
        sum += h;
        product += h * ((x[place] - average) * inverse);
    }
    const T of_h = centred ? (T)(over_warps((double)sum, of_warps) / count) : T(0),
            of_product = (T)(over_warps((double)product, of_warps) / count);
    for (int i = threadIdx.y; i < numbers; i += WARPS) {
        const int feature = own.feature(g, i);
        const size_t place = (size_t)feature * g.n + own.n;
        const T xhat = (x[place] - average) * inverse;
        dx[place] = (gradient[place] * gamma[feature] - of_h - xhat * of_product) * inverse;
    }
}

// factors (2, features): dgamma = sum over the samples of g xhat, dbeta = sum of g. block (threads, whole
// warps), grid (features)
template <class T>
__global__ void factor_grads(T* __restrict__ factors, const T* __restrict__ gradient, const T* __restrict__ x,
                             const T* __restrict__ mean, const T* __restrict__ var, double epsilon,
                             Groups g) {
    __shared__ double of_warps[32];
    const int feature = blockIdx.x, k = feature / g.s % g.k, a = feature / g.s / g.k / g.r;
    double product = 0, sum = 0;
    for (int n = threadIdx.x; n < g.n; n += blockDim.x) {
        const size_t place = (size_t)feature * g.n + n, group = (size_t)(a * g.k + k) * g.n + n;
        const T xhat = (x[place] - mean[group]) / sqrt(var[group] + (T)epsilon);  // many: not in double
        product += gradient[place] * xhat;
        sum += gradient[place];
    }
    product = block_sum(product, of_warps);
    sum = block_sum(sum, of_warps);
    if (threadIdx.x == 0) {
        factors[feature] = (T)product;
        factors[gridDim.x + feature] = (T)sum;
    }
}
