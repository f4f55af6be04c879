// Samples picked from a data set and turned round: out (F, N) in batch-last memory, out[f, n] =
// data[index[n], f] of data (M, F). An index below 0 counts from the end; one that is no sample gives NaN,
// for nobody waits for the GPU to raise an error.
//
// A block turns a square of 32 features and 32 samples in shared memory: a warp reads features of one sample,
// which are neighbours in the data set, and writes samples of one feature, which are neighbours in the batch.
// block (32, 8), grid (squares along F times squares along N)
template <class T, class D>
__global__ void gather(T* __restrict__ out, const D* __restrict__ data, const int64* __restrict__ index,
                       int m, int f, int n) {
    __shared__ T square[32][33];  // 33: neither rows nor columns lie in one bank
    const int across = (f + 31) / 32;  // squares along F
    const int first_feature = blockIdx.x % across * 32, first_sample = blockIdx.x / across * 32;
    for (int s = threadIdx.y; s < 32; s += 8) {
        const int sample = first_sample + s, feature = first_feature + threadIdx.x;
        if (sample >= n || feature >= f) continue;
        const int64 place = index[sample] < 0 ? index[sample] + m : index[sample];
        square[s][threadIdx.x] = place >= 0 && place < m ? (T)data[place * f + feature] : T(0) / T(0);
    }
    __syncthreads();
    for (int i = threadIdx.y; i < 32; i += 8) {
        const int feature = first_feature + i, sample = first_sample + threadIdx.x;
        if (feature < f && sample < n) out[(size_t)feature * n + sample] = square[threadIdx.x][i];
    }
}
