// Numbers that a step carries on to the next one, and hits, which an accuracy counts: a launch for each,
// where array expressions take up to eight.

// Batch norm's moving averages: moving = keep moving + take batch, of C channels. block (threads), grid
// (channels)
template <class T>
__global__ void follow(T* __restrict__ moving_mean, T* __restrict__ moving_var, const T* __restrict__ mean,
                       const T* __restrict__ var, T keep, T take, int c) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= c) return;
    moving_mean[i] = moving_mean[i] * keep + mean[i] * take;
    moving_var[i] = moving_var[i] * keep + var[i] * take;
}

// The running mean of a metric: total += sum of w v, count += sum of w, over n values; w is `weight` for all
// of them, or of each its own. block (threads, whole warps), grid (1)
template <class T>
__global__ void take_in(double* __restrict__ total, double* __restrict__ count, const T* __restrict__ values,
                        const T* __restrict__ weights, double weight, int n) {
    __shared__ double of_warps[32];
    double sum = 0, weighed = 0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        const double w = weights ? weights[i] : weight;
        sum += w * values[i];
        weighed += w;
    }
    sum = block_sum(sum, of_warps);
    weighed = block_sum(weighed, of_warps);
    if (threadIdx.x > 0) return;
    *total += sum;
    *count += weighed;
}

// y[i] = 1 where the largest of p[., i] (C, N) is class labels[i], else 0. The first of equals is the
// largest, and NaN is larger than all. block (threads), grid (samples)
template <class T>
__global__ void hits(T* __restrict__ y, const T* __restrict__ p, const int64* __restrict__ labels, int c,
                     int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int largest = 0;
    T most = p[i];
    for (int k = 1; k < c; k++) {
        const T other = p[(size_t)k * n + i];
        if (most == most && !(other <= most)) {
            largest = k;
            most = other;
        }
    }
    y[i] = largest == labels[i] ? T(1) : T(0);
}
