// Uniform random numbers u (F, N) of F features and N samples, which are neighbours in memory (uniform.py).
// block (threads), grid (counters of all features)
template <class T>
__global__ void uniform(T* __restrict__ u, const uint32* __restrict__ words, int counters, int n, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    const Drawn drawn(i, words, counters);
#pragma unroll
    for (int word = 0; word < 4; word++) {
        const int sample = drawn.first + 8 * word;
        if (sample < n)
            u[(size_t)drawn.feature * n + sample] = (drawn.word[word] >> 8) * (T(1) / (1 << 24));
    }
}
