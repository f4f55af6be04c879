// Pooling on batch-last memory: x (H, W, M), y (OH, OW, M), where m counts channels and images together. All
// kernels have a thread for each element of their result: a block is some m of one pixel. block (threads),
// grid (pixels times parts of m)

struct Pool {
    int h, w, oh, ow, m;
    int kh, kw, sh, sw, top, left;  // window, strides, padding before
};

struct Place {
    int row, column, m;
    bool exists;
};

// The element of a result with `columns` columns that is this thread's.
__device__ inline Place own_place(int columns, int m) {
    const int parts = (m + blockDim.x - 1) / blockDim.x, pixel = blockIdx.x / parts;
    const int own = blockIdx.x % parts * blockDim.x + threadIdx.x;
    return {pixel / columns, pixel % columns, own, own < m};
}

__device__ inline size_t at(int row, int column, int columns, int m, int ms) {
    return ((size_t)row * columns + column) * ms + m;
}

// The positions of an image axis that window o covers, without padding.
__device__ inline Span covered(int o, int size, int window, int stride, int before) {
    return {max(0, o * stride - before), min(size, o * stride - before + window)};
}

// The windows along an axis that cover position i: those o with o stride <= i + before < o stride + window.
__device__ inline Span covering(int i, int outputs, int window, int stride, int before) {
    const int shifted = i + before;
    return {shifted < window ? 0 : (shifted - window) / stride + 1, min(outputs, shifted / stride + 1)};
}

// y = the largest cell of a window, index = kh KW + kw of the first such cell; NaN counts as larger than all
// numbers.
template <class T, class I>
__global__ void max_pool(T* __restrict__ y, I* __restrict__ index, const T* __restrict__ x, Pool k) {
    const Place p = own_place(k.ow, k.m);
    if (!p.exists) return;
    const Span rows = covered(p.row, k.h, k.kh, k.sh, k.top);
    const Span columns = covered(p.column, k.w, k.kw, k.sw, k.left);
    T best = x[at(rows.first, columns.first, k.w, p.m, k.m)];
    int row = rows.first, column = columns.first;
    for (int h = rows.first; h < rows.end; h++)
        for (int w = columns.first; w < columns.end; w++) {
            const T value = x[at(h, w, k.w, p.m, k.m)];
            if (!(value <= best) && best == best) {
                best = value;
                row = h;
                column = w;
            }
        }
    const size_t place = at(p.row, p.column, k.ow, p.m, k.m);
    y[place] = best;
    index[place] = (I)((row - p.row * k.sh + k.top) * k.kw + column - p.column * k.sw + k.left);
}

// dx: a pixel collects g of the windows that cover it and that it won, in their order: so no two threads add
// to one place.
template <class T, class I>
__global__ void max_pool_grad(T* __restrict__ dx, const T* __restrict__ g, const I* __restrict__ index,
                              Pool k) {
    const Place p = own_place(k.w, k.m);
    if (!p.exists) return;
    const Span rows = covering(p.row, k.oh, k.kh, k.sh, k.top);
    const Span columns = covering(p.column, k.ow, k.kw, k.sw, k.left);
    T sum = T(0);
    for (int oh = rows.first; oh < rows.end; oh++)
        for (int ow = columns.first; ow < columns.end; ow++) {
            const int cell = (p.row - oh * k.sh + k.top) * k.kw + p.column - ow * k.sw + k.left;
            const size_t place = at(oh, ow, k.ow, p.m, k.m);
            if (index[place] == (I)cell) sum += g[place];
        }
    dx[at(p.row, p.column, k.w, p.m, k.m)] = sum;
}

// y = the cell of x that `index` names; 0 where that lies in the padding.
template <class T, class I>
__global__ void max_pool_gather(T* __restrict__ y, const T* __restrict__ x, const I* __restrict__ index,
                                Pool k) {
    const Place p = own_place(k.ow, k.m);
    if (!p.exists) return;
    const size_t place = at(p.row, p.column, k.ow, p.m, k.m);
    const int cell = index[place], h = p.row * k.sh - k.top + cell / k.kw,
              w = p.column * k.sw - k.left + cell % k.kw;
    const bool inside = h >= 0 && h < k.h && w >= 0 && w < k.w;
    y[place] = inside ? x[at(h, w, k.w, p.m, k.m)] : T(0);
}

// One divided by the number of cells of window (oh, ow) that are not padding.
template <class T> __device__ inline T share(int oh, int ow, const Pool& k) {
    const Span rows = covered(oh, k.h, k.kh, k.sh, k.top), columns = covered(ow, k.w, k.kw, k.sw, k.left);
    return T(1) / T((rows.end - rows.first) * (columns.end - columns.first));
}

template <class T> __global__ void average_pool(T* __restrict__ y, const T* __restrict__ x, Pool k) {
    const Place p = own_place(k.ow, k.m);
    if (!p.exists) return;
    const Span rows = covered(p.row, k.h, k.kh, k.sh, k.top);
    const Span columns = covered(p.column, k.w, k.kw, k.sw, k.left);
    const T factor = share<T>(p.row, p.column, k);
    T sum = T(0);
    for (int h = rows.first; h < rows.end; h++)
        for (int w = columns.first; w < columns.end; w++) sum += factor * x[at(h, w, k.w, p.m, k.m)];
    y[at(p.row, p.column, k.ow, p.m, k.m)] = sum;
}

template <class T> __global__ void average_pool_grad(T* __restrict__ dx, const T* __restrict__ g, Pool k) {
    const Place p = own_place(k.w, k.m);
    if (!p.exists) return;
    const Span rows = covering(p.row, k.oh, k.kh, k.sh, k.top);
    const Span columns = covering(p.column, k.ow, k.kw, k.sw, k.left);
    T sum = T(0);
    for (int oh = rows.first; oh < rows.end; oh++)
        for (int ow = columns.first; ow < columns.end; ow++)
            sum += g[at(oh, ow, k.ow, p.m, k.m)] * share<T>(oh, ow, k);
    dx[at(p.row, p.column, k.w, p.m, k.m)] = sum;
}
