// Batch normalisation of x (P, C, N): P pixels, C channels, N images. Two launches each way: the elements of
// a channel are cut into parts, of which a block each has the sums; then every block adds up the sums of its
// channel, all in the same order, and computes its part of the result. block (threads, whole warps), grid
// (channels, parts); formulas in batch_norm.py
//
// DROPS: a dropout follows (batch_norm_dropout.py). Forward, its bits are drawn while the moments are summed,
// and y is dropped as it is written. Backward, the gradient that dropout would hand on is computed where it
// is needed: in the sums, and once more in dx. So dropout makes no pass over memory of its own.

struct Norm {
    int p, c, n;
    int row;  // of bits: features, pixel by pixel, and up to 31 more (dropout.cu); 0 without dropout
};

// The elements of a part of a channel that a thread looks at: one in blockDim.x. Neighbouring threads have
// neighbours.
struct Walk {
    int i, end, pixel, image, images, pixel_step, image_step;
    size_t stride;  // from a pixel of the channel to the next
    __device__ Walk(const Norm& k, int part, int parts) {
        const int64 all = (int64)k.p * k.n;
        i = (int)(all * part / parts) + threadIdx.x;
        end = (int)(all * (part + 1) / parts);
        images = k.n;
        pixel = k.n ? i / k.n : 0;
        image = i - pixel * k.n;
        pixel_step = k.n ? blockDim.x / k.n : 0;
        image_step = blockDim.x - pixel_step * k.n;
        stride = (size_t)k.c * k.n;
    }
    __device__ bool more() const { return i < end; }
    __device__ size_t place() const { return pixel * stride + image; }  // from the channel's first element
    __device__ void next() {  // additions in place of a division for each element
        i += blockDim.x;
        pixel += pixel_step;
        image += image_step;
        if (image >= images) {
            image -= images;
            pixel++;
        }
    }
};

__device__ inline int elements(const Norm& k, int part, int parts) {
    const int64 all = (int64)k.p * k.n;
    return (int)(all * (part + 1) / parts - all * part / parts);
}

// A product that is rounded by itself, as in dropout's own kernels, though an addition follows.
__device__ inline float product(float a, float b) { return __fmul_rn(a, b); }
__device__ inline double product(double a, double b) { return __dmul_rn(a, b); }

// value m factor, where m is the bit of the element that `walk` is at; without dropout the value as it is.
template <bool DROPS, class T>
__device__ inline T keep(T value, const uint16* bits, T factor, const Norm& k, const Walk& walk) {
    if (!DROPS) return value;
    const uint32 feature = walk.pixel * k.c + blockIdx.x;
    const uint32 word = bits[(size_t)(walk.image / 16) * k.row + feature];
    return word >> (walk.image % 16) & 1 ? product(value, factor) : T(0);
}

// parts[c, part] = (centre, sum of x - centre, sum of its squares) of a part. The centre is the part's mean
// as far as it can be rounded: so the sums lose no digits where the mean is large.
template <class T, bool DROPS>
__global__ void part_moments(T* __restrict__ parts, uint16* __restrict__ bits, const T* __restrict__ x,
                             const uint32* __restrict__ words, uint32 threshold, Norm k) {
    __shared__ T of_warps[32];
    if (DROPS) {  // all threads of the grid share the words of 16 samples, as they lie in memory
        const uint32 all = k.row * ((k.n + 15) / 16);
        const uint32 block = blockIdx.y * gridDim.x + blockIdx.x, step = gridDim.x * gridDim.y * blockDim.x;
        for (uint32 i = block * blockDim.x + threadIdx.x; i < all; i += step)
            bits[i] = (uint16)draw_word(words, i % k.row, i / k.row, threshold);
    }
    const T* channel = x + (size_t)blockIdx.x * k.n;
    T sum = T(0), rest = T(0), squares = T(0);
    for (Walk walk(k, blockIdx.y, gridDim.y); walk.more(); walk.next()) sum += channel[walk.place()];
    const T centre = block_sum(sum, of_warps) / T(elements(k, blockIdx.y, gridDim.y));
    for (Walk walk(k, blockIdx.y, gridDim.y); walk.more(); walk.next()) {
        const T off = channel[walk.place()] - centre;
        rest += off;
        squares += off * off;
    }
    rest = block_sum(rest, of_warps);
    squares = block_sum(squares, of_warps);
    if (threadIdx.x == 0) {
        T* own = parts + 3 * ((size_t)blockIdx.x * gridDim.y + blockIdx.y);
        own[0] = centre;
        own[1] = rest;
        own[2] = squares;
    }
}

// parts[c, part] = (sum of g, sum of g (x - mean)) of a part.
template <class T, bool DROPS>
__global__ void part_products(T* __restrict__ parts, const T* __restrict__ g,
                              const uint16* __restrict__ bits, T factor, const T* __restrict__ x,
                              const T* __restrict__ mean, Norm k) {
    __shared__ T of_warps[32];
    const T *gradient = g + (size_t)blockIdx.x * k.n, *channel = x + (size_t)blockIdx.x * k.n,
            centre = mean[blockIdx.x];
    T sum = T(0), product = T(0);
    for (Walk walk(k, blockIdx.y, gridDim.y); walk.more(); walk.next()) {
        const T value = keep<DROPS>(gradient[walk.place()], bits, factor, k, walk);
        sum += value;
        product += value * (channel[walk.place()] - centre);
    }
    sum = block_sum(sum, of_warps);
    product = block_sum(product, of_warps);
    if (threadIdx.x == 0) {
        T* own = parts + 2 * ((size_t)blockIdx.x * gridDim.y + blockIdx.y);
        own[0] = sum;
        own[1] = product;
    }
}

// Mean and biased variance of a channel from those of its parts, in double precision; for the lanes of one
// warp.
template <class T>
__device__ inline void channel_moments(const T* parts, const Norm& k, double* mean, double* variance) {
    const double all = (double)k.p * k.n;
    double sum = 0, squares = 0;
    for (int part = threadIdx.x; part < gridDim.y; part += 32)
        sum += (double)parts[3 * part] * elements(k, part, gridDim.y) + parts[3 * part + 1];
    const double centre = warp_sum(sum) / all;
    for (int part = threadIdx.x; part < gridDim.y; part += 32) {
        // sum of (a + d)^2 = sum of a^2 + 2 d sum of a + count d^2, where a = x - the part's centre
        const double d = parts[3 * part] - centre, rest = parts[3 * part + 1];
        squares += parts[3 * part + 2] + 2 * d * rest + elements(k, part, gridDim.y) * d * d;
    }
    *mean = centre;
    *variance = warp_sum(squares) / all;
}

// y = (x - centre) scale + shift, in this block's part of its channel
template <bool DROPS, class T>
__device__ inline void scale_and_shift(T* __restrict__ y, const T* __restrict__ x, T centre, T scale, T shift,
                                       const uint16* bits, T factor, const Norm& k) {
    for (Walk walk(k, blockIdx.y, gridDim.y); walk.more(); walk.next()) {
        const size_t place = (size_t)blockIdx.x * k.n + walk.place();
        y[place] = keep<DROPS>((x[place] - centre) * scale + shift, bits, factor, k, walk);
    }
}

// y, mean and var from the moments of the parts; and moving = stay moving + take batch, for both statistics,
// where there are moving ones
template <class T, bool DROPS>
__global__ void normalise(T* __restrict__ y, T* __restrict__ mean, T* __restrict__ var,
                          const T* __restrict__ x, const T* __restrict__ gamma, const T* __restrict__ beta,
                          const T* __restrict__ parts, const uint16* __restrict__ bits, T factor,
                          T* __restrict__ moving_mean, T* __restrict__ moving_var, T stay, T take,
                          double epsilon, Norm k) {
    __shared__ T constants[2];
    const int channel = blockIdx.x;
    if (threadIdx.x < 32) {
        double centre, variance;
        channel_moments(parts + 3 * (size_t)channel * gridDim.y, k, &centre, &variance);
        if (threadIdx.x == 0) {
            constants[0] = (T)centre;
            constants[1] = (T)(gamma[channel] / sqrt(variance + epsilon));
            if (blockIdx.y == 0) {
                mean[channel] = (T)centre;
                var[channel] = (T)variance;
                if (moving_mean) {
                    moving_mean[channel] = moving_mean[channel] * stay + (T)centre * take;
                    moving_var[channel] = moving_var[channel] * stay + (T)variance * take;
                }
            }
        }
    }
    __syncthreads();
    scale_and_shift<DROPS>(y, x, constants[0], constants[1], beta[channel], bits, factor, k);
}

// The same from a given mean and variance
template <class T>
__global__ void normalise_given(T* __restrict__ y, const T* __restrict__ x, const T* __restrict__ gamma,
                                const T* __restrict__ beta, const T* __restrict__ mean,
                                const T* __restrict__ var, double epsilon, Norm k) {
    const int channel = blockIdx.x;
    const T scale = (T)(gamma[channel] / sqrt(var[channel] + epsilon));
    scale_and_shift<false>(y, x, mean[channel], scale, beta[channel], nullptr, T(1), k);
}

// dx, dgamma and dbeta from the products of the parts
template <class T, bool DROPS>
__global__ void normalise_grad(T* __restrict__ dx, T* __restrict__ factors, const T* __restrict__ g,
                               const uint16* __restrict__ bits, T factor, const T* __restrict__ x,
                               const T* __restrict__ gamma,
                               const T* __restrict__ mean, const T* __restrict__ var,
                               const T* __restrict__ parts, double epsilon, Norm k) {
    __shared__ T constants[3];
    const int channel = blockIdx.x;
    if (threadIdx.x < 32) {
        const T* own = parts + 2 * (size_t)channel * gridDim.y;
        double sum = 0, product = 0;
        for (int part = threadIdx.x; part < gridDim.y; part += 32) {
            sum += own[2 * part];
            product += own[2 * part + 1];
        }
        sum = warp_sum(sum);
        product = warp_sum(product);
        if (threadIdx.x == 0) {
            const double all = (double)k.p * k.n, inverse = 1 / sqrt(var[channel] + epsilon),
                         scale = gamma[channel] * inverse;
            constants[0] = (T)(sum / all);
            constants[1] = (T)scale;
            constants[2] = (T)(scale * inverse * inverse * product / all);
            if (blockIdx.y == 0) {
                factors[channel] = (T)(product * inverse);  // dgamma
                factors[k.c + channel] = (T)sum;            // dbeta
            }
        }
    }
    __syncthreads();
    const T average = constants[0], scale = constants[1], slope = constants[2], centre = mean[channel];
    for (Walk walk(k, blockIdx.y, gridDim.y); walk.more(); walk.next()) {
        const size_t place = (size_t)channel * k.n + walk.place();
        const T value = keep<DROPS>(g[place], bits, factor, k, walk);
        dx[place] = scale * (value - average) - slope * (x[place] - centre);
    }
}
