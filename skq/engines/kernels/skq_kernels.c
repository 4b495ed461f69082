/* See skq_kernels.h. This file includes itself: its second part, the kernels, is compiled once for
 * each instruction set, under another target and other names; its last part, trees over columns of
 * codes, once for each width of the codes. */
#if !defined(SKQ_BODY)

#include "skq_kernels.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if (-1 >> 1) != -1
#error "skq needs arithmetic right shifts"
#endif

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(SKQ_ONE_ISA)
#define SKQ_MANY_ISAS 1
#include <immintrin.h>
#else
#define SKQ_MANY_ISAS 0
#endif

#define SKQ_CHUNK 256
#define SKQ_GROUP 64 /* rows that are binned together */

static const size_t skq_item_bytes[] = {1, 1, 2, 2, 4, 8, 8, 4, 4, 8};

static size_t skq_align(size_t bytes) { return (bytes + 63u) & ~(size_t)63u; }

size_t skq_arena_bytes(const skq_program *program, int64_t block)
{
    /* 64 bytes of slack behind each block: vectors may read, not use, what follows its last row */
    size_t bytes = skq_align((size_t)program->scratch) + 64;
    for (int32_t s = 0; s < program->n_slots; s++)
        bytes += skq_align((size_t)(program->slot_bytes[s] * block)) + 64;
    return bytes + 5 * skq_align((size_t)program->n_values * sizeof(void *));
}

#define SKQ_BODY
#define SKQ_ISA SKQ_PORTABLE
#define SKQ_(name) name##_portable
#include "skq_kernels.c"
#undef SKQ_ISA
#undef SKQ_

#if SKQ_MANY_ISAS
#pragma GCC push_options
#pragma GCC target("avx2,bmi2,prefer-vector-width=256")
#define SKQ_ISA SKQ_AVX2
#define SKQ_(name) name##_avx2
#include "skq_kernels.c"
#undef SKQ_ISA
#undef SKQ_
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2,bmi2,avx512f,avx512bw,avx512vl,avx512dq,prefer-vector-width=512")
#define SKQ_ISA SKQ_AVX512
#define SKQ_(name) name##_avx512
#include "skq_kernels.c"
#undef SKQ_ISA
#undef SKQ_
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2,bmi2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,prefer-vector-width=512")
#define SKQ_ISA SKQ_AVX512_VNNI
#define SKQ_(name) name##_vnni
#include "skq_kernels.c"
#undef SKQ_ISA
#undef SKQ_
#pragma GCC pop_options
#endif

int skq_best_isa(void)
{
#if SKQ_MANY_ISAS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        return __builtin_cpu_supports("avx512vnni") ? SKQ_AVX512_VNNI : SKQ_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
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

#elif !defined(SKQ_CODE) /* ==== the kernels, for one instruction set ==== */

/* ---- elements of any dtype as int64 ------------------------------------------------------- */

#define SKQ_LOAD(type) \
    for (int64_t i = 0; i < n; i++) \
        out[i] = (int64_t)((const type *)from)[start + i]; \
    break

static void SKQ_(load)(int64_t *restrict out, const void *from, int32_t dtype, int64_t start,
                       int64_t n)
{
    switch (dtype) {
    case SKQ_U8: SKQ_LOAD(uint8_t);
    case SKQ_I8: SKQ_LOAD(int8_t);
    case SKQ_U16: SKQ_LOAD(uint16_t);
    case SKQ_I16: SKQ_LOAD(int16_t);
    case SKQ_I32: SKQ_LOAD(int32_t);
    default: SKQ_LOAD(int64_t);
    }
}

#define SKQ_STORE(type) \
    for (int64_t i = 0; i < n; i++) \
        ((type *)to)[start + i] = (type)in[i]; \
    break

static void SKQ_(store)(void *restrict to, int32_t dtype, int64_t start, const int64_t *in,
                        int64_t n)
{
    switch (dtype) {
    case SKQ_U8: SKQ_STORE(uint8_t);
    case SKQ_I8: SKQ_STORE(int8_t);
    case SKQ_U16: SKQ_STORE(uint16_t);
    case SKQ_I16: SKQ_STORE(int16_t);
    case SKQ_I32: SKQ_STORE(int32_t);
    default: SKQ_STORE(int64_t);
    }
}

#define SKQ_PICK(type) \
    for (int64_t i = 0; i < n; i++) \
        out[i] = index[i] < 0 ? fill : (int64_t)((const type *)from)[start + index[i]]; \
    break

static void SKQ_(pick)(int64_t *restrict out, const void *from, int32_t dtype, int64_t start,
                       const int32_t *index, int64_t fill, int64_t n)
{
    switch (dtype) {
    case SKQ_U8: SKQ_PICK(uint8_t);
    case SKQ_I8: SKQ_PICK(int8_t);
    case SKQ_U16: SKQ_PICK(uint16_t);
    case SKQ_I16: SKQ_PICK(int16_t);
    case SKQ_I32: SKQ_PICK(int32_t);
    default: SKQ_PICK(int64_t);
    }
}

static int64_t SKQ_(least)(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- arrays from outside ------------------------------------------------------------------ */

#define SKQ_READ(type) \
    for (int64_t i = 0; i < n; i++) { \
        type v; \
        memcpy(&v, from + i * stride, sizeof v); \
        out[i] = (double)v; \
    } \
    break

static void SKQ_(read_real)(double *out, const char *from, int64_t stride, int32_t dtype,
                            int64_t n)
{
    switch (dtype) {
    case SKQ_U8: SKQ_READ(uint8_t);
    case SKQ_I8: SKQ_READ(int8_t);
    case SKQ_U16: SKQ_READ(uint16_t);
    case SKQ_I16: SKQ_READ(int16_t);
    case SKQ_U32: SKQ_READ(uint32_t);
    case SKQ_I32: SKQ_READ(int32_t);
    case SKQ_U64: SKQ_READ(uint64_t);
    case SKQ_I64: SKQ_READ(int64_t);
    case SKQ_F32: SKQ_READ(float);
    default: SKQ_READ(double);
    }
}

#define SKQ_READ_INT(type) \
    for (int64_t i = 0; i < n; i++) { \
        type v; \
        memcpy(&v, from + i * stride, sizeof v); \
        out[i] = (int64_t)v; \
    } \
    break

static void SKQ_(read_integer)(int64_t *out, const char *from, int64_t stride, int32_t dtype,
                               int64_t n)
{
    switch (dtype) {
    case SKQ_U8: SKQ_READ_INT(uint8_t);
    case SKQ_I8: SKQ_READ_INT(int8_t);
    case SKQ_U16: SKQ_READ_INT(uint16_t);
    case SKQ_I16: SKQ_READ_INT(int16_t);
    case SKQ_U32: SKQ_READ_INT(uint32_t);
    case SKQ_I32: SKQ_READ_INT(int32_t);
    default: SKQ_READ_INT(int64_t);
    }
}

/* Rows of a real input as doubles or floats, one row behind the other with a step of `stride`
 * bytes. */
typedef struct {
    const char *data;
    int64_t stride;
    int is_float;
} SKQ_(real_rows);

/* Whether `n` successive elements hold what is refused. */
static int SKQ_(refused)(const char *row, int is_float, int64_t n, int refuse)
{
    int found = 0;
    if (is_float) {
        const float *x = (const float *)(const void *)row;
        if (refuse & SKQ_REFUSE_NAN)
            for (int64_t i = 0; i < n; i++)
                found |= !(fabsf(x[i]) <= FLT_MAX);
        else
            for (int64_t i = 0; i < n; i++)
                found |= fabsf(x[i]) > FLT_MAX;
    } else {
        const double *x = (const double *)(const void *)row;
        if (refuse & SKQ_REFUSE_NAN)
            for (int64_t i = 0; i < n; i++)
                found |= !(fabs(x[i]) <= DBL_MAX);
        else
            for (int64_t i = 0; i < n; i++)
                found |= fabs(x[i]) > DBL_MAX;
    }
    return found;
}

/* ---- quantize ----------------------------------------------------------------------------- */

#define SKQ_MAGIC 6755399441055744.0 /* 1.5 * 2**52: adding it rounds to an integer */
/* x * (1 / scale) is within 2**-30 of x / scale here; closer than that to a tie, divide. */
#define SKQ_NEAR_TIE (0.5 - 1.0 / 1073741824.0)

/* Codes saturate a quarter beyond the range: rounding then gives the end itself. */
#define SKQ_QUANTIZE_LOOP(type, quotient, look) \
    for (int64_t i = 0; i < n; i++) { \
        const double v = (double)((const type *)x)[i]; \
        double t = (quotient) + zero[i]; \
        t = t > low ? t : low; \
        t = t < high ? t : high; \
        const double code = (t + SKQ_MAGIC) - SKQ_MAGIC; \
        look; \
        out[i] = (int32_t)code; \
    }

static void SKQ_(divide)(int32_t *restrict out, const void *restrict x, int is_float,
                         const double *restrict scale, const double *restrict zero, double low,
                         double high, int64_t n)
{
    if (is_float)
        SKQ_QUANTIZE_LOOP(float, v / scale[i], (void)0)
    else
        SKQ_QUANTIZE_LOOP(double, v / scale[i], (void)0)
}

/* Also tells whether a code is near a tie, and whether an element is not finite. */
static void SKQ_(multiply)(int32_t *restrict out, const void *restrict x, int is_float,
                           const double *restrict inverse, const double *restrict zero, double low,
                           double high, int64_t n, int64_t *near_tie, int64_t *not_finite)
{
    int64_t near = 0, beyond = 0;
#define SKQ_LOOK near |= fabs(t - code) > SKQ_NEAR_TIE, beyond |= !(fabs(v) <= DBL_MAX)
    if (is_float)
        SKQ_QUANTIZE_LOOP(float, v * inverse[i], SKQ_LOOK)
    else
        SKQ_QUANTIZE_LOOP(double, v * inverse[i], SKQ_LOOK)
#undef SKQ_LOOK
    *near_tie = near;
    *not_finite = beyond;
}

#define SKQ_NARROW(type) \
    for (int64_t i = 0; i < n; i++) \
        ((type *)to)[start + i] = (type)in[i]; \
    break

static void SKQ_(narrow)(void *restrict to, int32_t dtype, int64_t start,
                         const int32_t *restrict in, int64_t n)
{
    switch (dtype) {
    case SKQ_U8: SKQ_NARROW(uint8_t);
    case SKQ_I8: SKQ_NARROW(int8_t);
    case SKQ_U16: SKQ_NARROW(uint16_t);
    case SKQ_I16: SKQ_NARROW(int16_t);
    case SKQ_I32: SKQ_NARROW(int32_t);
    default: SKQ_NARROW(int64_t);
    }
}

static int64_t SKQ_(quantize_wide)(double v, double scale, double zero, int64_t lo, int64_t hi)
{
    const double code = rint(v / scale + zero);
    if (code != code || code <= (double)lo)
        return lo;
    return code >= (double)hi ? hi : (int64_t)code;
}

/* Whether the elements hold what is refused. */
static int SKQ_(quantize_run)(const skq_step *s, void *to, int32_t dtype, int64_t start,
                              const char *x, int is_float, int64_t total, int refuse)
{
    const double *scale = s->a, *zero = s->b, *inverse = s->c;
    const size_t item = is_float ? sizeof(float) : sizeof(double);
    if (s->kind == SKQ_WIDE_CODES) {
        int64_t *out = (int64_t *)to + start;
        for (int64_t i = 0; i < total; i++) {
            const double v = is_float ? (double)((const float *)(const void *)x)[i]
                                      : ((const double *)(const void *)x)[i];
            const int64_t j = i % s->n;
            out[i] = SKQ_(quantize_wide)(v, scale[j], zero[j], s->lo, s->hi);
        }
        return refuse ? SKQ_(refused)(x, is_float, total, refuse) : 0;
    }
    int found = 0;
    const double low = (double)s->lo - 0.25, high = (double)s->hi + 0.25;
    int32_t codes[SKQ_CHUNK];
    for (int64_t base = 0; base < total; base += s->n) {
        const int64_t period = SKQ_(least)(s->n, total - base);
        for (int64_t p = 0; p < period; p += SKQ_CHUNK) {
            const int64_t n = SKQ_(least)(SKQ_CHUNK, period - p);
            const char *from = x + (size_t)(base + p) * item;
            int64_t near_tie = 1, not_finite = 1;
            if (s->kind == SKQ_RECIPROCAL)
                SKQ_(multiply)(codes, from, is_float, inverse + p, zero + p, low, high, n,
                               &near_tie, &not_finite);
            if (near_tie)
                SKQ_(divide)(codes, from, is_float, scale + p, zero + p, low, high, n);
            if (refuse && not_finite)
                found |= SKQ_(refused)(from, is_float, n, refuse);
            SKQ_(narrow)(to, dtype, start + base + p, codes, n);
        }
    }
    return found;
}

static int SKQ_(quantize)(const skq_step *s, void *to, int32_t dtype, SKQ_(real_rows) x,
                          int64_t rows, int refuse)
{
    const int64_t item = x.is_float ? (int64_t)sizeof(float) : (int64_t)sizeof(double);
    if (x.stride == s->m * item)
        return SKQ_(quantize_run)(s, to, dtype, 0, x.data, x.is_float, rows * s->m, refuse);
    int found = 0;
    for (int64_t r = 0; r < rows; r++)
        found |= SKQ_(quantize_run)(s, to, dtype, r * s->m, x.data + r * x.stride, x.is_float,
                                    s->m, refuse);
    return found;
}

/* ---- bins --------------------------------------------------------------------------------- */

/* Eight features of SKQ_GROUP rows as columns of doubles; absent rows are 0. */
static void SKQ_(transpose)(double (*restrict to)[SKQ_GROUP], SKQ_(real_rows) x,
                            const int32_t *feature, int64_t columns, int64_t rows)
{
    for (int64_t c = 0; c < columns; c++)
        for (int64_t r = rows; r < SKQ_GROUP; r++)
            to[c][r] = 0.0;
    int64_t successive = columns == 8;
    for (int64_t c = 1; c < columns; c++)
        successive &= feature[c] == feature[0] + c;
    if (x.is_float) {
        for (int64_t r = 0; r < rows; r++) {
            const float *row = (const float *)(const void *)(x.data + r * x.stride);
            for (int64_t c = 0; c < columns; c++)
                to[c][r] = (double)row[feature[c]];
        }
    } else if (successive) {
        for (int64_t r = 0; r < rows; r++) {
            const double *row = (const double *)(const void *)(x.data + r * x.stride) + feature[0];
            for (int64_t c = 0; c < 8; c++)
                to[c][r] = row[c];
        }
    } else {
        for (int64_t r = 0; r < rows; r++) {
            const double *row = (const double *)(const void *)(x.data + r * x.stride);
            for (int64_t c = 0; c < columns; c++)
                to[c][r] = row[feature[c]];
        }
    }
}

/* Up to here a vector of values is faster compared with every edge than searched for. */
#define SKQ_LINEAR_EDGES (SKQ_ISA >= SKQ_AVX2 ? 64 : 12)

/* Number of edges below each of SKQ_GROUP values; all rows take the same steps. */
static void SKQ_(count_edges)(int64_t *restrict below, const double *restrict x,
                              const double *restrict edges, int64_t n_edges)
{
    for (int64_t r = 0; r < SKQ_GROUP; r++)
        below[r] = 0;
    if (n_edges <= SKQ_LINEAR_EDGES) {
        for (int64_t e = 0; e < n_edges; e++) {
            const double edge = edges[e];
            for (int64_t r = 0; r < SKQ_GROUP; r++)
                below[r] += edge < x[r] ? 1 : 0;
        }
        return;
    }
    int64_t length = n_edges;
    while (length > 1) {
        const int64_t half = length / 2;
        const double *middle = edges + (half - 1);
        for (int64_t r = 0; r < SKQ_GROUP; r++)
            below[r] += middle[below[r]] < x[r] ? half : 0;
        length -= half;
    }
    for (int64_t r = 0; r < SKQ_GROUP; r++)
        below[r] += edges[below[r]] < x[r] ? 1 : 0;
}

/* Codes of one column of a group. */
static void SKQ_(bin_column)(int64_t *restrict codes, const double *restrict x,
                             const double *edges, int64_t n_edges, int64_t base, int64_t nan_code)
{
    SKQ_(count_edges)(codes, x, edges, n_edges);
    for (int64_t r = 0; r < SKQ_GROUP; r++)
        codes[r] = x[r] != x[r] ? nan_code : base + codes[r];
}

/* One value among edges. */
static int64_t SKQ_(bin_one)(double x, const double *edges, int64_t n_edges, int64_t base,
                             int64_t nan_code)
{
    int64_t below = 0, length = n_edges;
    while (length > 1) {
        const int64_t half = length / 2;
        below += edges[below + half - 1] < x ? half : 0;
        length -= half;
    }
    if (length == 1)
        below += edges[below] < x;
    return x != x ? nan_code : base + below;
}

static void SKQ_(bin)(const skq_step *s, void *to, int32_t dtype, SKQ_(real_rows) x, int64_t rows)
{
    const int32_t *feature = s->a;
    const double *edges = s->b;
    const int64_t *offsets = s->c, *base = s->d;
    double columns[8][SKQ_GROUP];
    int64_t codes[SKQ_GROUP];
    for (int64_t first = 0; first < rows; first += SKQ_GROUP) {
        const int64_t n = SKQ_(least)(SKQ_GROUP, rows - first);
        const SKQ_(real_rows) group = {x.data + first * x.stride, x.stride, x.is_float};
        for (int64_t c0 = 0; c0 < s->n; c0 += 8) {
            const int64_t width = SKQ_(least)(8, s->n - c0);
            SKQ_(transpose)(columns, group, feature + c0, width, n);
            for (int64_t c = c0; c < c0 + width; c++) {
                SKQ_(bin_column)(codes, columns[c - c0], edges + offsets[c],
                                 offsets[c + 1] - offsets[c], base[2 * c], base[2 * c + 1]);
                for (int64_t r = 0; r < n; r++)
                    SKQ_(store)(to, dtype, (first + r) * s->n + c, codes + r, 1);
            }
        }
    }
}

/* ---- matmul ------------------------------------------------------------------------------- */

#define SKQ_DOT(name, xtype, wtype, atype, wide) \
    static void SKQ_(name)(atype *restrict out, const xtype *restrict x, const wtype *restrict w, \
                           int64_t rows, int64_t n, int64_t m) \
    { \
        for (int64_t r = 0; r < rows; r++) \
            for (int64_t j = 0; j < m; j++) { \
                const xtype *a = x + r * n; \
                const wtype *b = w + j * n; \
                wide sum = 0; \
                for (int64_t k = 0; k < n; k++) \
                    sum += (wide)a[k] * (wide)b[k]; \
                out[r * m + j] = (atype)sum; \
            } \
    }

SKQ_DOT(dot_u8_i8, uint8_t, int8_t, int32_t, int32_t)
SKQ_DOT(dot_i16_i16, int16_t, int16_t, int32_t, int32_t)
/* a partial sum may leave 64 bits where the whole does not: unsigned sums come back */
SKQ_DOT(dot_i32_i32, int32_t, int32_t, int64_t, uint64_t)
SKQ_DOT(dot_i64_i64, int64_t, int64_t, int64_t, uint64_t)

#if SKQ_ISA >= SKQ_AVX2
/* `count` rows times two groups of 8 outputs; the pairs of a row are 32-bit words. */
#define SKQ_PAIRS_TILE(count, groups) \
    { \
        __m256i sum[count][groups]; \
        for (int i = 0; i < count; i++) \
            for (int g = 0; g < groups; g++) \
                sum[i][g] = _mm256_setzero_si256(); \
        for (int64_t k = 0; k < pairs; k++) \
            for (int g = 0; g < groups; g++) { \
                const __m256i b = _mm256_loadu_si256( \
                    (const __m256i *)(const void *)(w + ((j / 8 + g) * pairs + k) * 16)); \
                for (int i = 0; i < count; i++) { \
                    int32_t word; \
                    memcpy(&word, x + (r + i) * n + 2 * k, sizeof word); \
                    const __m256i product = _mm256_madd_epi16(_mm256_set1_epi32(word), b); \
                    sum[i][g] = _mm256_add_epi32(sum[i][g], product); \
                } \
            } \
        for (int i = 0; i < count; i++) \
            for (int g = 0; g < groups; g++) { \
                int32_t lanes[8]; \
                _mm256_storeu_si256((__m256i *)(void *)lanes, sum[i][g]); \
                const int64_t place = j + 8 * g; \
                const int64_t width = SKQ_(least)(8, m - place); \
                memcpy(out + (r + i) * m + place, lanes, (size_t)width * sizeof *lanes); \
            } \
    }

static void SKQ_(pairs_i16)(int32_t *restrict out, const int16_t *restrict x,
                            const int16_t *restrict w, int64_t rows, int64_t n, int64_t m)
{
    const int64_t pairs = (n + 1) / 2;
    for (int64_t j = 0; j < m;) {
        const int64_t groups = m - j > 8 ? 2 : 1;
        int64_t r = 0;
        if (groups == 2) {
            for (; r + 4 <= rows; r += 4)
                SKQ_PAIRS_TILE(4, 2)
            for (; r < rows; r++)
                SKQ_PAIRS_TILE(1, 2)
        } else {
            for (; r + 4 <= rows; r += 4)
                SKQ_PAIRS_TILE(4, 1)
            for (; r < rows; r++)
                SKQ_PAIRS_TILE(1, 1)
        }
        j += 8 * groups;
    }
}
#endif

#if SKQ_ISA == SKQ_AVX512_VNNI
#define SKQ_QUADS_TILE(count, groups) \
    { \
        __m512i sum[count][groups]; \
        for (int i = 0; i < count; i++) \
            for (int g = 0; g < groups; g++) \
                sum[i][g] = _mm512_setzero_si512(); \
        for (int64_t k = 0; k < quads; k++) { \
            __m512i b[groups]; \
            for (int g = 0; g < groups; g++) \
                b[g] = _mm512_loadu_si512(w + ((j / 16 + g) * quads + k) * 64); \
            for (int i = 0; i < count; i++) { \
                int32_t word; \
                memcpy(&word, x + (r + i) * n + 4 * k, sizeof word); \
                const __m512i a = _mm512_set1_epi32(word); \
                for (int g = 0; g < groups; g++) \
                    sum[i][g] = _mm512_dpbusd_epi32(sum[i][g], a, b[g]); \
            } \
        } \
        for (int i = 0; i < count; i++) \
            for (int g = 0; g < groups; g++) { \
                const int64_t place = j + 16 * g; \
                const int64_t width = SKQ_(least)(16, m - place); \
                const __mmask16 mask = (__mmask16)((1u << width) - 1u); \
                _mm512_mask_storeu_epi32(out + (r + i) * m + place, mask, sum[i][g]); \
            } \
    }

static void SKQ_(quads_u8_i8)(int32_t *restrict out, const uint8_t *restrict x,
                              const int8_t *restrict w, int64_t rows, int64_t n, int64_t m)
{
    const int64_t quads = (n + 3) / 4;
    for (int64_t j = 0; j < m;) {
        const int64_t left = (m - j + 15) / 16;
        int64_t r = 0;
        if (left >= 4) {
            for (; r + 6 <= rows; r += 6)
                SKQ_QUADS_TILE(6, 4)
            for (; r < rows; r++)
                SKQ_QUADS_TILE(1, 4)
            j += 64;
        } else {
            for (; r + 8 <= rows; r += 8)
                SKQ_QUADS_TILE(8, 1)
            for (; r < rows; r++)
                SKQ_QUADS_TILE(1, 1)
            j += 16;
        }
    }
}
#endif

/* Operand dtype that each kind of matmul reads. */
static const int32_t SKQ_(matmul_operand)[] = {SKQ_U8, SKQ_I16, SKQ_I32, SKQ_I64, SKQ_I16, SKQ_U8};

static void SKQ_(matmul)(const skq_step *s, void *to, const void *from, int32_t dtype, char *scratch,
                         int64_t rows)
{
    const int64_t n = s->n, m = s->m;
    const int32_t wanted = SKQ_(matmul_operand)[s->kind];
    rows *= s->runs;
    if (dtype != wanted) {
        int64_t chunk[SKQ_CHUNK];
        for (int64_t i = 0; i < rows * n; i += SKQ_CHUNK) {
            const int64_t size = SKQ_(least)(SKQ_CHUNK, rows * n - i);
            SKQ_(load)(chunk, from, dtype, i, size);
            SKQ_(store)(scratch, wanted, i, chunk, size);
        }
        from = scratch;
    }
    switch (s->kind) {
#if SKQ_ISA == SKQ_AVX512_VNNI
    case SKQ_QUADS_U8_I8: SKQ_(quads_u8_i8)(to, from, s->a, rows, n, m); break;
#endif
#if SKQ_ISA >= SKQ_AVX2
    case SKQ_PAIRS_I16: SKQ_(pairs_i16)(to, from, s->a, rows, n, m); break;
#endif
    case SKQ_DOT_U8_I8: SKQ_(dot_u8_i8)(to, from, s->a, rows, n, m); break;
    case SKQ_DOT_I16_I16: SKQ_(dot_i16_i16)(to, from, s->a, rows, n, m); break;
    case SKQ_DOT_I32_I32: SKQ_(dot_i32_i32)(to, from, s->a, rows, n, m); break;
    default: SKQ_(dot_i64_i64)(to, from, s->a, rows, n, m); break;
    }
}

/* ---- requantize, table, dequantize -------------------------------------------------------- */

static void SKQ_(requantize_narrow)(int32_t *restrict out, const int32_t *restrict q,
                                    const int32_t *restrict multiplier,
                                    const int64_t *restrict offset, int shift, int64_t lo,
                                    int64_t hi, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t t = ((int64_t)q[i] * (int64_t)multiplier[i] + offset[i]) >> shift;
        t = t > lo ? t : lo;
        t = t < hi ? t : hi;
        out[i] = (int32_t)t;
    }
}

static void SKQ_(requantize)(const skq_step *s, void *to, int32_t dtype, const void *from,
                             int32_t from_dtype, int64_t rows)
{
    const int64_t *offset = s->b, total = rows * s->m;
    int64_t wide[SKQ_CHUNK];
    int32_t codes[SKQ_CHUNK];
    for (int64_t base = 0; base < total; base += s->n) {
        const int64_t period = SKQ_(least)(s->n, total - base);
        for (int64_t p = 0; p < period; p += SKQ_CHUNK) {
            const int64_t n = SKQ_(least)(SKQ_CHUNK, period - p);
            if (s->kind == SKQ_NARROW_FACTORS) {
                SKQ_(requantize_narrow)(codes, (const int32_t *)from + base + p,
                                        (const int32_t *)s->a + p, offset + p, s->shift, s->lo,
                                        s->hi, n);
                SKQ_(narrow)(to, dtype, base + p, codes, n);
                continue;
            }
            const int64_t *multiplier = (const int64_t *)s->a + p;
            SKQ_(load)(wide, from, from_dtype, base + p, n);
            for (int64_t i = 0; i < n; i++) {
                int64_t t = (wide[i] * multiplier[i] + offset[p + i]) >> s->shift;
                t = t > s->lo ? t : s->lo;
                wide[i] = t < s->hi ? t : s->hi;
            }
            SKQ_(store)(to, dtype, base + p, wide, n);
        }
    }
}

#define SKQ_LOOKUP(type) \
    for (int64_t i = 0; i < n; i++) \
        ((type *)to)[base + i] = ((const type *)s->a)[index[i]]; \
    break

/* The table has the dtype of the result. */
static void SKQ_(table)(const skq_step *s, void *restrict to, int32_t dtype, const void *from,
                        int32_t from_dtype, int64_t rows)
{
    const int64_t total = rows * s->m;
    int64_t index[SKQ_CHUNK];
    for (int64_t base = 0; base < total; base += SKQ_CHUNK) {
        const int64_t n = SKQ_(least)(SKQ_CHUNK, total - base);
        SKQ_(load)(index, from, from_dtype, base, n);
        if (s->n > 0)
            for (int64_t i = 0; i < n; i++)
                index[i] += (base + i) % s->n * s->hi - s->lo;
        else
            for (int64_t i = 0; i < n; i++)
                index[i] -= s->lo;
        switch (skq_item_bytes[dtype]) {
        case 1: SKQ_LOOKUP(uint8_t);
        case 2: SKQ_LOOKUP(uint16_t);
        case 4: SKQ_LOOKUP(uint32_t);
        default: SKQ_LOOKUP(uint64_t);
        }
    }
}

static void SKQ_(dequantize)(const skq_step *s, double *restrict to, const void *from,
                             int32_t from_dtype, int64_t rows)
{
    const double *scale = s->a, *zero = s->b;
    const int64_t total = rows * s->m;
    int64_t q[SKQ_CHUNK];
    for (int64_t base = 0; base < total; base += s->n) {
        const int64_t period = SKQ_(least)(s->n, total - base);
        for (int64_t p = 0; p < period; p += SKQ_CHUNK) {
            const int64_t n = SKQ_(least)(SKQ_CHUNK, period - p);
            SKQ_(load)(q, from, from_dtype, base + p, n);
            for (int64_t i = 0; i < n; i++)
                to[base + p + i] = ((double)q[i] - zero[p + i]) * scale[p + i];
        }
    }
}

/* ---- elementwise, reductions, shapes ------------------------------------------------------ */

static void SKQ_(operand)(int64_t *out, const void *from, int32_t dtype, int64_t row, int64_t size,
                          const int32_t *index, int64_t start, int64_t n)
{
    if (index)
        SKQ_(pick)(out, from, dtype, row * size, index + start, 0, n);
    else
        SKQ_(load)(out, from, dtype, row * size + start, n);
}

static void SKQ_(elementwise)(const skq_step *s, const skq_value *values, void *to,
                              const void *from, const void *from2, int64_t rows)
{
    const skq_value *u = values + s->in, *v = values + s->in2, *result = values + s->out;
    int64_t a[SKQ_CHUNK], b[SKQ_CHUNK];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t p = 0; p < s->n; p += SKQ_CHUNK) {
            const int64_t n = SKQ_(least)(SKQ_CHUNK, s->n - p);
            SKQ_(operand)(a, from, u->dtype, r, u->size, s->a, p, n);
            SKQ_(operand)(b, from2, v->dtype, r, v->size, s->b, p, n);
            switch (s->op) {
            case SKQ_ADD: for (int64_t i = 0; i < n; i++) a[i] += b[i]; break;
            case SKQ_SUB: for (int64_t i = 0; i < n; i++) a[i] -= b[i]; break;
            case SKQ_MUL: for (int64_t i = 0; i < n; i++) a[i] *= b[i]; break;
            case SKQ_MAXIMUM: for (int64_t i = 0; i < n; i++) a[i] = a[i] > b[i] ? a[i] : b[i]; break;
            default: for (int64_t i = 0; i < n; i++) a[i] = a[i] < b[i] ? a[i] : b[i]; break;
            }
            SKQ_(store)(to, result->dtype, r * s->n + p, a, n);
        }
}

/* One run of a reduction; `seen` elements came before these. */
static void SKQ_(reduce)(int32_t op, int64_t *best, int64_t *place, const int64_t *x, int64_t seen,
                         int64_t n)
{
    int64_t value = *best, at = *place;
    switch (op) {
    case SKQ_SUM: for (int64_t i = 0; i < n; i++) value += x[i]; break;
    case SKQ_MIN: for (int64_t i = 0; i < n; i++) value = x[i] < value ? x[i] : value; break;
    case SKQ_MAX: for (int64_t i = 0; i < n; i++) value = x[i] > value ? x[i] : value; break;
    default:
        for (int64_t i = 0; i < n; i++) {
            const int more = x[i] > value;
            value = more ? x[i] : value;
            at = more ? seen + i : at;
        }
    }
    *best = value;
    *place = at;
}

static void SKQ_(reduction)(const skq_step *s, void *to, int32_t dtype, const void *from,
                            int32_t from_dtype, int64_t rows)
{
    int64_t x[SKQ_CHUNK], results[SKQ_CHUNK];
    const int64_t runs = rows * s->m;
    /* short runs are loaded many at a time */
    const int64_t together = s->n <= SKQ_CHUNK ? SKQ_CHUNK / s->n : 1;
    for (int64_t first = 0; first < runs; first += together) {
        const int64_t count = SKQ_(least)(together, runs - first);
        if (s->n <= SKQ_CHUNK)
            SKQ_(load)(x, from, from_dtype, first * s->n, count * s->n);
        for (int64_t k = 0; k < count; k++) {
            int64_t place = 0, best = 0;
            if (s->n <= SKQ_CHUNK) {
                best = s->op == SKQ_SUM ? 0 : x[k * s->n];
                SKQ_(reduce)(s->op, &best, &place, x + k * s->n, 0, s->n);
            } else {
                for (int64_t p = 0; p < s->n; p += SKQ_CHUNK) {
                    const int64_t n = SKQ_(least)(SKQ_CHUNK, s->n - p);
                    SKQ_(load)(x, from, from_dtype, first * s->n + p, n);
                    if (p == 0 && s->op != SKQ_SUM)
                        best = x[0];
                    SKQ_(reduce)(s->op, &best, &place, x, p, n);
                }
            }
            results[k] = s->op == SKQ_ARGMAX ? place : best;
        }
        SKQ_(store)(to, dtype, first, results, count);
    }
}

static void SKQ_(gather)(const skq_step *s, void *to, int32_t dtype, const void *from,
                         int32_t from_dtype, int64_t rows)
{
    int64_t x[SKQ_CHUNK];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t p = 0; p < s->m; p += SKQ_CHUNK) {
            const int64_t n = SKQ_(least)(SKQ_CHUNK, s->m - p);
            SKQ_(pick)(x, from, from_dtype, r * s->n, (const int32_t *)s->a + p, s->lo, n);
            SKQ_(store)(to, dtype, r * s->m + p, x, n);
        }
}

static void SKQ_(copy)(const skq_step *s, void *to, int32_t dtype, const void *from,
                       int32_t from_dtype, int64_t rows)
{
    int64_t x[SKQ_CHUNK];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t p = 0; p < s->n; p += SKQ_CHUNK) {
            const int64_t n = SKQ_(least)(SKQ_CHUNK, s->n - p);
            SKQ_(load)(x, from, from_dtype, r * s->n + p, n);
            SKQ_(store)(to, dtype, r * s->m + s->lo + p, x, n);
        }
}

/* ---- forests ------------------------------------------------------------------------------ */

/* The leaf numbers `ids` of a tree become words of leaf values, added to the sums of each row. */
#define SKQ_ADD_LEAVES(name, id_type) \
    static void SKQ_(name)(uint64_t *restrict sums, const id_type *restrict ids, \
                           const uint64_t *restrict leaves, const skq_tree *tree, int64_t rows) \
    { \
        const int64_t words = tree->n_words; \
        for (int64_t w = 0; w < words; w++) { \
            uint64_t *sum = sums + (tree->word + w) * SKQ_ROWS; \
            for (int64_t r = 0; r < rows; r++) \
                sum[r] += leaves[ids[r] * words + w]; \
        } \
    }

SKQ_ADD_LEAVES(add_leaves_by_8, uint8_t)
SKQ_ADD_LEAVES(add_leaves_by_16, uint16_t)
SKQ_ADD_LEAVES(add_leaves_by_32, uint32_t)

#define SKQ_CODE uint8_t
#define SKQ_TREE(name) SKQ_(name##_8)
#include "skq_kernels.c"
#undef SKQ_CODE
#undef SKQ_TREE
#define SKQ_CODE uint16_t
#define SKQ_TREE(name) SKQ_(name##_16)
#include "skq_kernels.c"
#undef SKQ_CODE
#undef SKQ_TREE

/* Sums of lanes to integers: rows of n_outputs. */
static void SKQ_(unpack)(const skq_forest *f, const uint64_t *sums, void *to, int32_t dtype,
                         int64_t start, int64_t rows)
{
    const int64_t lanes = 64 / f->lane_bits;
    const uint64_t mask = f->lane_bits == 64 ? ~(uint64_t)0 : ((uint64_t)1 << f->lane_bits) - 1;
    for (int64_t o = 0; o < f->n_outputs; o++) {
        const uint64_t *word = sums + o / lanes * SKQ_ROWS;
        const int64_t shift = o % lanes * f->lane_bits;
        const uint64_t bias = (uint64_t)f->bias[o];
        if (dtype == SKQ_I32)
            for (int64_t r = 0; r < rows; r++)
                ((int32_t *)to)[(start + r) * f->n_outputs + o] =
                    (int32_t)(int64_t)(((word[r] >> shift) & mask) + bias);
        else
            for (int64_t r = 0; r < rows; r++)
                ((int64_t *)to)[(start + r) * f->n_outputs + o] =
                    (int64_t)(((word[r] >> shift) & mask) + bias);
    }
}

/* Real thresholds, four rows in step: worth it where there are fewer visits than columns. */
static void SKQ_(float_trees)(const skq_forest *f, uint64_t *sums, uint32_t *ids,
                              SKQ_(real_rows) x, int64_t rows)
{
    for (int64_t t = 0; t < f->n_trees; t++) {
        const skq_tree *tree = f->trees + t;
        const skq_float_node *nodes = (const skq_float_node *)f->nodes + tree->node;
        for (int64_t r = 0; r < rows; r += 4) {
            int64_t at[4] = {0, 0, 0, 0};
            const char *row[4];
            for (int k = 0; k < 4; k++)
                row[k] = x.data + SKQ_(least)(r + k, rows - 1) * x.stride;
            int64_t moved;
            do {
                moved = 0;
                for (int k = 0; k < 4; k++) {
                    const skq_float_node *node = nodes + at[k];
                    const double v =
                        x.is_float ? (double)((const float *)(const void *)row[k])[node->feature]
                                   : ((const double *)(const void *)row[k])[node->feature];
                    const int64_t right = v == v ? !(v <= node->threshold) : node->nan_right;
                    const int64_t next = node->child + right;
                    moved |= next ^ at[k];
                    at[k] = next;
                }
            } while (moved);
            for (int k = 0; k < 4; k++)
                ids[r + k] = (uint32_t)nodes[at[k]].leaf;
        }
        SKQ_(add_leaves_by_32)(sums, ids, f->leaves + tree->leaf, tree, rows);
    }
}

/* Any codes, any numbering of the nodes: a row at a time. */
static void SKQ_(wide_trees)(const skq_forest *f, void *to, int32_t dtype, const void *from,
                             int32_t from_dtype, char *scratch, int64_t rows)
{
    int64_t *codes = (int64_t *)(void *)scratch;
    uint64_t *sums = (uint64_t *)(void *)(scratch + f->n_columns * (int64_t)sizeof(int64_t));
    const skq_wide_node *nodes = f->nodes;
    for (int64_t r = 0; r < rows; r++) {
        SKQ_(load)(codes, from, from_dtype, r * f->n_columns, f->n_columns);
        for (int64_t o = 0; o < f->n_outputs; o++)
            sums[o] = 0;
        for (int64_t t = 0; t < f->n_trees; t++) {
            int64_t at = f->trees[t].node;
            while (nodes[at].feature >= 0)
                at = nodes[at].child[codes[nodes[at].feature] > nodes[at].threshold];
            const uint64_t *leaf = f->leaves + (int64_t)nodes[at].child[0] * f->width;
            for (int64_t o = 0; o < f->width; o++)
                sums[f->output[t] + o] += leaf[o] * (uint64_t)f->multiplier[t];
        }
        SKQ_(store)(to, dtype, r * f->n_outputs, (const int64_t *)sums, f->n_outputs);
    }
}

static void SKQ_(forest)(const skq_forest *f, void *to, int32_t dtype, SKQ_(real_rows) x,
                         const void *from, int32_t from_dtype, char *scratch, int64_t rows)
{
    if (f->codes == SKQ_CODES_WIDE) {
        SKQ_(wide_trees)(f, to, dtype, from, from_dtype, scratch, rows);
        return;
    }
    uint64_t *sums = (uint64_t *)(void *)scratch;
    uint32_t *ids = (uint32_t *)(void *)(sums + (int64_t)f->n_words * SKQ_ROWS);
    char *rest = (char *)(ids + SKQ_ROWS);
    for (int64_t first = 0; first < rows; first += SKQ_ROWS) {
        const int64_t n = SKQ_(least)(SKQ_ROWS, rows - first);
        const SKQ_(real_rows) part = {x.data ? x.data + first * x.stride : NULL, x.stride,
                                      x.is_float};
        for (int64_t w = 0; w < f->n_words; w++)
            memset(sums + w * SKQ_ROWS, 0, (size_t)n * sizeof *sums);
        if (f->codes == SKQ_CODES_FLOAT) {
            SKQ_(float_trees)(f, sums, ids, part, n);
        } else if (f->codes == SKQ_CODES_8) {
            SKQ_(codes_8)(f, (uint8_t *)rest, part, from, from_dtype, first, n);
            SKQ_(trees_8)(f, sums, ids, (uint8_t *)rest, n);
        } else {
            SKQ_(codes_16)(f, (uint16_t *)(void *)rest, part, from, from_dtype, first, n);
            SKQ_(trees_16)(f, sums, ids, (uint16_t *)(void *)rest, n);
        }
        SKQ_(unpack)(f, sums, to, dtype, first, n);
    }
}

/* ---- programs ----------------------------------------------------------------------------- */

typedef struct {
    const skq_program *program;
    char *scratch;
    char **value;                /* a block of each value, by number */
    SKQ_(real_rows) *real;       /* a block of each real input, by number */
} SKQ_(frame);

static SKQ_(frame) SKQ_(lay_out)(const skq_program *program, void *arena, int64_t block)
{
    SKQ_(frame) frame = {program, arena, NULL, NULL};
    char *at = frame.scratch + skq_align((size_t)program->scratch) + 64;
    frame.value = (char **)(void *)at;
    at += skq_align((size_t)program->n_values * sizeof(void *));
    frame.real = (SKQ_(real_rows) *)(void *)at;
    at += skq_align((size_t)program->n_values * sizeof(SKQ_(real_rows)));
    memset(frame.real, 0, (size_t)program->n_values * sizeof(SKQ_(real_rows)));
    memset(frame.value, 0, (size_t)program->n_values * sizeof(void *));
    for (int32_t s = 0; s < program->n_slots; s++) {
        for (int32_t v = 0; v < program->n_values; v++)
            if (program->values[v].slot == s) {
                const SKQ_(real_rows) rows = {at, program->values[v].size * 8, 0};
                frame.value[v] = at;
                frame.real[v] = rows;
            }
        at += skq_align((size_t)(program->slot_bytes[s] * block)) + 64;
    }
    return frame;
}

/* Read a block of an input into its slot, unless it can be used where it stands. */
static int SKQ_(enter)(SKQ_(frame) *frame, int32_t number, const skq_input *input,
                       int64_t first, int64_t rows, int refuse)
{
    const skq_value *value = frame->program->values + number;
    const char *data = (const char *)input->data + first * input->row_stride;
    if (value->dtype != SKQ_F64) {
        int64_t outside = 0;
        int64_t x[SKQ_CHUNK];
        for (int64_t r = 0; r < rows; r++)
            for (int64_t p = 0; p < value->size; p += SKQ_CHUNK) {
                const int64_t n = SKQ_(least)(SKQ_CHUNK, value->size - p);
                SKQ_(read_integer)(x, data + r * input->row_stride + p * input->column_stride,
                                   input->column_stride, input->dtype, n);
                for (int64_t i = 0; i < n; i++)
                    outside |= (x[i] < value->lo) | (x[i] > value->hi);
                SKQ_(store)(frame->value[number], value->dtype, r * value->size + p, x, n);
            }
        return outside ? SKQ_OUT_OF_RANGE : SKQ_OK;
    }
    SKQ_(real_rows) *real = frame->real + number;
    real->is_float = input->dtype == SKQ_F32;
    const int64_t item = real->is_float ? (int64_t)sizeof(float) : (int64_t)sizeof(double);
    if ((real->is_float || input->dtype == SKQ_F64) && input->column_stride == item) {
        real->data = data;
        real->stride = input->row_stride;
    } else {
        double *copy = (double *)(void *)frame->value[number];
        if (llabs(input->column_stride) < llabs(input->row_stride))
            for (int64_t r = 0; r < rows; r++)
                SKQ_(read_real)(copy + r * value->size, data + r * input->row_stride,
                                input->column_stride, input->dtype, value->size);
        else
            for (int64_t c = 0; c < value->size; c++) {
                double column[SKQ_GROUP];
                for (int64_t p = 0; p < rows; p += SKQ_GROUP) {
                    const int64_t n = SKQ_(least)(SKQ_GROUP, rows - p);
                    SKQ_(read_real)(column,
                                    data + p * input->row_stride + c * input->column_stride,
                                    input->row_stride, input->dtype, n);
                    for (int64_t r = 0; r < n; r++)
                        copy[(p + r) * value->size + c] = column[r];
                }
            }
        real->data = (const char *)copy;
        real->stride = value->size * (int64_t)sizeof(double);
        real->is_float = 0;
    }
    if (!refuse || value->checked)
        return SKQ_OK;
    int found = 0;
    const int64_t whole = real->stride == value->size * (real->is_float ? 4 : 8);
    const int64_t runs = whole ? 1 : rows, length = whole ? rows * value->size : value->size;
    for (int64_t r = 0; r < runs; r++)
        found |= SKQ_(refused)(real->data + r * real->stride, real->is_float, length, refuse);
    return found ? SKQ_NOT_FINITE : SKQ_OK;
}

static void SKQ_(leave)(const SKQ_(frame) *frame, int32_t number, void *to, int64_t first,
                        int64_t rows)
{
    const skq_value *value = frame->program->values + number;
    const int64_t size = rows * value->size;
    if (value->dtype == SKQ_F64)
        memcpy((double *)to + first * value->size, frame->value[number],
               (size_t)size * sizeof(double));
    else
        SKQ_(load)((int64_t *)to + first * value->size, frame->value[number], value->dtype, 0,
                   size);
}

static int SKQ_(step)(const SKQ_(frame) *frame, const skq_step *s, int64_t rows, int refuse)
{
    const skq_value *values = frame->program->values;
    const int32_t dtype = values[s->out].dtype, from_dtype = values[s->in].dtype;
    void *to = frame->value[s->out];
    const void *from = frame->value[s->in];
    const SKQ_(real_rows) real = frame->real[s->in];
    switch (s->op) {
    case SKQ_QUANTIZE:
        if (SKQ_(quantize)(s, to, dtype, real, rows, values[s->in].checked ? refuse : 0))
            return SKQ_NOT_FINITE;
        break;
    case SKQ_BIN: SKQ_(bin)(s, to, dtype, real, rows); break;
    case SKQ_MATMUL: SKQ_(matmul)(s, to, from, from_dtype, frame->scratch, rows); break;
    case SKQ_REQUANTIZE: SKQ_(requantize)(s, to, dtype, from, from_dtype, rows); break;
    case SKQ_TABLE: SKQ_(table)(s, to, dtype, from, from_dtype, rows); break;
    case SKQ_FOREST:
        SKQ_(forest)(s->a, to, dtype, real, from, from_dtype, frame->scratch, rows);
        break;
    case SKQ_ADD: case SKQ_SUB: case SKQ_MUL: case SKQ_MAXIMUM: case SKQ_MINIMUM:
        SKQ_(elementwise)(s, values, to, from, frame->value[s->in2], rows);
        break;
    case SKQ_SUM: case SKQ_MAX: case SKQ_MIN: case SKQ_ARGMAX:
        SKQ_(reduction)(s, to, dtype, from, from_dtype, rows);
        break;
    case SKQ_GATHER: SKQ_(gather)(s, to, dtype, from, from_dtype, rows); break;
    case SKQ_COPY: SKQ_(copy)(s, to, dtype, from, from_dtype, rows); break;
    default: SKQ_(dequantize)(s, to, from, from_dtype, rows); break;
    }
    return SKQ_OK;
}

static int SKQ_(run)(const skq_program *program, const skq_input *inputs, void *const *outputs,
                     int64_t first, int64_t n_rows, int64_t block, void *arena, int refuse)
{
    SKQ_(frame) frame = SKQ_(lay_out)(program, arena, block);
    for (int64_t done = 0; done < n_rows; done += block) {
        const int64_t rows = SKQ_(least)(block, n_rows - done);
        for (int32_t i = 0; i < program->n_inputs; i++) {
            const int status = SKQ_(enter)(&frame, program->inputs[i], inputs + i,
                                           first + done, rows, refuse);
            if (status != SKQ_OK)
                return status;
        }
        for (int32_t i = 0; i < program->n_steps; i++) {
            const int status = SKQ_(step)(&frame, program->steps + i, rows, refuse);
            if (status != SKQ_OK)
                return status;
        }
        for (int32_t i = 0; i < program->n_outputs; i++)
            SKQ_(leave)(&frame, program->outputs[i], outputs[i], first + done, rows);
    }
    return SKQ_OK;
}

#else /* ==== trees over columns of codes of one width ==== */

/* Columns of SKQ_ROWS codes, from bins of a real operand or from rows of codes. */
static void SKQ_TREE(codes)(const skq_forest *f, SKQ_CODE *restrict codes, SKQ_(real_rows) x,
                            const void *from, int32_t from_dtype, int64_t first, int64_t rows)
{
    if (!f->feature) {
        int64_t row[SKQ_CHUNK];
        for (int64_t r = 0; r < rows; r++)
            for (int64_t p = 0; p < f->n_columns; p += SKQ_CHUNK) {
                const int64_t n = SKQ_(least)(SKQ_CHUNK, f->n_columns - p);
                SKQ_(load)(row, from, from_dtype, (first + r) * f->n_columns + p, n);
                for (int64_t i = 0; i < n; i++)
                    codes[(p + i) * SKQ_ROWS + r] = (SKQ_CODE)(row[i] - f->code_lo);
            }
    } else if (rows < 16) {
        for (int64_t r = 0; r < rows; r++) {
            const char *row = x.data + r * x.stride;
            for (int64_t c = 0; c < f->n_columns; c++) {
                const double v =
                    x.is_float ? (double)((const float *)(const void *)row)[f->feature[c]]
                               : ((const double *)(const void *)row)[f->feature[c]];
                codes[c * SKQ_ROWS + r] = (SKQ_CODE)SKQ_(bin_one)(
                    v, f->edges + f->offsets[c], f->offsets[c + 1] - f->offsets[c],
                    f->base[2 * c], f->base[2 * c + 1]);
            }
        }
    } else {
        double columns[8][SKQ_GROUP];
        int64_t wide[SKQ_GROUP];
        for (int64_t start = 0; start < rows; start += SKQ_GROUP) {
            const int64_t n = SKQ_(least)(SKQ_GROUP, rows - start);
            const SKQ_(real_rows) group = {x.data + start * x.stride, x.stride, x.is_float};
            for (int64_t c0 = 0; c0 < f->n_columns; c0 += 8) {
                const int64_t width = SKQ_(least)(8, f->n_columns - c0);
                SKQ_(transpose)(columns, group, f->feature + c0, width, n);
                for (int64_t c = c0; c < c0 + width; c++) {
                    SKQ_CODE *column = codes + c * SKQ_ROWS + start;
                    SKQ_(bin_column)(wide, columns[c - c0], f->edges + f->offsets[c],
                                     f->offsets[c + 1] - f->offsets[c], f->base[2 * c],
                                     f->base[2 * c + 1]);
                    for (int64_t r = 0; r < SKQ_GROUP; r++)
                        column[r] = (SKQ_CODE)wide[r];
                }
            }
            if (n < SKQ_GROUP)
                break;
        }
        return;
    }
    /* trees in bulk take whole groups of rows; what they say of absent ones is left */
    const int64_t padded = (rows + SKQ_GROUP - 1) / SKQ_GROUP * SKQ_GROUP;
    for (int64_t c = 0; c < f->n_columns && rows >= 16; c++)
        for (int64_t r = rows; r < padded; r++)
            codes[c * SKQ_ROWS + r] = 0;
}

#define SKQ_SELECT(right, left)     for (int64_t g = 0; g < rows; g += SKQ_GROUP)         for (int64_t r = g; r < g + SKQ_GROUP; r++)             result[r] = column[r] > threshold ? right : left;     break

static void SKQ_TREE(merge)(SKQ_CODE *restrict left, const SKQ_CODE *restrict right,
                            const SKQ_CODE *restrict column, SKQ_CODE threshold, int64_t rows)
{
    for (int64_t g = 0; g < rows; g += SKQ_GROUP)
        for (int64_t r = g; r < g + SKQ_GROUP; r++) {
            const SKQ_CODE on_right = (SKQ_CODE)(column[r] > threshold ? ~0 : 0);
            left[r] = (SKQ_CODE)((right[r] & on_right) | (left[r] & ~on_right));
        }
}

/* Leaf numbers of all rows, by every node of the tree once: the stack holds those of subtrees. */
static void SKQ_TREE(branch)(const skq_node *nodes, int64_t n_nodes, SKQ_CODE *stack,
                             const SKQ_CODE *restrict codes, int64_t rows)
{
    SKQ_CODE *next = stack;
    for (int64_t k = 0; k < n_nodes; k++) {
        const skq_node node = nodes[k];
        const SKQ_CODE threshold = (SKQ_CODE)node.threshold;
        const SKQ_CODE left = (SKQ_CODE)(node.child[0] & (SKQ_LEAF - 1));
        const SKQ_CODE right = (SKQ_CODE)(node.child[1] & (SKQ_LEAF - 1));
        const SKQ_CODE *restrict column = codes + (int64_t)node.feature * SKQ_ROWS;
        const int leaf_left = node.child[0] >= SKQ_LEAF, leaf_right = node.child[1] >= SKQ_LEAF;
        if (leaf_left && leaf_right)
            next += SKQ_ROWS;
        else if (!leaf_left && !leaf_right)
            next -= SKQ_ROWS;
        SKQ_CODE *restrict result = next - SKQ_ROWS;
        switch (leaf_left + 2 * leaf_right) {
        case 3: SKQ_SELECT(right, left);
        case 2: SKQ_SELECT(right, result[r]);
        case 1: SKQ_SELECT(result[r], left);
        default: SKQ_TREE(merge)(result, next, column, threshold, rows);
        }
    }
}

/* Rows walk down from where `ids` says, a level at a time; those at their leaf drop out. */
static void SKQ_TREE(walk)(const skq_node *restrict nodes, uint32_t *restrict ids,
                           const SKQ_CODE *restrict codes, int64_t rows)
{
    uint16_t walking[SKQ_ROWS];
    int64_t count = 0;
    for (int64_t r = 0; r < rows; r++) {
        walking[count] = (uint16_t)r;
        count += ids[r] < SKQ_LEAF;
    }
    while (count > 0) {
        int64_t further = 0;
        for (int64_t i = 0; i < count; i++) {
            const uint16_t r = walking[i];
            const skq_node *node = nodes + ids[r];
            const uint32_t next =
                node->child[codes[(int64_t)node->feature * SKQ_ROWS + r] > node->threshold];
            ids[r] = next;
            walking[further] = r;
            further += next < SKQ_LEAF;
        }
        count = further;
    }
    for (int64_t r = 0; r < rows; r++)
        ids[r] -= SKQ_LEAF;
}

static void SKQ_TREE(trees)(const skq_forest *f, uint64_t *sums, uint32_t *ids, SKQ_CODE *codes,
                            int64_t rows)
{
    SKQ_CODE *stack = codes + (int64_t)f->n_columns * SKQ_ROWS;
    const int64_t padded = (rows + SKQ_GROUP - 1) / SKQ_GROUP * SKQ_GROUP;
    for (int64_t t = 0; t < f->n_trees; t++) {
        const skq_tree *tree = f->trees + t;
        const skq_node *nodes = (const skq_node *)f->nodes + tree->node;
        const uint64_t *leaves = f->leaves + tree->leaf;
        const uint32_t root = (uint32_t)tree->n_nodes - 1;
        if (tree->n_nodes == 0) {
            memset(ids, 0, (size_t)rows * sizeof *ids);
        } else if (tree->whole && rows >= 16) {
            SKQ_TREE(branch)(nodes, tree->n_nodes, stack, codes, padded);
            SKQ_TREE(add_leaves_by)(sums, stack, leaves, tree, rows);
            continue;
        } else {
            for (int64_t r = 0; r < rows; r++)
                ids[r] = root;
            if (rows >= 16) {
                SKQ_TREE(branch)((const skq_node *)f->nodes + tree->top, tree->n_top, stack, codes,
                                 padded);
                for (int64_t r = 0; r < rows; r++)
                    ids[r] = f->exits[tree->exit + stack[r]];
            }
            SKQ_TREE(walk)(nodes, ids, codes, rows);
        }
        SKQ_(add_leaves_by_32)(sums, ids, leaves, tree, rows);
    }
}

#endif
