// total[i] = parts[0, i] + parts[1, i] + ..., in the order of the parts and in their format. block (threads),
// grid (elements)
template <class T, class S>
__global__ void add_parts(T* __restrict__ total, const S* __restrict__ parts, int count, int size) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    S sum = parts[i];
    for (int part = 1; part < count; part++) sum += parts[(size_t)part * size + i];
    total[i] = (T)sum;
}
