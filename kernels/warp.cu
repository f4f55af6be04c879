// Affine warps of images (H, W, C, N), a map for each image: formulas and borders are in warp.py. A lane is
// an image, whose map leads to cells of its own.

const int REFLECT = 0, CONSTANT = 1, WRAP = 2, CUT = 4, OVERLAP = 5;  // as warp_loops.py numbers them

struct Grid {
    int rows, columns, c, n, mode, linear;
};

// x = a column + (b row + c). Each step is rounded, as on a CPU: fused into one, they might move a place that
// lies on a border, or half-way between two cells, to its other side.
__device__ inline double place(const double* map, int row, int column) {
    return __dadd_rn(__dmul_rn(map[0], column), __dadd_rn(__dmul_rn(map[1], row), map[2]));
}

// The place of x on an axis whose last cell and first cell are one.
__device__ inline double round_the_ring(double x, int size) {
    const double ring = max(size - 1, 1), last = size - 1;
    if (x < 0) return min(x + ring * (floor(-x / ring) + 1), last);
    return x > last ? min(x - ring * floor(x / ring), last) : x;
}

// The cell that stands for cell k of an axis, a whole number that may lie outside; -1: the fill value.
__device__ inline int inside(double k, int size, int mode) {
    const double turn = 2.0 * size;
    if (mode == REFLECT) {
        k -= turn * floor(k / turn);
        k = k < size ? k : turn - 1 - k;
    } else if (mode == WRAP) {
        k -= size * floor(k / size);
    } else if (mode == CONSTANT && !(k >= 0 && k < size)) {
        return -1;
    }
    k = k > 0 ? k : 0;  // also what is no number: no cell outside is ever read
    return (int)(k < size ? k : size - 1);
}

template <class T> struct Around {  // a place on an axis
    int cell[2];                    // before and behind it; -1: the fill value
    T share[2];                     // of the value
};

template <class T> __device__ inline Around<T> around(double x, int size, const Grid& g) {
    if (g.mode == OVERLAP) x = round_the_ring(x, size);
    const double k = g.linear ? floor(x) : rint(x);
    const T weight = g.linear ? T(x - k) : T(0);
    Around<T> found = {{inside(k, size, g.mode), inside(k + g.linear, size, g.mode)},
                       {T(1) - weight, weight}};
    if (g.mode == CUT && !(x >= 0 && x <= size - 1)) found.cell[0] = found.cell[1] = -1;
    return found;
}

template <class T> __device__ inline T cell(const T* image, int h, int w, const Grid& g, T fill) {
    return h < 0 || w < 0 ? fill : image[((size_t)h * g.columns + w) * g.c * g.n];
}

// y[i, j, c, n] = x at the place to which the map of image n leads. block (32 images, pixels), grid (pixels,
// images)
template <class T>
__global__ void warp(T* __restrict__ y, const T* __restrict__ x, const double* __restrict__ maps, T fill,
                     Grid g) {
    const int n = blockIdx.y * 32 + threadIdx.x, pixel = blockIdx.x * blockDim.y + threadIdx.y;
    if (n >= g.n || pixel >= g.rows * g.columns) return;
    const int row = pixel / g.columns, column = pixel % g.columns;
    const Around<T> v = around<T>(place(maps + 6 * n + 3, row, column), g.rows, g);
    const Around<T> u = around<T>(place(maps + 6 * n, row, column), g.columns, g);
    for (int c = 0; c < g.c; c++) {
        const T* image = x + (size_t)c * g.n + n;
        T top = cell(image, v.cell[0], u.cell[0], g, fill);
        if (g.linear) {
            const T right = cell(image, v.cell[0], u.cell[1], g, fill);
            const T below = cell(image, v.cell[1], u.cell[0], g, fill);
            const T across = cell(image, v.cell[1], u.cell[1], g, fill);
            top += u.share[1] * (right - top);
            top += v.share[1] * (below + u.share[1] * (across - below) - top);
        }
        y[((size_t)pixel * g.c + c) * g.n + n] = top;
    }
}

// Whether no pixel of a row, whose places on the axis run from a to b, has a share in cell h.
__device__ inline bool misses(double a, double b, int h, const Grid& g) {
    const double last = g.rows - 1, low = min(a, b), high = max(a, b);
    const bool stays = g.mode == CONSTANT || g.mode == CUT || (low >= 0 && high <= last);
    return stays && isfinite(a) && isfinite(b) && (high < h - 1 || low > h + 1);
}

// The adjoint: dx[h, w, c, n] = sum of the shares that pixels of g have in the cell, in the order of the
// pixels. A thread has row h of an image's channel, for itself, and goes through all pixels, but for rows
// that lead elsewhere. block (32 images, rows), grid (rows, images, channels)
template <class T>
__global__ void warp_grad(T* __restrict__ dx, const T* __restrict__ g, const double* __restrict__ maps,
                          Grid k) {
    const int n = blockIdx.y * 32 + threadIdx.x, h = blockIdx.x * blockDim.y + threadIdx.y;
    if (n >= k.n || h >= k.rows) return;
    const size_t first = (size_t)blockIdx.z * k.n + n, step = (size_t)k.c * k.n;  // from pixel to pixel
    T* const own = dx + (size_t)h * k.columns * step + first;
    for (int w = 0; w < k.columns; w++) own[w * step] = T(0);
    const double *across = maps + 6 * n, *down = across + 3;
    for (int row = 0; row < k.rows; row++) {
        if (misses(place(down, row, 0), place(down, row, k.columns - 1), h, k)) continue;
        for (int column = 0; column < k.columns; column++) {
            const Around<T> v = around<T>(place(down, row, column), k.rows, k);
            if (v.cell[0] != h && v.cell[1] != h) continue;
            const Around<T> u = around<T>(place(across, row, column), k.columns, k);
            const T value = g[((size_t)row * k.columns + column) * step + first];
            for (int below = 0; below < 2; below++)
                for (int right = 0; right < 2; right++)
                    if (v.cell[below] == h && u.cell[right] >= 0)
                        own[u.cell[right] * step] += v.share[below] * u.share[right] * value;
        }
    }
}
