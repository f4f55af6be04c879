// Uniform random numbers u (F, N) of F features and N samples, which are neighbours in memory (uniform.py).
//
// A thread has a counter of a feature, whose four words belong to samples 8 apart (normal.py): its
// neighbours' numbers lie beside its own. block (threads), grid (counters of all features)
template <class T>
__global__ void uniform(T* __restrict__ u, const uint32* __restrict__ words, int counters, int n, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    const int feature = i / counters, counter = i % counters, first = counter / 8 * 32 + counter % 8;
    uint32 drawn[4] = {words[2], (uint32)feature, (uint32)counter, 1};
    philox(drawn, words[0], words[1]);
#pragma unroll
    for (int word = 0; word < 4; word++)
        if (first + 8 * word < n)
            u[(size_t)feature * n + first + 8 * word] = (drawn[word] >> 8) * (T(1) / (1 << 24));
}
