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

/* Dtypes. A value of a program is one of U8 ... F64; U32 is also that of constants, U64 and F32 only
 * come in from outside. */
enum {
    SKQ_U8, SKQ_I8, SKQ_U16, SKQ_I16, SKQ_I32, SKQ_I64, SKQ_F64, SKQ_F32, SKQ_U32, SKQ_U64
};

/* The dtype of a packed array of constants: SKQ_PACKED + its bits, 1 ... 63, or -bits where its codes
 * stand for themselves less half their range. Codes are cut into planes of 8, 4, 2 and 1 bits,
 * the lowest bits first, which stand one behind the other. A plane of w bits of N codes has
 * B = ceil(N w / 8) bytes; code e is in byte e % B, from bit w (e / B) on. */
enum { SKQ_PACKED = SKQ_U64 };

/* Steps. The parameters of each are a struct of skq_parameters.h; a step lays out their arrays as its
 * loops read them in its part `own` of the arena, once a run. `own` of a matmul counts from where weights
 * are arranged; its scratch has room for `panel` outputs as elements of the operand's dtype, and a line
 * more, before that of the operand. */
enum {
    SKQ_QUANTIZE, SKQ_BIN, SKQ_MATMUL, SKQ_REQUANTIZE, SKQ_TABLE, SKQ_FOREST,
    SKQ_ADD, SKQ_SUB, SKQ_MUL, SKQ_MAXIMUM, SKQ_MINIMUM,
    SKQ_SUM, SKQ_MAX, SKQ_MIN, SKQ_ARGMAX, SKQ_GATHER, SKQ_COPY, SKQ_DEQUANTIZE, SKQ_LINEAR,
    SKQ_N_OPERATIONS
};

/* Kinds of SKQ_QUANTIZE. */
enum { SKQ_RECIPROCAL, SKQ_DIVIDE, SKQ_WIDE_CODES };
/* Kinds of SKQ_REQUANTIZE: 32-bit factors on an int32 operand, or anything; and 2 more where all results
 * are known to be between lo and hi, which are then not given. */
enum { SKQ_NARROW_FACTORS = 0, SKQ_ANY_FACTORS = 1, SKQ_UNCLIPPED = 2 };
/* Kinds of SKQ_MATMUL: dtypes of operand and weights, and how a run of many rows arranges the weights.
 * DOT: as they are. PAIRS: [m / 8][n / 2][8][2]. QUADS: [m / 16][n / 4][16][4]. Inputs are padded by
 * zero; the last group of outputs is as narrow as it is (behind PAIRS are 14 more, not used). The 8-
 * and 16-bit kinds accumulate in int32, which the caller has proven sufficient. A run of fewer than
 * SKQ_FEW_PRODUCTS rows of a matmul reads them as they are, some outputs at a time. */
enum {
    SKQ_DOT_U8_I8, SKQ_DOT_I16_I16, SKQ_DOT_I32_I32, SKQ_DOT_I64_I64, SKQ_PAIRS_I16_I8,
    SKQ_PAIRS_I16_I16, SKQ_QUADS_U8_I8
};

/* Rows of a matmul that are worth arranging its weights for. */
#define SKQ_FEW_PRODUCTS 16
/* Outputs of the largest group. */
#define SKQ_GROUP_OUTPUTS 16

/* Channels are repeated to at least so many numbers, so that most vectors are whole. */
#define SKQ_PERIOD 128

/* Instruction sets, in rising order; each has its own copy of all kernels. */
#define SKQ_PORTABLE 0
#define SKQ_AVX2 1
#define SKQ_AVX512 2
#define SKQ_AVX512_VNNI 3

/* What skq_run refuses, and what it answers. */
enum { SKQ_REFUSE_NONE = 0, SKQ_REFUSE_INFINITE = 1, SKQ_REFUSE_NAN = 2 };
enum { SKQ_OK = 0, SKQ_NOT_FINITE = 1, SKQ_OUT_OF_RANGE = 2 };

typedef struct {
    int32_t size;      /* elements in a row */
    int32_t slot;      /* number of its place in the arena; described: how far below a new one */
    int64_t before;    /* bytes of a row in the slots before that; not described */
    uint8_t dtype;
    uint8_t checked;   /* a real input that a step of this run checks for what is refused */
    uint8_t wanted;    /* in this run */
} skq_value;

#include "skq_parameters.h"

struct skq_bins;
struct skq_forest;

/* The parameters of one step. */
typedef union {
#define SKQ_MEMBER(name, fields) skq_##name name;
    SKQ_PARAMETER_STRUCTS(SKQ_MEMBER)
#undef SKQ_MEMBER
    const struct skq_bins *bins;
    const struct skq_forest *forest;
} skq_parameters;

typedef struct {
    int32_t in, in2, out;        /* described: how far `out` is below that of the step before, plus 1,
                                    and `in` below `out`, less 1 */
    uint32_t own;                /* where it lays out constants, in lines of 64 bytes */
    uint8_t op;
    skq_parameters of;           /* described behind the step */
} skq_step;

typedef struct {
    int64_t lo, hi;    /* proven interval; unused for doubles */
    int32_t value;
} skq_argument;

typedef struct {
    int32_t n_values, n_steps, n_inputs, n_outputs, n_forests, n_bins;
    int32_t block;               /* rows that are worked on together */
    int32_t more_products;       /* rows of a matmul in a row of the program, at most, less 1 */
    int64_t scratch;             /* lines of 64 bytes that the steps share, for a block */
    int64_t laid_out;            /* lines of all constants that steps lay out, but for */
    int64_t arranged;            /* those of all weights that matmuls arrange */
    /* not described */
    int32_t n_slots;
    int64_t row;                 /* bytes of a row of all slots */
    skq_value *values;
    skq_step *steps;
    skq_argument *inputs;
    int32_t *outputs;            /* value numbers */
} skq_program;

/* An array of rows from outside: any strides, in bytes. */
typedef struct {
    const void *data;
    int64_t row_stride, column_stride;
    int32_t dtype, unused;
} skq_input;

/* Bins: column c has the n_edges = offsets[c + 1] - offsets[c] sorted edges from offsets[c] on. */
typedef struct skq_bins {
    const double *edges;
    const void *feature, *offsets, *base, *nan_code;
    int32_t n;                   /* columns */
    int8_t feature_dtype, offsets_dtype, base_dtype, nan_code_dtype;
} skq_bins;

/* Words of leaf values, of less than 8 bytes, that are read together: those behind the last one of a
 * tree that make up a group may be read, and are not used. */
#define SKQ_LEAF_WORDS 8

/* Forests. Codes are compared as `code <= threshold` (left) against the codes of the operand minus
 * its least one, 8 or 16 bits wide, in columns of SKQ_ROWS rows.
 *
 * Nodes are inner ones only, children before parents, so that the root is the last one, and a right
 * subtree next to its parent; child[side] is a node of the tree, or SKQ_LEAF + a leaf. Small trees
 * (n_top is 0) are evaluated node by node, for many rows at a time. So are the upper levels of the
 * others, which stand a second time, behind the nodes of the tree, as a small tree of n_top nodes: its
 * leaf k stands for the child exits[k], from where rows walk on; there are n_top + 1 exits. Nodes are
 * small where codes and columns have 8 bits, and tiny where besides no tree has more leaves than
 * SKQ_TINY_LEAF, which then marks a leaf. Trees with more leaves than SKQ_LEAF stand in a forest of
 * big nodes, whose mark of a leaf is SKQ_BIG_LEAF. One node of padding follows the last.
 *
 * With SKQ_REALS rows walk on the real operand: `threshold` is the number of an edge, right unless
 * x <= edges[threshold], and NaN goes right where `feature` has its highest bit, SKQ_BIG_NAN_RIGHT, or
 * SKQ_TINY_NAN_RIGHT with SKQ_REALS_TINY, whose nodes are tiny.
 *
 * A forest adds up words of leaf values in lanes of `lane_bits`, made non-negative by `bias`. The words
 * of a leaf have as many bytes as the tree needs, in lanes whose width is halved, up to three times,
 * where that makes them fewer; they are spread, and shifted to their lanes. Trees stand one behind the other in all arrays,
 * so that no tree says where it begins. */
#define SKQ_ROWS 256
#define SKQ_TINY_LEAF 0x80u
#define SKQ_LEAF 0x8000u
#define SKQ_BIG_LEAF 0x80000000u
#define SKQ_TINY_NAN_RIGHT 0x80u
#define SKQ_BIG_NAN_RIGHT 0x8000u
enum {
    SKQ_CODES_8_TINY, SKQ_CODES_8_SMALL, SKQ_CODES_8, SKQ_CODES_16, SKQ_CODES_16_BIG,
    SKQ_REALS_TINY, SKQ_REALS, SKQ_CODES_WIDE
};

typedef struct { uint8_t feature, threshold, child[2]; } skq_tiny_node;
typedef struct { uint8_t feature, threshold; uint16_t child[2]; } skq_small_node;
typedef struct { uint16_t feature, threshold, child[2]; } skq_node;
typedef struct { uint16_t feature, threshold; uint32_t child[2]; } skq_big_node;

typedef struct {
    uint32_t n_nodes, leaf_bytes; /* of all leaves, with what lies between them and the next tree's */
    uint16_t n_top;
    uint16_t word, n_words;      /* first of the sums that it adds to, and how many */
    uint8_t item;                /* bytes of a word of a leaf */
    uint8_t shift;               /* bits to the left; and 64 for each time that lanes are halved */
} skq_tree;

/* The same, in a forest of trees whose numbers all fit. */
typedef struct { uint16_t leaf_bytes; uint8_t n_nodes, n_top, word, n_words, item, shift; } skq_small_tree;

/* Forms of the trees of a forest: skq_tree; skq_small_tree; or one skq_small_tree, and behind it for each
 * tree a uint16_t: its n_nodes, and 256 times leaf_bytes / item. */
enum { SKQ_TREES, SKQ_SMALL_TREES, SKQ_ALIKE_TREES };

typedef struct { int64_t threshold; int32_t feature; int32_t child[2]; } skq_wide_node;

typedef struct skq_forest {
    int32_t codes, n_trees, n_columns, n_outputs;
    int32_t n_words, lane_bits;
    int32_t width;               /* CODES_WIDE: outputs that a tree adds to */
    int32_t tree_form, bias_dtype;
    int32_t binned;              /* whether the operand is real, and has bins */
    int64_t code_lo;
    const void *trees;           /* CODES_WIDE: int32_t root of each */
    const void *nodes;
    const void *exits;           /* of the type of a child */
    const void *leaves;          /* CODES_WIDE: int64_t, width a leaf */
    const void *bias;            /* n_outputs, of bias_dtype */
    const int32_t *output;       /* CODES_WIDE: first output of each tree */
    const int64_t *multiplier;   /* CODES_WIDE */
    const skq_bins *bins;        /* not described; NULL: the operand holds codes */
    const double *edges;         /* REALS */
} skq_forest;

/* Descriptors: a skq_program, its values, its steps, each followed by its parameters: a struct of
 * skq_parameters.h, a skq_bins or a skq_forest (one whose operand is binned, by its skq_bins), its inputs, and the numbers of
 * its outputs. A small model is not to take more for its descriptors than for its constants, so a plan
 * keeps them as numbers of variable length, and only the fields that are not zero:
 *
 * - a number is 2 k, or -2 k - 1 where it is negative, in bytes of 7 bits, the lowest first, the highest
 *   bit of a byte saying whether another one follows;
 * - an array of constants is the difference of its offset in the block of constants to that of the
 *   array named before it;
 * - a struct is a byte whose lowest bits say which of the first seven fields of skq_..._fields follow,
 *   its highest whether, behind them, there is such a byte for the next seven.
 *
 * A run reads the program first and opens the rest in skq_opened_bytes of memory, aligned to 8 bytes. It
 * then selects the steps that those outputs need that are not NULL; skq_run does no others. */
typedef struct {
    const char *name;            /* with an asterisk where it is an address; the last is NULL */
    uint8_t place, bytes, is_address;
} skq_field;
#define SKQ_FIELDS_OF(name, fields) extern const skq_field skq_##name##_fields[];
SKQ_PARAMETER_STRUCTS(SKQ_FIELDS_OF)
#undef SKQ_FIELDS_OF
extern const skq_field skq_program_fields[], skq_value_fields[], skq_step_fields[],
    skq_argument_fields[], skq_bins_fields[], skq_forest_fields[];
const void *skq_read_program(const void *packed, skq_program *program); /* answers where the rest is */
size_t skq_opened_bytes(const skq_program *program);
void skq_open(skq_program *program, const void *rest, const void *constants, void *memory);
void skq_select(skq_program *program, void *const *outputs);

/* Best instruction set of this machine. */
int skq_best_isa(void);

/* Bytes of arena that runs of at most `n_rows` rows in blocks of at most `block` need. */
size_t skq_arena_bytes(const skq_program *program, int64_t block, int64_t n_rows);

/* Run rows [first, first + n_rows) in blocks. `inputs` in the order of program->inputs; `outputs` as
 * they were selected: each that is not NULL holds rows of int64 (or double) from row 0 on. `arena` is
 * aligned to 64 bytes. Answers SKQ_OK, SKQ_NOT_FINITE when a real input holds what `refuse` names, or
 * SKQ_OUT_OF_RANGE when an integer input leaves its proven interval; outputs are then meaningless. */
int skq_run(const skq_program *program, const skq_input *inputs, void *const *outputs,
            int64_t first, int64_t n_rows, int64_t block, void *arena, int refuse, int isa);

#ifdef __cplusplus
}
#endif

#endif
