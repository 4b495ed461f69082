/* The implementation of skq_kernels.h, and the only file to compile. It includes all kernels
 * (skq_all.inc) once for each instruction set, each time with another compiler target and under other
 * names. The kernels of trees are included once more for each type of codes and nodes. */
#include "skq_kernels.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if (-1 >> 1) != -1
#error "skq needs arithmetic right shifts"
#endif

/* Functions between SKQ_BEGIN(features) and SKQ_END are compiled for these CPU features. */
#if defined(__GNUC__) && defined(__x86_64__) && !defined(SKQ_ONE_ISA)
#define SKQ_MANY_ISAS 1
#include <immintrin.h>
#define SKQ_PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#define SKQ_BEGIN(features) \
    SKQ_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define SKQ_END _Pragma("clang attribute pop")
#define SKQ_UNROLL _Pragma("unroll")
#define SKQ_UNROLL_16 _Pragma("unroll")
#define SKQ_WIDTH(bits)
#else
#define SKQ_BEGIN(features) _Pragma("GCC push_options") SKQ_PRAGMA(GCC target(features))
#define SKQ_END _Pragma("GCC pop_options")
#define SKQ_UNROLL _Pragma("GCC unroll 8")
#define SKQ_UNROLL_16 _Pragma("GCC unroll 16")
#define SKQ_WIDTH(bits) ",prefer-vector-width=" #bits
#endif
/* Vectors of 32-bit sums. Where a loop carries sums as __m256i, which is a vector of 64-bit words, gcc
 * copies and spills registers. */
typedef int32_t skq_i32x8 __attribute__((vector_size(32)));
typedef int32_t skq_i32x16 __attribute__((vector_size(64)));
#define SKQ_FOR_AVX2 "avx2,bmi2,fma"
#define SKQ_FOR_AVX512 SKQ_FOR_AVX2 ",avx512f,avx512bw,avx512vl,avx512dq"
#else
#define SKQ_MANY_ISAS 0
#endif

/* Prefetch the cache lines of `bytes` bytes at `from` + `ahead` bytes. The address need not be valid. */
static inline void skq_fetch(const char *from, int64_t ahead, int64_t bytes)
{
#ifdef __GNUC__
    for (int64_t b = 0; b < bytes; b += 64)
        __builtin_prefetch((const void *)((uintptr_t)from + (uintptr_t)(ahead + b)));
#else
    (void)from, (void)ahead, (void)bytes;
#endif
}

#define SKQ_CHUNK 256 /* elements that a loop converts at a time, in buffers on the stack */
#define SKQ_FEW 4 /* with fewer rows, dividing is quicker than computing reciprocals first */
#define SKQ_AHEAD 6400 /* bytes by which rows are prefetched */
/* SKQ_PERIOD rounded up to whole runs of n channels */
#define SKQ_WHOLE_PERIOD(n) ((SKQ_PERIOD + (n) - 1) / (n) * (n))
#define SKQ_GROUP 64 /* rows that are binned at a time */

/* Columns of a skq_bins, unpacked for the loops; `lo` is subtracted from their codes. */
typedef struct {
    const double *edges;
    const int64_t *feature, *offsets, *base, *nan_code;
    int64_t lo;
} skq_columns;

static const size_t skq_item_bytes[] = {1, 1, 2, 2, 4, 8, 8, 4, 4, 8};

/* Word i of an array of leaf words of `item` bytes each. */
static inline uint64_t skq_word(const void *words, int item, int64_t i)
{
    switch (item) {
    case 1: return ((const uint8_t *)words)[i];
    case 2: return ((const uint16_t *)words)[i];
    case 4: return ((const uint32_t *)words)[i];
    default: return ((const uint64_t *)words)[i];
    }
}

/* Tree t of a forest, in any layout of the trees. */
static inline skq_tree skq_tree_of(const skq_forest *f, int64_t t)
{
    if (f->tree_layout == SKQ_TREES)
        return ((const skq_tree *)f->trees)[t];
    const int alike = f->tree_layout == SKQ_ALIKE_TREES;
    const skq_small_tree s = ((const skq_small_tree *)f->trees)[alike ? 0 : t];
    skq_tree tree = {s.n_nodes, s.leaf_bytes, s.n_top, s.word, s.n_words, s.item, s.shift};
    if (alike) {
        const uint16_t sizes = ((const uint16_t *)((const skq_small_tree *)f->trees + 1))[t];
        tree.n_nodes = sizes % 256;
        tree.leaf_bytes = sizes / 256 * tree.item;
    }
    return tree;
}

/* Bits to shift the words of a tree, and how often the width of their lanes was halved. */
static int skq_shift(const skq_tree *tree) { return tree->shift & 63; }
static int skq_halvings(const skq_tree *tree) { return tree->shift >> 6; }

/* Widen the lanes of a word from half of `lane_bits` to `lane_bits`, which is at most 32. */
static inline uint64_t skq_spread(uint64_t word, int lane_bits)
{
    word = (word | word << 16) & 0x0000ffff0000ffffu;
    if (lane_bits <= 16)
        word = (word | word << 8) & 0x00ff00ff00ff00ffu;
    if (lane_bits <= 8)
        word = (word | word << 4) & 0x0f0f0f0f0f0f0f0fu;
    if (lane_bits <= 4)
        word = (word | word << 2) & 0x3333333333333333u;
    if (lane_bits <= 2)
        word = (word | word << 1) & 0x5555555555555555u;
    return word;
}

/* Bits of an element of a packed array. */
static int skq_bits(int32_t dtype) { return dtype < 0 ? -dtype : dtype - SKQ_PACKED; }
static int skq_is_packed(int32_t dtype) { return dtype < 0 || dtype > SKQ_PACKED; }

static size_t skq_align(size_t bytes) { return (bytes + 63u) & ~(size_t)63u; }

/* Offset, in bytes, of a slot of a block of rows. At least 64 bytes are left free after each slot: vector
 * loads may read past its last row, and ignore what they read there. */
static size_t skq_slot_offset(int64_t before, int32_t slot, int64_t block)
{
    return skq_align((size_t)(before * block)) + (size_t)slot * 128;
}

size_t skq_arena_bytes(const skq_program *program, int64_t block, int64_t n_rows)
{
    size_t bytes = 64 * ((size_t)program->scratch + 1 + (size_t)program->laid_out);
    if (n_rows * (1 + program->more_products) >= SKQ_FEW_PRODUCTS)
        bytes += 64 * (size_t)program->arranged;
    bytes += skq_slot_offset(program->row, program->n_slots, block);
    return bytes + 5 * skq_align((size_t)program->n_values * sizeof(void *));
}

#include "skq_descriptors.inc"

#define SKQ_ISA SKQ_PORTABLE
#define SKQ_(name) name##_portable
#include "skq_all.inc"
#undef SKQ_ISA
#undef SKQ_

#if SKQ_MANY_ISAS
SKQ_BEGIN(SKQ_FOR_AVX2 SKQ_WIDTH(256))
#define SKQ_ISA SKQ_AVX2
#define SKQ_(name) name##_avx2
#include "skq_all.inc"
#undef SKQ_ISA
#undef SKQ_
SKQ_END

SKQ_BEGIN(SKQ_FOR_AVX512 SKQ_WIDTH(512))
#define SKQ_ISA SKQ_AVX512
#define SKQ_(name) name##_avx512
#include "skq_all.inc"
#undef SKQ_ISA
#undef SKQ_
SKQ_END

SKQ_BEGIN(SKQ_FOR_AVX512 ",avx512vnni" SKQ_WIDTH(512))
#define SKQ_ISA SKQ_AVX512_VNNI
#define SKQ_(name) name##_vnni
#include "skq_all.inc"
#undef SKQ_ISA
#undef SKQ_
SKQ_END
#endif

int skq_best_isa(void)
{
#if SKQ_MANY_ISAS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("fma"))
        return __builtin_cpu_supports("avx512vnni") ? SKQ_AVX512_VNNI : SKQ_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("fma"))
        return SKQ_AVX2;
#endif
    return SKQ_PORTABLE;
}

int skq_run(const skq_program *program, const skq_input *inputs, void *const *outputs,
            int64_t first, int64_t n_rows, int64_t block, void *arena, int refuse, int isa)
{
    switch (isa) {
#if SKQ_MANY_ISAS
    case SKQ_AVX512_VNNI:
        return run_vnni(program, inputs, outputs, first, n_rows, block, arena, refuse);
    case SKQ_AVX512:
        return run_avx512(program, inputs, outputs, first, n_rows, block, arena, refuse);
    case SKQ_AVX2:
        return run_avx2(program, inputs, outputs, first, n_rows, block, arena, refuse);
#endif
    default:
        return run_portable(program, inputs, outputs, first, n_rows, block, arena, refuse);
    }
}
