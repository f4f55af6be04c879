// Numbers that travel in the arguments of the launch: up to WORDS times 32 bits, to the memory at `to`.
// block (threads), grid (1)

struct Words {
    int word[512];
};

__global__ void put(int* to, Words words, int count) {
    if (threadIdx.x < count) to[threadIdx.x] = words.word[threadIdx.x];
}
