// The runtime of cuda_shim.h: plays a grid of threads on one thread of the CPU, and watches what they touch.
//
// A thread of the grid is a fiber: a stack and a place in the code. It runs until it waits at a barrier or
// returns; then the next one runs, in the order that the launch asks for. When all threads of a block (or of
// a warp) wait at the same line, they are set free. When nobody can run and not all have returned, some wait
// for what never comes.
//
// Kernels are compiled with -fsanitize=thread, with which g++ puts a call of __tsan_read4(address),
// __tsan_write8 and so on in front of each access to memory. Those functions are defined here, in place of
// ThreadSanitizer's own, and keep for every element the last write and the last read: which thread, after how
// many barriers. From these follow
//
//   out of bounds      an address in none of the launch's arrays, nor in the block's shared ones
//   uninitialised      a read of shared memory that the block has not written
//   race               two threads, one of them writing, and no barrier between the two; or two blocks
//
// whatever order the threads happened to run in.
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <algorithm>
#include <numeric>
#include <vector>
#include "cuda_shim.h"

ShimThread shim_now;

namespace {

const size_t STACK = 256 << 10;       // bytes of a fiber's stack; pages that are not touched cost nothing
const int MOST_THREADS = 1024;        // of a block
const size_t MOST_SHARED = 48 << 10;  // bytes a block may declare
const size_t FENCE = 256;  // bytes between two shared arrays, so that one's end is not the other's beginning
const int NEVER = -1, SEVERAL = -2;

struct Touch {  // the last access of one kind
    int block = NEVER;
    int thread = NEVER;      // SEVERAL: reads that no barrier orders
    int warp = NEVER;        // the same
    int block_barriers = 0;  // that the block had passed
    int warp_barriers = 0;   // that the warp had passed
};

struct Element {
    Touch write, read;
};

struct Array {
    char* first;
    size_t bytes, itemsize;
    std::vector<Element> elements;
    bool contains(const char* p) const { return p >= first && p < first + bytes; }
};

struct Fiber {
    ucontext_t start;
    jmp_buf place;
    bool entered = false;
};

struct Thread {
    dim3 index;
    int waits = FOR_NOBODY, line = 0, warp_barriers = 0;
    Fiber* fiber = nullptr;
    char left[2][8];  // for the warp: at odd and even barriers, so that the next value does not overwrite one
                      // not yet read
};

std::vector<Thread> threads;
std::vector<Fiber> fibers;
std::vector<Fiber*> free_fibers;
char* stacks = nullptr;
Thread* running = nullptr;
jmp_buf scheduler;

std::vector<Array> given, shared;              // of the launch; of the block
std::vector<const void*> shared_declarations;  // of `shared`, in the same order
alignas(256) char shared_memory[2 * MOST_SHARED];
size_t shared_used, shared_declared;

void (*entry)(void**);
void** arguments;
int block_number, block_barriers;
bool watching, failed;
char message[1024];

[[noreturn]] void fail(const char* format, ...) {
    const dim3 t = shim_now.thread, b = shim_now.block;
    int length = snprintf(message, sizeof message, "block (%u, %u, %u), thread (%u, %u, %u) ", b.x, b.y, b.z,
                          t.x, t.y, t.z);
    va_list rest;
    va_start(rest, format);
    vsnprintf(message + length, sizeof message - length, format, rest);
    va_end(rest);
    failed = true;
    _longjmp(scheduler, 1);
}

// ---- fibers

void give_way() {
    if (!_setjmp(running->fiber->place)) _longjmp(scheduler, 1);
}

void life_of_a_fiber() {  // it plays one thread after the other
    for (;;) {
        entry(arguments);
        running->waits = FOR_EVER;
        give_way();
    }
}

void run(Thread& thread) {
    running = &thread;
    shim_now.thread = thread.index;
    if (!thread.fiber) {
        thread.fiber = free_fibers.back();
        free_fibers.pop_back();
    }
    if (!_setjmp(scheduler)) {
        if (thread.fiber->entered) _longjmp(thread.fiber->place, 1);
        thread.fiber->entered = true;
        setcontext(&thread.fiber->start);  // the first time only: it saves the signal mask by a system call
    }
    if (thread.waits == FOR_EVER) free_fibers.push_back(thread.fiber);
}

void make_fibers() {
    if (!stacks) {
        const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        stacks =
            static_cast<char*>(mmap(nullptr, MOST_THREADS * STACK, PROT_READ | PROT_WRITE, flags, -1, 0));
        fibers.resize(MOST_THREADS);
    }
    free_fibers.clear();
    for (int i = 0; i < MOST_THREADS; i++) {
        Fiber& fiber = fibers[i];
        getcontext(&fiber.start);
        fiber.start.uc_stack.ss_sp = stacks + i * STACK;
        fiber.start.uc_stack.ss_size = STACK;
        fiber.entered = false;
        makecontext(&fiber.start, life_of_a_fiber, 0);
        free_fibers.push_back(&fiber);
    }
}

// ---- a block

bool set_free(int first, int end, int whom) {  // threads that all wait at one line
    for (int t = first; t < end; t++)
        if (threads[t].waits != whom || threads[t].line != threads[first].line) return false;
    for (int t = first; t < end; t++) {
        threads[t].waits = FOR_NOBODY;
        threads[t].warp_barriers++;
    }
    return true;
}

void describe_who_waits() {
    const char* what[] = {"", "waits at __syncthreads", "waits for its warp", "has returned"};
    for (size_t w = 0; w < threads.size(); w += 32)  // within a warp first: there the difference says more
        for (size_t t = w; t < std::min(w + 32, threads.size()); t++) {
            const Thread &a = threads[w], &b = threads[t];
            if (a.waits == b.waits && a.line == b.line) continue;
            snprintf(message, sizeof message,
                     "block (%u, %u, %u): a barrier that not all threads reach: thread %zu %s (line %d), "
                     "thread %zu %s (line %d)",
                     shim_now.block.x, shim_now.block.y, shim_now.block.z, w, what[a.waits], a.line, t,
                     what[b.waits], b.line);
            failed = true;
            return;
        }
    for (size_t w = 32; w < threads.size(); w += 32) {
        const Thread &a = threads[0], &b = threads[w];
        if (a.waits == b.waits && a.line == b.line) continue;
        snprintf(message, sizeof message,
                 "block (%u, %u, %u): a barrier that not all warps reach: thread 0 %s (line %d), thread %zu "
                 "%s (line %d)",
                 shim_now.block.x, shim_now.block.y, shim_now.block.z, what[a.waits], a.line, w,
                 what[b.waits], b.line);
        failed = true;
        return;
    }
}

void run_block(const std::vector<int>& order) {
    const int size = int(threads.size());
    memset(shared_memory, 0xff, sizeof shared_memory);  // NaN, -1
    shared.clear();
    shared_declarations.clear();
    shared_used = shared_declared = 0;
    block_barriers = 0;
    for (Thread& thread : threads) {
        thread.waits = FOR_NOBODY;
        thread.fiber = nullptr;
        thread.line = thread.warp_barriers = 0;
    }
    for (;;) {
        for (int t : order)
            if (threads[t].waits == FOR_NOBODY) {
                run(threads[t]);
                if (failed) return;
            }
        bool moved = set_free(0, size, FOR_BLOCK);
        block_barriers += moved;
        for (int first = 0; first < size; first += 32)
            moved |= set_free(first, std::min(first + 32, size), FOR_WARP);
        if (!moved) break;
    }
    for (const Thread& thread : threads)
        if (thread.waits != FOR_EVER) return describe_who_waits();
}

// ---- accesses

bool ordered(const Touch& before,
             const Touch& now) {  // whether `before` comes first in every order of the threads
    if (before.block == NEVER) return true;
    if (before.block != now.block) return false;
    if (before.thread == now.thread || before.block_barriers != now.block_barriers) return true;
    return before.warp == now.warp && before.warp_barriers != now.warp_barriers;
}

Touch together(const Touch& before, Touch now) {  // two reads that no barrier orders, as one
    if (before.block != now.block) now.block = SEVERAL;
    if (before.warp != now.warp) now.warp = SEVERAL;
    now.thread = SEVERAL;
    return now;
}

size_t offset_in_library(void* code) {
    Dl_info info{};
    dladdr(code, &info);
    return static_cast<char*>(code) - static_cast<char*>(info.dli_fbase);
}

[[noreturn]] void complain(const char* what, const Array& array, size_t element, const Touch& before,
                           void* code) {
    const bool is_shared = !shared.empty() && &array >= shared.data() &&
                           &array < shared.data() + shared.size();
    const size_t number = &array - (is_shared ? shared.data() : given.data());
    char other[64] = "";
    if (before.thread >= 0)
        snprintf(other, sizeof other, " of thread %d, block %d,", before.thread, before.block);
    if (before.thread == SEVERAL) snprintf(other, sizeof other, " of several threads");
    fail("%s%s at element %zu of %s %zu [code %zx]", what, other, element,
         is_shared ? "shared array" : "array", number, offset_in_library(code));
}

Array* array_of(const char* p) {
    static Array* last = nullptr;
    const bool in_shared = p >= shared_memory && p < shared_memory + sizeof shared_memory;
    std::vector<Array>& arrays = in_shared ? shared : given;
    const bool valid = !arrays.empty() && last >= arrays.data() && last < arrays.data() + arrays.size();
    if (valid && last->contains(p)) return last;
    for (Array& array : arrays)
        if (array.contains(p)) return last = &array;
    return nullptr;
}

void touch(void* place, int size, bool writes, void* code) {
    if (!watching) return;
    char* p = static_cast<char*>(place);
    if (p >= stacks && p < stacks + MOST_THREADS * STACK) return;  // a thread's own variables
    if (p >= reinterpret_cast<char*>(&shim_now) && p < reinterpret_cast<char*>(&shim_now + 1)) return;
    Array* array = array_of(p);
    if (!array || p + size > array->first + array->bytes) {
        Dl_info info{};
        const bool in_shared = p >= shared_memory && p < shared_memory + sizeof shared_memory;
        if (!array && !in_shared && dladdr(p, &info) && info.dli_fbase)
            return;  // a constant of the compiled source
        fail("%s out of bounds: outside of every array [code %zx]", writes ? "writes" : "reads",
             offset_in_library(code));
    }
    const int own = int(running - threads.data());
    const Touch now{block_number, own, own / 32, block_barriers, running->warp_barriers};
    const bool is_shared = p >= shared_memory && p < shared_memory + sizeof shared_memory;
    const size_t first = (p - array->first) / array->itemsize,
                 end = (p + size - 1 - array->first) / array->itemsize + 1;
    for (size_t i = first; i < end; i++) {
        Element& element = array->elements[i];
        if (is_shared && !writes && element.write.block == NEVER)
            complain("reads uninitialised shared memory", *array, i, element.write, code);
        if (!ordered(element.write, now))
            complain(writes ? "its write races with a write" : "its read races with a write", *array, i,
                     element.write, code);
        if (writes && !ordered(element.read, now))
            complain("its write races with a read", *array, i, element.read, code);
        if (writes)
            element.write = now;
        else
            element.read = ordered(element.read, now) ? now : together(element.read, now);
    }
}

std::vector<int> in_order(int count, int order) {
    std::vector<int> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0);
    if (order == 1) std::reverse(numbers.begin(), numbers.end());
    unsigned random = order;
    for (int i = count - 1; order > 1 && i > 0; i--) {
        random = random * 1664525u + 1013904223u;
        std::swap(numbers[i], numbers[(random >> 8) % (i + 1)]);
    }
    return numbers;
}

}  // namespace

// ---- what kernels call

extern "C" void shim_wait(int for_whom, int line) {
    running->waits = for_whom;
    running->line = line;
    give_way();
}

extern "C" void* shim_shared(const void* declaration, size_t bytes, size_t itemsize) {
    for (size_t i = 0; i < shared.size(); i++)
        if (shared_declarations[i] == declaration) return shared[i].first;
    shared_declared += bytes;
    if (shared_declared > MOST_SHARED)
        fail("declares %zu bytes of shared memory; a block has %zu", shared_declared, MOST_SHARED);
    char* first = shared_memory + shared_used;
    shared_used += (bytes + 2 * FENCE - 1) / FENCE * FENCE;
    shared.push_back({first, bytes, itemsize, std::vector<Element>(bytes / itemsize)});
    shared_declarations.push_back(declaration);
    return first;
}

extern "C" void shim_leave(const void* value, size_t bytes, int line) {
    memcpy(running->left[running->warp_barriers & 1], value, bytes);
    shim_wait(FOR_WARP, line);
}

extern "C" void shim_pick_up(void* value, size_t bytes, unsigned lane, unsigned mask, int line) {
    const int own = int(running - threads.data()), from = own / 32 * 32 + int(lane);
    if (from >= int(threads.size()) || !(mask >> lane & 1) || !(mask >> own % 32 & 1))
        fail("shuffles with lane %u, which takes no part (line %d)", lane, line);
    memcpy(value, threads[from].left[(running->warp_barriers - 1) & 1], bytes);
}

#define ACCESS(name, size, writes) \
    extern "C" void __tsan_##name(void* place) { touch(place, size, writes, __builtin_return_address(0)); }
ACCESS(read1, 1, false)
ACCESS(write1, 1, true) ACCESS(read2, 2, false) ACCESS(write2, 2, true) ACCESS(read4, 4, false)
    ACCESS(write4, 4, true) ACCESS(read8, 8, false) ACCESS(write8, 8, true) ACCESS(read16, 16, false)
        ACCESS(write16, 16, true) ACCESS(unaligned_read2, 2, false) ACCESS(unaligned_write2, 2, true)
            ACCESS(unaligned_read4, 4, false) ACCESS(unaligned_write4, 4, true)
                ACCESS(unaligned_read8, 8, false) ACCESS(unaligned_write8, 8, true) ACCESS(unaligned_read16,
                                                                                           16, false)
                    ACCESS(unaligned_write16, 16, true) extern "C" void __tsan_read_range(void* p, size_t n) {
    touch(p, int(n), false, __builtin_return_address(0));
}
extern "C" void __tsan_write_range(void* p, size_t n) { touch(p, int(n), true, __builtin_return_address(0)); }
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}

// ---- what Python calls

struct ShimArray {
    char* first;
    size_t bytes, itemsize;
};

// Runs a launch and returns what is wrong with it, or "". order: 0 blocks and threads by their numbers, 1
// backwards, others shuffled. With `watch`, every access is looked at.
extern "C" const char* shim_launch(void (*kernel)(void**), void** places, const unsigned* grid,
                                   const unsigned* block, int order, const ShimArray* arrays, int count,
                                   bool watch) {
    const unsigned long size = 1ul * block[0] * block[1] * block[2],
                        blocks = 1ul * grid[0] * grid[1] * grid[2];
    if (size < 1 || size > MOST_THREADS || block[2] > 64)
        return "a block has 1 to 1024 threads, at most 64 of them along z";
    if (blocks < 1 || grid[0] > 0x7fffffff || grid[1] > 65535 || grid[2] > 65535)
        return "a grid has 1 to 2147483647 blocks along x, 1 to 65535 along y and z";
    if (failed || free_fibers.size() != MOST_THREADS)
        make_fibers();  // some were left in the middle of a thread
    failed = false;
    message[0] = 0;
    entry = kernel;
    arguments = places;
    watching = watch;
    given.clear();
    for (int i = 0; i < count; i++) {
        std::vector<Element> elements(watch ? arrays[i].bytes / arrays[i].itemsize : 0);
        given.push_back({arrays[i].first, arrays[i].bytes, arrays[i].itemsize, std::move(elements)});
    }
    threads.assign(size, Thread());
    for (unsigned t = 0; t < size; t++)
        threads[t].index = {t % block[0], t / block[0] % block[1], t / block[0] / block[1]};
    shim_now.block_dim = {block[0], block[1], block[2]};
    shim_now.grid_dim = {grid[0], grid[1], grid[2]};
    const std::vector<int> of_threads = in_order(int(size), order);
    for (int b : in_order(int(blocks), order)) {
        shim_now.block = {b % grid[0], b / grid[0] % grid[1], b / grid[0] / grid[1]};
        block_number = b;
        run_block(of_threads);
        if (failed) break;
    }
    watching = false;
    return message;
}
