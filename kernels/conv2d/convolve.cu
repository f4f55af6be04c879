// Convolution and its gradient by the input on batch-last memory (H, W, C, N): a lane is an image.
//
//     out[row, column, f, n] = b[f] + sum over taps and channels of in[row', column', c, n] w[tap, c, f]
//
// Forward, row' = row sh + kh dh - top; backward (BACK, the gradient by the input), row = row' sh + kh dh -
// top, and filters and channels have changed places. All lanes of a warp are at one pixel: borders, strides,
// dilations and groups are the same for all of them, and a load is one line of memory, however many channels
// there are.
//
// A thread keeps the sums of FT filters and PT neighbouring pixels in registers. For each tap and channel it
// loads PT numbers (its image's pixels) and FT weights, which are the same for all lanes and lie in shared
// memory: FT PT multiply-adds for FT + PT loads. Where a map has too few tiles for a GPU, SPLIT warps share
// the taps and channels of a tile.

struct Conv {
    int rows, columns, outputs;       // what is written: its map, and channels of a group
    int in_rows, in_columns, inputs;  // what is read
    int kh, kw, sh, sw, dh, dw, top, left;
    int groups, n, column_images, relu;                // column_images: see lives
    int in_pixel, in_channel, out_pixel, out_channel;  // steps from one to the next in memory
    int w_tap, w_input, w_output, w_group;             // in w
};

const int WARPS = 4;   // of a block
const int CHUNK = 64;  // rows of weights (a tap and a channel each) that lie in shared memory at a time

// Whether image n of a column is one: all columns have k.n. Dense layers, whose maps are single pixels, count
// their samples as columns of 32 images, and k.n in all.
__device__ inline bool lives(const Conv& k, int column, int n) { return column * k.column_images + n < k.n; }

// Where position `o` of what is written meets what is read at a tap, along one axis of `size`; -1 for
// nowhere.
template <bool BACK>
__device__ inline int meets(int o, int tap, int stride, int dilation, int before, int size) {
    int i = o * stride + tap * dilation - before;
    if (BACK) {
        const int shifted = o + before - tap * dilation;
        if (shifted < 0 || shifted % stride) return -1;
        i = shifted / stride;
    }
    return i >= 0 && i < size ? i : -1;
}

// Blocks that must fit a multiprocessor at a time, by the sums of a thread: what nvcc goes by when it divides
// the registers.
template <class T> __host__ __device__ constexpr int at_once(int sums) {
    return sizeof(T) > 4 ? 2 : sums > 56 ? 3 : sums > 16 ? 4 : 6;
}

// block (32, WARPS); grid (tiles of pixels times SPLIT / WARPS, images / 32, groups times tiles of filters)
template <class T, bool BACK, int FT, int PT, int SPLIT>
__global__ void __launch_bounds__(32 * WARPS, at_once<T>(FT * PT))
    convolve(T* __restrict__ out, const T* __restrict__ in, const T* __restrict__ w, const T* __restrict__ b,
             Conv k) {
    __shared__ T weights[CHUNK * FT];
    __shared__ T handed[SPLIT > 1 ? WARPS * FT * PT * 32 : 1];
    const int n = blockIdx.y * 32 + threadIdx.x, thread = threadIdx.y * 32 + threadIdx.x;
    const int across = (k.columns + PT - 1) / PT, tile = (blockIdx.x * WARPS + threadIdx.y) / SPLIT;
    const int row = tile / across, column = tile % across * PT, part = threadIdx.y % SPLIT;
    const int filter_tiles = (k.outputs + FT - 1) / FT, group = blockIdx.z / filter_tiles;
    const int first = blockIdx.z % filter_tiles * FT;  // filter

    T sum[FT][PT];
#pragma unroll
    for (int f = 0; f < FT; f++)
#pragma unroll
        for (int p = 0; p < PT; p++)
            sum[f][p] = b && part == 0 && first + f < k.outputs ? b[group * k.outputs + first + f] : T(0);

    const int all = k.kh * k.kw * k.inputs;
    for (int start = 0; start < all; start += CHUNK) {
        const int size = min(CHUNK, all - start);
        __syncthreads();  // the chunk before this one has been used
        for (int i = thread; i < size * FT; i += 32 * WARPS) {
            const int r = start + i / FT, f = first + i % FT;
            const size_t place = (size_t)(r / k.inputs) * k.w_tap + (r % k.inputs) * k.w_input +
                                 f * k.w_output + group * k.w_group;
            weights[i] = f < k.outputs ? w[place] : T(0);
        }
        __syncthreads();
        const int end = size * (part + 1) / SPLIT;
        for (int r = size * part / SPLIT; r < end;) {  // a tap, and its channels in this part
            const int tap = (start + r) / k.inputs, channel = (start + r) % k.inputs;
            const int stop = min(end, r + k.inputs - channel);
            const int from_row = meets<BACK>(row, tap / k.kw, k.sh, k.dh, k.top, k.in_rows);
            int from[PT];  // pixels, or -1; of 32 bits, for registers are scarce
#pragma unroll
            for (int p = 0; p < PT; p++) {
                const int from_column = meets<BACK>(column + p, tap % k.kw, k.sw, k.dw, k.left, k.in_columns);
                const bool inside = row < k.rows && column + p < k.columns && from_row >= 0 &&
                                    from_column >= 0;
                from[p] = inside && lives(k, from_column, n)
                              ? (from_row * k.in_columns + from_column) * k.in_pixel
                              : -1;
            }
            const T* of_channel = in + (size_t)(group * k.inputs + channel) * k.in_channel + n;
#pragma unroll 2
            for (; r < stop; r++, of_channel += k.in_channel) {
                T pixel[PT];
#pragma unroll
                for (int p = 0; p < PT; p++) pixel[p] = from[p] >= 0 ? of_channel[from[p]] : T(0);
#pragma unroll
                for (int f = 0; f < FT; f++)
#pragma unroll
                    for (int p = 0; p < PT; p++) sum[f][p] += weights[r * FT + f] * pixel[p];
            }
        }
    }
    if (SPLIT > 1) {  // the first of the warps that share a tile adds up what they have
        T* own = handed + threadIdx.y * FT * PT * 32 + threadIdx.x;
#pragma unroll
        for (int i = 0; i < FT * PT; i++) own[i * 32] = sum[i / PT][i % PT];
        __syncthreads();
        if (part) return;
#pragma unroll
        for (int i = 0; i < FT * PT; i++)
#pragma unroll
            for (int other = 1; other < SPLIT; other++)
                sum[i / PT][i % PT] += own[(other * FT * PT + i) * 32];
    }
#pragma unroll
    for (int f = 0; f < FT; f++)
#pragma unroll
        for (int p = 0; p < PT; p++) {
            if (row >= k.rows || column + p >= k.columns || first + f >= k.outputs ||
                !lives(k, column + p, n))
                continue;
            const size_t pixel = (size_t)(row * k.columns + column + p) * k.out_pixel;
            const T y = sum[f][p];
            out[pixel + (size_t)(group * k.outputs + first + f) * k.out_channel + n] =
                k.relu && y < T(0) ? T(0) : y;  // NaN stays
        }
}
