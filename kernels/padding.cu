// A frame around an array (padding.py): y (., B, C, D) of x (a, b, c, d), as they lie in memory. Neighbouring
// axes that have no frame are one.

struct Frame {
    int a, b, c, d;                              // of x
    int before_a, before_b, before_c, before_d;  // how much wider y is at the beginning of each axis
    int wide_b, wide_c, wide_d;                  // of y
};

// block (threads), grid (elements of y)
template <class T>
__global__ void pad(T* __restrict__ y, const T* __restrict__ x, T value, Frame f, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    const int d = i % f.wide_d - f.before_d, rows = i / f.wide_d;
    const int c = rows % f.wide_c - f.before_c, maps = rows / f.wide_c;
    const int b = maps % f.wide_b - f.before_b, a = maps / f.wide_b - f.before_a;
    const bool inside = a >= 0 && a < f.a && b >= 0 && b < f.b && c >= 0 && c < f.c && d >= 0 && d < f.d;
    y[i] = inside ? x[(((size_t)a * f.b + b) * f.c + c) * f.d + d] : value;
}
