// Activation functions, element by element. Each is a struct with the function and its derivative times g; s
// is what the derivative follows from, the output y or the input x (formulas in rectifiers.py, sigmoids.py
// and smooth.py). a and b are its settings. Comparisons are written so that NaN stays NaN: max(NaN, 0) would
// be 0.

struct Relu {
    template <class T> static __device__ T y(T x, T a, T b) { return x < T(0) ? T(0) : x; }
    template <class T> static __device__ T dx(T g, T s, T a, T b) { return s > T(0) ? g : T(0); }
};

struct LeakyRelu {  // a: slope
    template <class T> static __device__ T y(T x, T a, T b) { return x > T(0) ? x : a * x; }
    template <class T> static __device__ T dx(T g, T s, T a, T b) { return s > T(0) ? g : a * g; }
};

struct Elu {  // a: scale, b: alpha
    template <class T> static __device__ T y(T x, T a, T b) { return a * (x > T(0) ? x : b * expm1(x)); }
    template <class T> static __device__ T dx(T g, T s, T a, T b) { return g * (s > T(0) ? a : s + a * b); }
};

struct Sigmoid {
    template <class T> static __device__ T y(T x) {  // exp(-|x|) cannot overflow
        const T e = exp(-fabs(x));
        return (x < T(0) ? e : T(1)) / (T(1) + e);
    }
    template <class T> static __device__ T y(T x, T a, T b) { return y(x); }
    template <class T> static __device__ T dx(T g, T s, T a, T b) { return g * s * (T(1) - s); }
};

struct Tanh {
    template <class T> static __device__ T y(T x, T a, T b) { return tanh(x); }
    template <class T> static __device__ T dx(T g, T s, T a, T b) { return g * ((T(1) - s) * (T(1) + s)); }
};

struct Softplus {
    template <class T> static __device__ T y(T x, T a, T b) {
        return (x < T(0) ? T(0) : x) + log1p(exp(-fabs(x)));
    }
    template <class T> static __device__ T dx(T g, T s, T a, T b) { return g * Sigmoid::y(s); }
};

struct Softsign {
    template <class T> static __device__ T y(T x, T a, T b) {
        const T d = T(1) + fabs(x);
        return isinf(d) ? (x > T(0) ? T(1) : T(-1)) : x / d;
    }
    template <class T> static __device__ T dx(T g, T s, T a, T b) {
        const T d = T(1) + fabs(s);
        return g / (d * d);
    }
};

// x within -a .. a: beyond, a step has long been 0 or 1, and only infinity times 0 could come of it
template <class T> __device__ inline T above(T x, T a) { return x < -a ? -a : x; }
template <class T> __device__ inline T within(T x, T a) { return x > a ? a : above(x, a); }

struct Silu {
    template <class T> static __device__ T y(T x, T a, T b) { return above(x, a) * Sigmoid::y(x); }
    template <class T> static __device__ T dx(T g, T s, T a, T b) {
        const T step = Sigmoid::y(s);
        return g * step * (T(1) + within(s, a) * (T(1) - step));
    }
};

struct Gelu {
    // Phi(x) = erfc(z) / 2, z = -x / sqrt 2. Far out erfc falls so steeply that what is rounded off z counts:
    // it is r, and erfc(z + r) = erfc(z) - r 2 / sqrt(pi) exp(-z^2)
    template <class T> static __device__ T step(T x) {
        const double root_half = 0.70710678118654752440;
        const T factor = T(-root_half), z = x * factor;
        const T r = fma(x, factor, -z) + x * T(-root_half - (double)factor);
        return T(0.5) * (erfc(z) - r * T(1.12837916709551257390) * exp(-z * z));
    }
    template <class T> static __device__ T y(T x, T a, T b) { return above(x, a) * step(within(x, a)); }
    template <class T> static __device__ T dx(T g, T s, T a, T b) {
        const T x = within(s, a), density = T(0.39894228040143267794) * exp(T(-0.5) * x * x);
        return g * (step(x) + x * density);
    }
};

struct GeluTanh {  // (1 + tanh u) / 2 is sigmoid(2 u), which keeps its digits where it is small
    template <class T> static __device__ T twice_u(T x) {
        return T(2 * 0.79788456080286535588) * (x + T(0.044715) * x * x * x);
    }
    template <class T> static __device__ T y(T x, T a, T b) {
        const T v = above(x, a);
        return v * Sigmoid::y(twice_u(v));
    }
    template <class T> static __device__ T dx(T g, T s, T a, T b) {
        const T x = within(s, a), w = twice_u(x), step = Sigmoid::y(w), rest = Sigmoid::y(-w);
        const T slope = T(2 * 0.79788456080286535588) * (T(1) + T(3 * 0.044715) * x * x);
        return g * step * (T(1) + x * rest * slope);
    }
};

// block (threads), grid (elements)
template <class T, class F>
__global__ void forward(T* __restrict__ y, const T* __restrict__ x, T a, T b, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) y[i] = F::y(x[i], a, b);
}

template <class T, class F>
__global__ void backward(T* __restrict__ dx, const T* __restrict__ g, const T* __restrict__ s, T a, T b,
                         int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) dx[i] = F::dx(g[i], s[i], a, b);
}
