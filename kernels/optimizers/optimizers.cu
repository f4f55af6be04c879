// The optimizers' rules over a table of stretches of variables, and what goes before and after them; formulas
// beside their references (moments.py and so on). A row is: number of elements | address of w | of g | of
// three slots, 0 for one that is not there. c are the numbers of the rule, in memory: a step that is repeated
// takes those of the day.

const int COLUMNS = 6;

template <class T>
struct Element {  // of a variable: its number, its gradient's, its slots'; 0 for what is not there
    T w, g, first, second, third;
    bool has_second, has_third;
};

struct Sgd {
    template <class T> static __device__ void update(Element<T>& e, const T* c) { e.w -= c[0] * e.g; }
};

struct SgdMomentum {  // slot m; learning rate, momentum, nesterov
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        const T step = c[0] * e.g, m = c[1] * e.first - step;
        e.first = m;
        e.w += c[2] != T(0) ? c[1] * m - step : m;
    }
};

struct Adagrad {  // slot s; learning rate, epsilon
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        e.first += e.g * e.g;
        e.w -= c[0] * e.g / sqrt(e.first + c[1]);
    }
};

// x moves towards its target by a part of the way, the running mean of all rules below
template <class T> __device__ inline T approach(T& x, T target, T part) { return x += part * (target - x); }

struct Rmsprop {  // slots v, m, a; learning rate, 1 - rho, momentum, epsilon
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        T variance = approach(e.first, e.g * e.g, c[1]);
        if (e.has_third) {
            const T a = approach(e.third, e.g, c[1]);
            variance -= a * a;
        }
        T u = c[0] * e.g / sqrt(variance + c[3]);
        if (e.has_second) u = e.second = c[2] * e.second + u;
        e.w -= u;
    }
};

struct Adadelta {  // slots a, d; learning rate, 1 - rho, epsilon
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        const T a = approach(e.first, e.g * e.g, c[1]), u = sqrt(e.second + c[2]) * e.g / sqrt(a + c[2]);
        approach(e.second, u * u, c[1]);
        e.w -= c[0] * u;
    }
};

struct Adam {  // slots m, v, peak; alpha, 1 - beta_1, 1 - beta_2, epsilon
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        const T m = approach(e.first, e.g, c[1]);
        T v = approach(e.second, e.g * e.g, c[2]);
        if (e.has_third) v = e.third = e.third < v ? v : e.third;
        e.w -= c[0] * m / (sqrt(v) + c[3]);
    }
};

struct Adamax {  // slots m, u; alpha, 1 - beta_1, beta_2, epsilon
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        const T m = approach(e.first, e.g, c[1]), faded = c[2] * e.second, size = fabs(e.g);
        e.second = faded < size ? size : faded;
        e.w -= c[0] * m / (e.second + c[3]);
    }
};

struct Nadam {  // slots m, v; alpha, ahead, v_scale, 1 - beta_1, 1 - beta_2, epsilon
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        const T m = approach(e.first, e.g, c[3]), v = approach(e.second, e.g * e.g, c[4]);
        e.w -= c[0] * (e.g + c[1] * m) / (sqrt(c[2] * v) + c[5]);
    }
};

struct Lion {  // slot m; learning rate, beta_1, 1 - beta_1, 1 - beta_2
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        const T direction = c[1] * e.first + c[2] * e.g;
        T step = direction;  // 0, or NaN
        if (direction > T(0)) step = c[0];
        if (direction < T(0)) step = -c[0];
        e.w -= step;
        approach(e.first, e.g, c[3]);
    }
};

struct Decay {  // rate
    template <class T> static __device__ void update(Element<T>& e, const T* c) { e.w -= c[0] * e.w; }
};

struct CutOff {  // w: the clipped gradient; limit. NaN is neither above nor below, and stays
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        e.w = e.g > c[0] ? c[0] : e.g < -c[0] ? -c[0] : e.g;
    }
};

struct Collect {  // w: the sum so far; scale, steps, add
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        T sum = e.g / c[0];
        if (c[2] != T(0)) sum += e.w;
        e.w = sum / c[1];
    }
};

struct Clear {
    template <class T> static __device__ void update(Element<T>& e, const T*) { e.w = 0; }
};

struct Average {  // w: the mean, first: the weight; momentum, 1 - momentum, overwrite
    template <class T> static __device__ void update(Element<T>& e, const T* c) {
        e.w = c[0] * e.w + c[1] * e.first;
        if (c[2] != T(0)) e.first = e.w;
    }
};

// All numbers of an element are read before one is written: so the memory is waited for once. The blocks of a
// row take its elements in turn, several where there are few rows, and a thread has one element or few. block
// (threads), grid (rows, blocks of a row)
template <class T, class R> __global__ void sweep(const int64* __restrict__ table, const T* __restrict__ c) {
    const int64* row = table + (size_t)blockIdx.x * COLUMNS;
    T* const w = (T*)row[1];
    const T* const g = (const T*)row[2];
    T *const first = (T*)row[3], *const second = (T*)row[4], *const third = (T*)row[5];
    const int count = (int)row[0], step = gridDim.y * blockDim.x;
    for (int i = blockIdx.y * blockDim.x + threadIdx.x; i < count; i += step) {
        Element<T> e = {w[i], g ? g[i] : T(0), first ? first[i] : T(0), second ? second[i] : T(0),
                        third ? third[i] : T(0), second != nullptr, third != nullptr};
        R::update(e, c);
        w[i] = e.w;
        if (first) first[i] = e.first;
        if (second) second[i] = e.second;
        if (third) third[i] = e.third;
    }
}

// squares[row] = sum g^2 over the row. block (threads), grid (rows)
template <class T> __global__ void squares(const int64* __restrict__ table, T* __restrict__ squares) {
    __shared__ T of_warps[32];
    const int64* row = table + (size_t)blockIdx.x * COLUMNS;
    const T* const g = (const T*)row[2];
    T sum = 0;
    for (int64 i = threadIdx.x; i < row[0]; i += blockDim.x) sum += g[i] * g[i];
    sum = block_sum(sum, of_warps);
    if (threadIdx.x == 0) squares[blockIdx.x] = sum;
}

// factors[row] = c / max(||g||, c), c = limit[0], where ||g|| is the norm of all rows of the same group,
// added up in their order. `spread`: NaN if the norm is not finite. block (threads), grid (rows)
template <class T>
__global__ void factors(T* __restrict__ factors, const T* __restrict__ squares,
                        const int64* __restrict__ group, const T* __restrict__ limit, bool spread, int rows) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) return;
    T sum = 0;
    for (int i = 0; i < rows; i++)
        if (group[i] == group[row]) sum += squares[i];
    const T length = sqrt(sum), factor = limit[0] / (length < limit[0] ? limit[0] : length);
    factors[row] = spread ? factor + (length - length) : factor;
}

// w = g factors[row]. block (threads), grid (rows, blocks of a row)
template <class T> __global__ void scale(const int64* __restrict__ table, const T* __restrict__ factors) {
    const int64* row = table + (size_t)blockIdx.x * COLUMNS;
    T* const w = (T*)row[1];
    const T* const g = (const T*)row[2];
    const int count = (int)row[0], step = gridDim.y * blockDim.x;
    for (int i = blockIdx.y * blockDim.x + threadIdx.x; i < count; i += step)
        w[i] = g[i] * factors[blockIdx.x];
}
