// What several kernels share; put in front of each of their sources as text.

typedef unsigned char uint8;
typedef unsigned short uint16;
typedef unsigned int uint32;
typedef long long int64;

const uint32 ALL_LANES = 0xffffffffu;

// A stretch of an axis, or of what is counted.
struct Span {
    int first, end;
};

// Part `part` of `parts`, by the shapes alone: so sums have the same bits on every GPU.
__device__ inline Span part_of(int count, int part, int parts) {
    return {(int)((int64)count * part / parts), (int)((int64)count * (part + 1) / parts)};
}

// The sum of the 32 values of a warp, for every lane: half of the lanes exchange with the other half, five
// times.
template <class T> __device__ inline T warp_sum(T value) {
    for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(ALL_LANES, value, step);
    return value;
}

// The sum of the values of a block of whole warps, for every thread. `of_warps` has room for a value of each
// warp, and the order of the additions is always the same.
template <class T> __device__ inline T block_sum(T value, T* of_warps) {
    value = warp_sum(value);
    __syncthreads();  // of_warps may still be read from the last time
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
    __syncthreads();
    T sum = of_warps[0];
    for (int warp = 1; warp < blockDim.x / 32; warp++) sum += of_warps[warp];
    return sum;
}

// The sum over the warps of a block (32, WARPS) of what they have for a lane, for all of them and always in
// one order. `of_warps` is used for such sums alone, one after the other.
template <class T, int WARPS> __device__ inline T over_warps(T value, T (&of_warps)[WARPS][32]) {
    __syncthreads();  // of_warps may still be read from the last time
    of_warps[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    T sum = of_warps[0][threadIdx.x];
    for (int warp = 1; warp < WARPS; warp++) sum += of_warps[warp][threadIdx.x];
    return sum;
}

// Ten rounds of Philox4x32 on the counter c (philox.py).
__device__ inline void philox(uint32* c, uint32 key0, uint32 key1) {
    for (int round = 0; round < 10; round++) {
        const uint32 high0 = __umulhi(0xD2511F53u, c[0]), low0 = 0xD2511F53u * c[0];
        const uint32 high1 = __umulhi(0xCD9E8D57u, c[2]), low1 = 0xCD9E8D57u * c[2];
        c[0] = high1 ^ c[1] ^ key0;
        c[1] = low1;
        c[2] = high0 ^ c[3] ^ key1;
        c[3] = low0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

// What thread i of all has of random numbers (F, N), of F features and N samples: a counter of one feature,
// whose four words belong to samples 8 apart (normal.py), so that its neighbours' numbers lie beside its own.
// `words` are the key and the number of the call; each feature has `counters` of them.
struct Drawn {
    int feature, first;  // the sample of the first word
    uint32 word[4];
    __device__ Drawn(int i, const uint32* words, int counters) {
        const int counter = i % counters;
        feature = i / counters;
        first = counter / 8 * 32 + counter % 8;
        word[0] = words[2];
        word[1] = feature;
        word[2] = counter;
        word[3] = 1;  // dropout's counters end in 0
        philox(word, words[0], words[1]);
    }
};

// A mask of dropout (dropout.py): that of samples 16 word .. 16 word + 15 of a feature, one bit
// each, from two counters of eight samples.
__device__ inline uint32 draw_word(const uint32* words, int feature, int word, uint32 threshold) {
    uint32 kept = 0;
    for (int half = 0; half < 2; half++) {
        uint32 c[4] = {words[2], (uint32)feature, (uint32)(2 * word + half), 0};
        philox(c, words[0], words[1]);
        for (int i = 0; i < 4; i++) {
            kept |= (uint32)((c[i] & 0xFFFF) >= threshold) << (8 * half + 2 * i);
            kept |= (uint32)((c[i] >> 16) >= threshold) << (8 * half + 2 * i + 1);
        }
    }
    return kept;
}
