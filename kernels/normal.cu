// Normal random numbers z (F, N) of F features and N samples, which are neighbours in memory, by Box and
// Muller's formula, in double precision: normal.py.
//
// A thread has a counter of a feature, whose four words belong to samples 8 apart: its neighbours' numbers
// lie beside its own. block (threads), grid (counters of all features)
template <class T>
__global__ void normal(T* __restrict__ z, const uint32* __restrict__ words, int counters, int n, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    const int feature = i / counters, counter = i % counters, first = counter / 8 * 32 + counter % 8;
    uint32 drawn[4] = {words[2], (uint32)feature, (uint32)counter, 1};
    philox(drawn, words[0], words[1]);
    const double whole = 4294967296.0;  // 2**32
#pragma unroll
    for (int word = 0; word < 4; word += 2) {  // two words, two normals
        const double radius = sqrt(-2 * log((drawn[word] + 1.0) / whole));
        double sine, cosine;
        sincospi(2 * (drawn[word + 1] / whole - 0.125), &sine, &cosine);
        const int sample = first + 8 * word;
        if (sample < n) z[(size_t)feature * n + sample] = (T)(radius * cosine);
        if (sample + 8 < n) z[(size_t)feature * n + sample + 8] = (T)(radius * sine);
    }
}
