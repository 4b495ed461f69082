/* skq: integer kernels, dependency-free C99.
 *
 * A program is a list of steps over numbered values. Rows are processed in blocks; every value of a
 * block stands in an arena, row-major, in the dtype of its `skq_value`. The meaning of every step is
 * that of the reference engine, bit for bit. All constants belong to the caller and are only read;
 * nothing here allocates.
 *
 * The C implementation must be two's complement, shift negative numbers arithmetically, and compute
 * doubles as IEEE 754 binary64, rounding to nearest, without contraction or excess precision.
 */
#ifndef SKQ_KERNELS_H
#define SKQ_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Dtypes. A value of a program is one of U8 ... F64; U32 and U64 only come in from outside. */
enum {
    SKQ_U8, SKQ_I8, SKQ_U16, SKQ_I16, SKQ_I32, SKQ_I64, SKQ_F64, SKQ_F32, SKQ_U32, SKQ_U64
};

/* Steps. The comment names the fields that a step reads beside `in` and `out`. */
enum {
    SKQ_QUANTIZE,   /* n period, m row, lo, hi, kind, a scale, b zero, c 1/scale (double[n])       */
    SKQ_BIN,        /* n columns, a feature (int32), b edges, c offsets, d base and nan code (int64) */
    SKQ_MATMUL,     /* n inputs, m outputs, runs a row, kind, a weights                             */
    SKQ_REQUANTIZE, /* n period, m row, lo, hi, shift, kind, a multiplier, b offset                 */
    SKQ_TABLE,      /* n channels (0: one table), m row, lo, hi entries, a table                    */
    SKQ_FOREST,     /* a skq_forest                                                                 */
    SKQ_ADD,        /* in2, n result size, a and b index of each element, or NULL                   */
    SKQ_SUB,
    SKQ_MUL,
    SKQ_MAXIMUM,
    SKQ_MINIMUM,
    SKQ_SUM,        /* n length, m runs a row                                                       */
    SKQ_MAX,
    SKQ_MIN,
    SKQ_ARGMAX,
    SKQ_GATHER,     /* n operand size, m result size, a index (int32, -1: fill), lo fill            */
    SKQ_COPY,       /* n operand size, m result size, lo place in the result                        */
    SKQ_DEQUANTIZE, /* n period, m row, a scale, b zero (double[n])                                 */
    SKQ_LINEAR      /* quantize and matmul: n inputs, m <= 4 outputs, lo, hi of the codes, a scale,
                       b zero, c 1/scale, d weights [m]; all double, rows padded to 8 by 0 (a: 1);
                       not in SKQ_PORTABLE */
};

/* Kinds of SKQ_QUANTIZE. */
enum { SKQ_RECIPROCAL, SKQ_DIVIDE, SKQ_WIDE_CODES };
/* Kinds of SKQ_REQUANTIZE: 32-bit factors on an int32 operand, or anything. */
enum { SKQ_NARROW_FACTORS, SKQ_ANY_FACTORS };
/* Kinds of SKQ_MATMUL: dtypes of operand and weights, and the layout of the weights.
 * DOT: [m][n]. PAIRS: [m / 8][n / 2][8][2]. QUADS: [m / 16][n / 4][16][4]. Zero padded.
 * The 8- and 16-bit kinds accumulate in int32, which the caller has proven sufficient. */
enum {
    SKQ_DOT_U8_I8, SKQ_DOT_I16_I16, SKQ_DOT_I32_I32, SKQ_DOT_I64_I64, SKQ_PAIRS_I16, SKQ_QUADS_U8_I8
};

/* Instruction sets, in rising order; each has its own copy of all kernels. */
#define SKQ_PORTABLE 0
#define SKQ_AVX2 1
#define SKQ_AVX512 2
#define SKQ_AVX512_VNNI 3

/* What skq_run refuses, and what it answers. */
enum { SKQ_REFUSE_NONE = 0, SKQ_REFUSE_INFINITE = 1, SKQ_REFUSE_NAN = 2 };
enum { SKQ_OK = 0, SKQ_NOT_FINITE = 1, SKQ_OUT_OF_RANGE = 2 };

typedef struct {
    int64_t size;      /* elements in a row */
    int64_t lo, hi;    /* proven interval; unused for doubles */
    int32_t dtype;
    int32_t slot;      /* place in the arena; -1: none */
    int32_t checked;   /* a real input that a step checks for what is refused */
    int32_t unused;
} skq_value;

typedef struct {
    int32_t op, in, in2, out;
    int32_t kind, shift;
    int64_t n, m, runs;
    int64_t lo, hi;
    const void *a, *b, *c, *d;
} skq_step;

typedef struct {
    int32_t n_values, n_steps, n_slots, n_inputs, n_outputs, unused;
    int64_t block;               /* rows that are worked on together */
    int64_t scratch;             /* bytes that the steps need for themselves */
    const skq_value *values;
    const skq_step *steps;
    const int64_t *slot_bytes;   /* bytes a row */
    const int32_t *inputs;       /* value numbers */
    const int32_t *outputs;
} skq_program;

/* An array of rows from outside: any strides, in bytes. */
typedef struct {
    const void *data;
    int64_t row_stride, column_stride;
    int32_t dtype, unused;
} skq_input;

/* Forests. Codes are compared as `code <= threshold` (left) against the codes of the operand minus
 * its least one, 8 or 16 bits wide, in columns of SKQ_ROWS rows.
 *
 * Nodes are inner ones only, children before parents, so that the root is the last one, and a right
 * subtree next to its parent; child[side] is a node of the tree, or SKQ_LEAF + a leaf. Small trees
 * (`whole`, at most 256 leaves) are evaluated node by node, for many rows at a time. So are the upper
 * levels of the others, which stand a second time as a small tree of their own: its leaf k stands for
 * the child exits[k], from where rows walk on. A forest adds up words of leaf values in lanes of `lane_bits`, made
 * non-negative by `bias`. One node of padding follows the last. */
#define SKQ_ROWS 256
#define SKQ_LEAF 32768
enum { SKQ_CODES_8, SKQ_CODES_16, SKQ_CODES_WIDE, SKQ_CODES_FLOAT };

typedef struct { uint16_t feature, threshold, child[2]; } skq_node;

typedef struct {
    int64_t node, leaf;          /* first of each */
    int64_t top, exit;           /* first of each, of the upper levels of a tree that is not whole */
    int32_t n_nodes, n_top, whole, unused;
    int32_t word, n_words;
} skq_tree;

typedef struct { int64_t threshold; int32_t feature; int32_t child[2]; int32_t unused; } skq_wide_node;

/* Real thresholds: right unless x <= threshold; NaN goes right where `nan_right` says so. The right
 * child follows the left one; a leaf is its own left child and has threshold infinity. */
typedef struct { double threshold; int32_t feature, child; int32_t nan_right, leaf; } skq_float_node;

typedef struct {
    int32_t codes, n_trees, n_columns, n_outputs;
    int32_t n_words, lane_bits, width, stack;
    int64_t code_lo;
    const skq_tree *trees;
    const void *nodes;
    const uint16_t *exits;
    const uint64_t *leaves;      /* words; CODES_WIDE: int64 values, width a leaf */
    const int64_t *bias;         /* n_outputs */
    const int32_t *output;       /* CODES_WIDE: first output of each tree */
    const int64_t *multiplier;   /* CODES_WIDE */
    /* Bins of a real operand, as in SKQ_BIN; NULL: the operand holds codes. */
    const int32_t *feature;
    const double *edges;
    const int64_t *offsets, *base;
} skq_forest;

/* Best instruction set of this machine. */
int skq_best_isa(void);

/* Bytes of arena that blocks of at most `block` rows need. */
size_t skq_arena_bytes(const skq_program *program, int64_t block);

/* Run rows [first, first + n_rows) in blocks. `inputs` in the order of program->inputs; output i
 * holds rows of int64 (or double) from row 0 on. `arena` is aligned to 64 bytes. Answers SKQ_OK,
 * SKQ_NOT_FINITE when a real input holds what `refuse` names, or SKQ_OUT_OF_RANGE when an integer
 * input leaves its proven interval; outputs are then meaningless. */
int skq_run(const skq_program *program, const skq_input *inputs, void *const *outputs,
            int64_t first, int64_t n_rows, int64_t block, void *arena, int refuse, int isa);

#ifdef __cplusplus
}
#endif

#endif
