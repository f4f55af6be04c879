// Images made of weighted pixels (resize.py): y (rows, columns, M) of x (in_rows, in_columns, M), where M
// counts channels and images, which are neighbours in memory. A table for each axis has `taps` positions and
// weights for every output.

struct Sizes {
    int columns, in_columns, m, row_taps, column_taps;
};

// block (threads), grid (pixels of y, parts of M)
template <class T>
__global__ void weighted_rows(T* __restrict__ y, const T* __restrict__ x, const int64* __restrict__ row,
                              const T* __restrict__ row_weight, const int64* __restrict__ column,
                              const T* __restrict__ column_weight, Sizes s) {
    const int m = blockIdx.y * blockDim.x + threadIdx.x;
    if (m >= s.m) return;
    const int first_row = blockIdx.x / s.columns * s.row_taps;
    const int first_column = blockIdx.x % s.columns * s.column_taps;
    T sum = T(0);
    bool begun = false;  // a single pixel is copied as it is: 0 + (-0) would be 0
    for (int a = first_row; a < first_row + s.row_taps; a++)
        for (int b = first_column; b < first_column + s.column_taps; b++) {
            const T weight = row_weight[a] * column_weight[b];
            if (weight == T(0)) continue;  // a tap that is none, whose pixel may hold anything
            const T term = weight * x[(row[a] * s.in_columns + column[b]) * s.m + m];
            sum = begun ? sum + term : term;
            begun = true;
        }
    y[(size_t)blockIdx.x * s.m + m] = sum;
}
