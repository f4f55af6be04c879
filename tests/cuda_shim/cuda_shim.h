// CUDA C for g++: with this in front, a kernel's source is C++ that runs on the CPU.
//
// One thread of the machine plays all threads of a block, one after the other: each runs until it waits for
// others (runtime.cpp). So threadIdx is a variable of the runtime, __syncthreads a call that lets the next
// thread run, and a shuffle a value left with the runtime, a wait for the warp, and a neighbour's value
// picked up.
//
// What the kernels of tinynet use is here. Missing are atomics (tinynet has none: their order would decide
// the last bits), textures, tensor cores, asynchronous copies, clusters: their names do not compile.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <type_traits>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __launch_bounds__(...)

struct dim3 {
    unsigned x, y, z;
};

// ---- the runtime

struct ShimThread {  // who runs now
    dim3 thread, block, block_dim, grid_dim;
};

enum ShimWait { FOR_NOBODY, FOR_BLOCK, FOR_WARP, FOR_EVER };  // FOR_EVER: a thread that has returned

extern "C" {
extern ShimThread shim_now;
void shim_wait(int for_whom, int line);
void* shim_shared(const void* declaration, size_t bytes, size_t itemsize);
void shim_leave(const void* value, size_t bytes, int line);  // for the warp, then waits for it
void shim_pick_up(void* value, size_t bytes, unsigned lane, unsigned mask, int line);
}

#define threadIdx shim_now.thread
#define blockIdx shim_now.block
#define blockDim shim_now.block_dim
#define gridDim shim_now.grid_dim

// ---- shared memory: Python writes  __shared__ T name[N];  as this. Each call of the kernel gets the block's
// array.

#define SHIM_SHARED(type, name, extent)       \
    static const char name##_declaration = 0; \
    typedef type name##_type extent;          \
    name##_type& name =                       \
        *static_cast<name##_type*>(shim_shared(&name##_declaration, sizeof(name##_type), sizeof(type)))

// ---- barriers and shuffles

#define __syncthreads() shim_wait(FOR_BLOCK, __LINE__)
#define __syncwarp() shim_wait(FOR_WARP, __LINE__)

#define SHIM_UNSEEN __attribute__((no_sanitize("thread")))  // the checks look at kernels, not at this header

inline SHIM_UNSEEN unsigned shim_lane() {
    return (shim_now.thread.x +
            shim_now.block_dim.x * (shim_now.thread.y + shim_now.block_dim.y * shim_now.thread.z)) %
           32;
}

template <class T> SHIM_UNSEEN T shim_shuffle(unsigned mask, T value, unsigned lane, int line) {
    static_assert(sizeof(T) <= 8, "a shuffle moves 4 or 8 bytes");
    shim_leave(&value, sizeof(T), line);
    shim_pick_up(&value, sizeof(T), lane, mask, line);
    return value;
}

// A bit for each lane that says yes.
inline SHIM_UNSEEN unsigned shim_ballot(unsigned mask, bool yes, int line) {
    unsigned found = 0;
    shim_leave(&yes, sizeof(yes), line);
    for (unsigned lane = 0; lane < 32; lane++) {
        if (!(mask >> lane & 1)) continue;
        shim_pick_up(&yes, sizeof(yes), lane, mask, line);
        found |= unsigned(yes) << lane;
    }
    return found;
}

#define __ballot_sync(mask, yes) shim_ballot(mask, yes, __LINE__)
#define __shfl_sync(mask, value, lane) shim_shuffle(mask, value, (lane) % 32, __LINE__)
#define __shfl_xor_sync(mask, value, bits) shim_shuffle(mask, value, shim_lane() ^ (bits), __LINE__)

// ---- arithmetic that CUDA has and C++ has not

inline int __ffs(unsigned x) { return __builtin_ffs(int(x)); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
inline SHIM_UNSEEN void sincospi(double x, double* sine, double* cosine) { sincos(M_PI * x, sine, cosine); }
inline SHIM_UNSEEN float __fmul_rn(float a, float b) { return a * b; }  // never fused with an addition
inline SHIM_UNSEEN double __dmul_rn(double a, double b) { return a * b; }
inline SHIM_UNSEEN double __dadd_rn(double a, double b) { return a + b; }
template <class T> SHIM_UNSEEN T min(T a, T b) { return b < a ? b : a; }
template <class T> SHIM_UNSEEN T max(T a, T b) { return a < b ? b : a; }
// of a number and NaN the number, as on a GPU
inline SHIM_UNSEEN float min(float a, float b) { return fminf(a, b); }
inline SHIM_UNSEEN float max(float a, float b) { return fmaxf(a, b); }
inline SHIM_UNSEEN double min(double a, double b) { return fmin(a, b); }
inline SHIM_UNSEEN double max(double a, double b) { return fmax(a, b); }

// ---- how a launch calls a kernel: with the addresses of its arguments, as cuLaunchKernel has it

template <class... A, size_t... I>
SHIM_UNSEEN void shim_call(void (*kernel)(A...), void** places, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_const_t<A>*>(places[I])...);
}

// A parameter in words for Python: kind and bytes, as NumPy has them, with "*" in front of a pointer to
// writeable elements and "^" in front of one to constant elements. A struct is "V".
template <class A> SHIM_UNSEEN const char* shim_kind() {
    if (std::is_floating_point<A>::value) return "f";
    if (std::is_same<A, bool>::value) return "b";
    if (std::is_integral<A>::value) return std::is_signed<A>::value ? "i" : "u";
    return "V";
}

struct ShimParameter {
    char pointer;  // '*', '^', or ' '
    char kind;
    int bytes;
};

template <class A> SHIM_UNSEEN ShimParameter shim_parameter() {
    using To = std::remove_pointer_t<std::remove_const_t<A>>;
    const char pointer = !std::is_pointer<std::remove_const_t<A>>::value ? ' '
                         : std::is_const<To>::value                      ? '^'
                                                                         : '*';
    return {pointer, *shim_kind<std::remove_const_t<To>>(), int(sizeof(To))};
}

template <class... A> SHIM_UNSEEN int shim_parameters(void (*)(A...), ShimParameter* into) {
    const ShimParameter all[] = {shim_parameter<A>()..., {}};
    for (size_t i = 0; i < sizeof...(A); i++) into[i] = all[i];
    return int(sizeof...(A));
}

template <class... A> SHIM_UNSEEN void shim_run(void (*kernel)(A...), void** places) {
    shim_call(kernel, places, std::index_sequence_for<A...>());
}

#define SHIM_EXPORT(number, ...)                                                                    \
    extern "C" SHIM_UNSEEN void shim_run_##number(void** places) { shim_run(__VA_ARGS__, places); } \
    extern "C" SHIM_UNSEEN int shim_parameters_##number(ShimParameter* into) {                      \
        return shim_parameters(__VA_ARGS__, into);                                                  \
    }
