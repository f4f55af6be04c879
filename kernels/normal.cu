// Normal random numbers z (F, N) of F features and N samples, which are neighbours in memory, by Box and
// Muller's formula, in double precision: normal.py. block (threads), grid (counters of all features)
template <class T>
__global__ void normal(T* __restrict__ z, const uint32* __restrict__ words, int counters, int n, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    const Drawn drawn(i, words, counters);
    const double whole = 4294967296.0;  // 2**32
#pragma unroll
    for (int word = 0; word < 4; word += 2) {  // two words, two normals
        const double radius = sqrt(-2 * log((drawn.word[word] + 1.0) / whole));
        double sine, cosine;
        sincospi(2 * (drawn.word[word + 1] / whole - 0.125), &sine, &cosine);
        const int sample = drawn.first + 8 * word;
        T* const own = z + (size_t)drawn.feature * n + sample;
        if (sample < n) own[0] = (T)(radius * cosine);
        if (sample + 8 < n) own[8] = (T)(radius * sine);
    }
}
