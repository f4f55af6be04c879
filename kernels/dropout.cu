// Dropout of x (F, N): F features, N samples, which are neighbours in memory. Formulas and counters are in
// dropout.py; draw_word in common.cu, since batch_norm.cu draws too.

// bits (words, features): features a multiple of 32. block (32 features, words), grid (features, words)
__global__ void draw(uint16* __restrict__ bits, const uint32* __restrict__ words, uint32 threshold,
                     int of_words) {
    const int feature = blockIdx.x * 32 + threadIdx.x, word = blockIdx.y * blockDim.y + threadIdx.y;
    if (word < of_words)
        bits[(size_t)word * gridDim.x * 32 + feature] = (uint16)draw_word(words, feature, word, threshold);
}

// The same, and y = x m factor. A block has 32 features and up to 8 words, 16 samples each. First a lane is a
// feature, as `bits` lies in memory; then a sample, as x does: the words change lanes through shared memory.
template <class T>
__global__ void dropout(T* __restrict__ y, uint16* __restrict__ bits, const T* __restrict__ x,
                        const uint32* __restrict__ words, uint32 threshold, T factor, int f, int n) {
    __shared__ uint32 drawn[8][33];  // 33: the words of one feature lie in different banks
    const int of_words = (n + 15) / 16, first_word = blockIdx.y * blockDim.y, first_feature = blockIdx.x * 32;
    const int feature = first_feature + threadIdx.x, word = first_word + threadIdx.y;
    const uint32 kept = draw_word(words, feature, word, threshold);
    drawn[threadIdx.y][threadIdx.x] = kept;
    if (word < of_words) bits[(size_t)word * gridDim.x * 32 + feature] = (uint16)kept;
    __syncthreads();
    const int samples = 16 * blockDim.y, threads = 32 * blockDim.y;
    for (int i = threadIdx.y * 32 + threadIdx.x; i < 32 * samples; i += threads) {
        const int row = i / samples, column = i % samples, sample = 16 * first_word + column;
        if (first_feature + row >= f || sample >= n) continue;
        const size_t place = (size_t)(first_feature + row) * n + sample;
        y[place] = drawn[column / 16][row] >> (column % 16) & 1 ? x[place] * factor : T(0);
    }
}

// dx = g m factor, with the bits drawn before. block (threads), grid (elements)
template <class T>
__global__ void keep(T* __restrict__ dx, const T* __restrict__ g, const uint16* __restrict__ bits, T factor,
                     int of_features, int n, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    const int feature = i / n, sample = i % n;
    dx[i] = bits[(size_t)(sample / 16) * of_features + feature] >> (sample % 16) & 1 ? g[i] * factor : T(0);
}
