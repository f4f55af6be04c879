// Gradients of convolution by weights and bias on batch-last memory. All are sums over pixels and images, cut
// into parts by the shapes alone: a part is added up in one order by one block, and the parts by add_parts,
// in their order.

struct Conv {
    int h, w, c, oh, ow, f, n;  // c and f: of a group
    int kh, kw, sh, sw, dh, dw, top, left, groups;
};

const int WARPS = 4;

// Lane i gets the sum of value[i] over the warp: in each of five steps it hands half of what it has to the
// lane across, and adds what that one hands over to the other half. 31 shuffles, where a sum for each value
// would take 160.
template <class T> __device__ inline T transposed_sums(T* value) {
#pragma unroll
    for (int halving = 0; halving < 5; halving++)
#pragma unroll
        for (int i = 0; i < 16; i++) {
            const int half = 16 >> halving;
            if (i >= half) continue;  // constant bounds, so that the array stays in registers
            const bool upper = threadIdx.x & half;
            const T given = upper ? value[i] : value[i + half], kept = upper ? value[i + half] : value[i];
            value[i] = kept + __shfl_xor_sync(ALL_LANES, given, half);
        }
    return value[0];
}

// parts[part, kh, kw, c, f] = sum over pixels and images of x[.., c, n] g[.., f, n]. A lane is an image. A
// warp has FT filters and RT rows of the kernel, where a row is a channel and a tap, the taps of a channel
// being neighbours: nine taps of 3 x 3, or nine channels of 1 x 1. The warps of a block take rows of the map,
// 32 images at a time, in turn. block (32, WARPS); grid (groups times tiles of rows, tiles of filters, parts)
template <class T, int FT, int RT>
__global__ void __launch_bounds__(32 * WARPS)
    weight_grad(T* __restrict__ parts, const T* __restrict__ x, const T* __restrict__ g, Conv k) {
    const int SUMS = (FT * RT + 31) / 32 * 32;
    __shared__ T of_warps[WARPS * SUMS];
    const int taps = k.kh * k.kw, rows = taps * k.c, tiles = (rows + RT - 1) / RT;
    const int group = blockIdx.x / tiles, first_row = blockIdx.x % tiles * RT, first = blockIdx.y * FT;
    const int channels = k.c * k.groups, filters = k.f * k.groups;
    const Span items = part_of(k.oh * ((k.n + 31) / 32), blockIdx.z, gridDim.z);

    // Of each row: its tap's offset on the map, and in memory with its channel's.
    int below[RT], beside[RT], start[RT];
#pragma unroll
    for (int r = 0; r < RT; r++) {
        const int row = first_row + r, tap = row % taps;
        const int nowhere = -k.h - k.oh * k.sh;  // a row that is none meets nothing
        below[r] = row < rows ? tap / k.kw * k.dh - k.top : nowhere;
        beside[r] = tap % k.kw * k.dw - k.left;
        start[r] = (below[r] * k.w + beside[r]) * channels + group * k.c + row / taps;
    }
    T sum[SUMS];
#pragma unroll
    for (int i = 0; i < SUMS; i++) sum[i] = T(0);
    for (int item = items.first + threadIdx.y; item < items.end; item += WARPS) {
        const int oh = item % k.oh, n = item / k.oh * 32 + threadIdx.x;
        const T* gradient = g + ((size_t)oh * k.ow * filters + group * k.f + first) * k.n + n;
        for (int ow = 0; ow < k.ow; ow++, gradient += (size_t)filters * k.n) {
            T of_filter[FT];
#pragma unroll
            for (int f = 0; f < FT; f++)
                of_filter[f] = n < k.n && first + f < k.f ? gradient[(size_t)f * k.n] : T(0);
#pragma unroll
            for (int r = 0; r < RT; r++) {
                const int h = oh * k.sh + below[r], w = ow * k.sw + beside[r];
                const bool inside = n < k.n && h >= 0 && h < k.h && w >= 0 && w < k.w;
                const int64 place = (int64)((oh * k.sh * k.w + ow * k.sw) * channels + start[r]) * k.n + n;
                const T pixel = inside ? x[place] : T(0);
#pragma unroll
                for (int f = 0; f < FT; f++) sum[f * RT + r] += of_filter[f] * pixel;
            }
        }
    }
#pragma unroll
    for (int i = 0; i < SUMS; i += 32)
        of_warps[threadIdx.y * SUMS + i + threadIdx.x] = transposed_sums(sum + i);
    __syncthreads();
    for (int i = threadIdx.y * 32 + threadIdx.x; i < FT * RT; i += 32 * WARPS) {
        const int filter = first + i / RT, row = first_row + i % RT;
        if (filter >= k.f || row >= rows) continue;
        T total = of_warps[i];
        for (int warp = 1; warp < WARPS; warp++) total += of_warps[warp * SUMS + i];
        const size_t place = (((size_t)blockIdx.z * taps + row % taps) * k.c + row / taps) * filters +
                             group * k.f + filter;
        parts[place] = total;
    }
}

// dz = g where y > 0, else 0 (relu's derivative; dz = g where y is null, and then it is not written), and
// parts[part, f] = sum of dz over some pixels and images. The warps of a block take 32 images of a pixel at a
// time, in turn: so all of them have work where maps or batches are small. block (32 WARPS); grid (filters,
// parts)
template <class T>
__global__ void bias_grad(T* __restrict__ parts, T* __restrict__ dz, const T* __restrict__ g,
                          const T* __restrict__ y, int pixels, int f, int n) {
    __shared__ T of_warps[WARPS];
    const int across = (n + 31) / 32, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const Span items = part_of(pixels * across, blockIdx.y, gridDim.y);
    T sum = T(0);
    for (int item = items.first + warp; item < items.end; item += WARPS) {
        const int pixel = item / across, image = item % across * 32 + lane;
        // All lanes load, those behind the last image what it has: so no load waits for a branch.
        const size_t place = ((size_t)pixel * f + blockIdx.x) * n + min(image, n - 1);
        T value = g[place];
        if (y) {
            value = y[place] > T(0) ? value : T(0);
            if (image < n) dz[place] = value;
        }
        sum += image < n ? value : T(0);
    }
    sum = block_sum(sum, of_warps);
    if (threadIdx.x == 0) parts[(size_t)blockIdx.y * f + blockIdx.x] = sum;
}
