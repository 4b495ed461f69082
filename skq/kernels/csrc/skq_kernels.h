/* skq: integer kernels in C99 without dependencies. This header is their whole interface.
 *
 * A plan is an integer program, compiled for these kernels. It has two parts, both constant, without
 * addresses, and owned by the caller:
 *
 * - constants: one block of bytes that holds all arrays (weights, tables, edges, nodes of trees);
 * - descriptors: the structs below, written as numbers of variable length (see "Descriptors"). They
 *   name an array by its offset, in bytes, from the start of the constants.
 *
 * A plan is a list of steps over numbered values: each step reads one or two values and defines one. To
 * run a plan, open it once and then run rows in as many calls, and from as many threads, as wanted:
 *
 *     skq_program program;
 *     const void *rest = skq_read_program(descriptors, &program);
 *     void *memory = malloc(skq_opened_bytes(&program));
 *     skq_open(&program, rest, constants, memory);
 *     skq_select(&program, outputs);
 *     skq_run(&program, inputs, outputs, 0, n_rows, block, arena, refuse, isa);
 *
 * Rows are processed in blocks. All memory that a run writes, but for the outputs, is one piece of memory,
 * the arena. It holds the values of one block, row-major, in the dtype of their skq_value; the scratch
 * memory that the steps share; and a workspace for each step that lays out its constants, once per run, in
 * the layout that its loops read. Each thread needs its own arena (skq_arena_bytes bytes,
 * aligned to 64). Nothing here allocates or writes to the plan.
 *
 * Units: sizes and offsets are in bytes unless their comment says "lines". A line is 64 bytes, the size
 * of a cache line and of the widest vector. The constants begin at a multiple of 64 bytes, and each array
 * at a multiple of 8, or of 64 if it has at least 4096 bytes.
 *
 * Each step computes exactly what skq.engines.reference defines, bit for bit. For that the C
 * implementation must use two's complement, shift negative numbers arithmetically, and compute doubles as
 * IEEE 754 binary64, rounding to nearest, without contraction or excess precision.
 */
#ifndef SKQ_KERNELS_H
#define SKQ_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Dtypes. A value of a program has one of SKQ_U8 ... SKQ_F64. Arrays of constants may also be SKQ_U32,
 * inputs also SKQ_F32, SKQ_U32 and SKQ_U64. */
enum {
    SKQ_U8, SKQ_I8, SKQ_U16, SKQ_I16, SKQ_I32, SKQ_I64, SKQ_F64, SKQ_F32, SKQ_U32, SKQ_U64
};

/* Packed arrays of constants hold integers of b bits, 1 <= b <= 63. Their dtype is SKQ_PACKED + b if the
 * codes are the integers themselves, or -b if the integers are the codes minus 2**(b - 1).
 *
 * The codes are cut into planes of 8, 4, 2 and 1 bits, the lowest bits first: 13 bits are planes of 8, 4
 * and 1. The planes follow each other without gaps. A plane of w bits of N codes has
 * B = ceil(N w / 8) bytes; code e is in byte e % B, from bit w (e / B) on. */
enum { SKQ_PACKED = SKQ_U64 };

/* Operations of steps. skq_parameters.h declares the parameters of each, one struct an operation. */
enum {
    SKQ_QUANTIZE, SKQ_BIN, SKQ_MATMUL, SKQ_REQUANTIZE, SKQ_TABLE, SKQ_FOREST,
    SKQ_ADD, SKQ_SUB, SKQ_MUL, SKQ_MAXIMUM, SKQ_MINIMUM,
    SKQ_SUM, SKQ_MAX, SKQ_MIN, SKQ_ARGMAX, SKQ_WEIGHTED_MEDIAN, SKQ_GATHER, SKQ_COPY,
    SKQ_DEQUANTIZE, SKQ_LINEAR,
    SKQ_N_OPERATIONS
};

/* Kinds of SKQ_QUANTIZE: multiply by 1 / scale, and divide near ties; always divide; codes of more than
 * 30 bits. */
enum { SKQ_RECIPROCAL, SKQ_DIVIDE, SKQ_WIDE_CODES };

/* Kinds of SKQ_REQUANTIZE: an int32 operand with multipliers of 32 bits, or any operand. SKQ_UNCLIPPED is
 * added where all results are proven to be within lo and hi: these two are then not set. */
enum { SKQ_NARROW_FACTORS = 0, SKQ_ANY_FACTORS = 1, SKQ_UNCLIPPED = 2 };

/* Kinds of SKQ_MATMUL, by the dtypes of operand and weights. The kinds of 8 and 16 bits accumulate in
 * int32, which the caller has proven sufficient; the others in 64 bits.
 *
 * Weights of n inputs and m outputs are stored as [m][n]. A run with at least SKQ_FEW_PRODUCTS rows of a
 * matmul first copies ("arranges") them into the order in which its loops read them:
 *
 *     DOT    [m][n]
 *     PAIRS  [m / 8][n / 2][8][2]
 *     QUADS  [m / 16][n / 4][16][4]
 *
 * n is padded with zeros to a multiple of 2 or 4. m is not padded: the last group has as many outputs as
 * are left. Vector loads of PAIRS read up to 14 weights past the end and ignore them. A run with fewer
 * rows reads the stored weights, unpacked for `panel` outputs at a time.
 *
 * The scratch memory of a matmul holds the unpacked weights of `panel` outputs and one more line, followed
 * by the operand if it has to be converted to the dtype of the kind. */
enum {
    SKQ_DOT_U8_I8, SKQ_DOT_I16_I16, SKQ_DOT_I32_I32, SKQ_DOT_I64_I64, SKQ_PAIRS_I16_I8,
    SKQ_PAIRS_I16_I16, SKQ_QUADS_U8_I8
};

/* Least rows of a matmul for which its weights are arranged. */
#define SKQ_FEW_PRODUCTS 16
/* Outputs of the largest group of arranged weights. */
#define SKQ_GROUP_OUTPUTS 16

/* Parameters of channels are repeated to at least this many numbers, so that most vectors are full. */
#define SKQ_PERIOD 128

/* Instruction sets, in rising order. The kernels are compiled once for each. */
#define SKQ_PORTABLE 0
#define SKQ_AVX2 1
#define SKQ_AVX512 2
#define SKQ_AVX512_VNNI 3

/* Elements of real inputs that skq_run refuses: a bit mask. */
enum { SKQ_REFUSE_NONE = 0, SKQ_REFUSE_INFINITE = 1, SKQ_REFUSE_NAN = 2 };
/* Status that skq_run returns. */
enum { SKQ_OK = 0, SKQ_NOT_FINITE = 1, SKQ_OUT_OF_RANGE = 2 };

/* A value: the rows of an input, or of the result of a step. Values share slots of the arena: a slot is
 * reused after the last step that reads its value. */
typedef struct {
    int32_t size;      /* elements in a row */
    int32_t slot;      /* index of its slot in the arena; in descriptors: the number of slots so far
                          minus that index, so 0 for a new slot */
    int64_t before;    /* bytes of a row in all slots before that one; not in descriptors */
    uint8_t dtype;
    uint8_t checked;   /* whether the step that reads this real input checks it for refused elements;
                          set by skq_select */
    uint8_t wanted;    /* whether this run needs the value; set by skq_select */
} skq_value;

#include "skq_parameters.h"

struct skq_bins;
struct skq_forest;

/* The parameters of one step; the operation says which member is set. */
typedef union {
#define SKQ_MEMBER(name, fields) skq_##name name;
    SKQ_PARAMETER_STRUCTS(SKQ_MEMBER)
#undef SKQ_MEMBER
    const struct skq_bins *bins;
    const struct skq_forest *forest;
} skq_parameters;

/* A step. `in`, `in2` and `out` are numbers of values. In descriptors `out` is (out of the step before)
 * + 1 - out, where the first step counts from n_inputs, and `in` is out - 1 - in. */
typedef struct {
    int32_t in, in2, out;
    uint32_t workspace;          /* offset of its workspace, in lines, from the start of the laid out
                                    constants; for SKQ_MATMUL from the start of the arranged weights */
    uint8_t op;
    skq_parameters of;           /* in descriptors: follow the step */
} skq_step;

/* An input of the program: the value that it fills, and the interval that its integers must be in. */
typedef struct {
    int64_t lo, hi;    /* proven interval; unused for doubles */
    int32_t value;
} skq_argument;

/* An opened plan. */
typedef struct {
    int32_t n_values, n_steps, n_inputs, n_outputs, n_forests, n_bins;
    int32_t block;               /* rows of a block */
    int32_t more_products;       /* most rows that a matmul has for one row of the program, minus 1 */
    int64_t scratch;             /* lines of scratch memory that the steps share, for one block */
    int64_t laid_out;            /* lines of the constants that steps lay out, without matmul weights */
    int64_t arranged;            /* lines of the arranged weights of all matmuls */
    /* not in descriptors */
    int32_t n_slots;
    int64_t row;                 /* bytes of a row in all slots */
    skq_value *values;
    skq_step *steps;
    skq_argument *inputs;
    int32_t *outputs;            /* numbers of values */
} skq_program;

/* An array of rows that the caller passes in, with any strides, in bytes. */
typedef struct {
    const void *data;
    int64_t row_stride, column_stride;
    int32_t dtype, unused;
} skq_input;

/* Parameters of SKQ_BIN. Column c reads feature[c], has the sorted edges
 * edges[offsets[c]] ... edges[offsets[c + 1] - 1], and its codes are base[c] + #{edges < x}, or
 * nan_code[c] for NaN. */
typedef struct skq_bins {
    const double *edges;
    const void *feature, *offsets, *base, *nan_code;
    int32_t n;                   /* columns */
    int8_t feature_dtype, offsets_dtype, base_dtype, nan_code_dtype;
} skq_bins;

/* Words of leaf values, of less than 8 bytes each, that a vector reads at a time. Past the last word of a
 * tree the rest of such a group may be read, and is ignored. */
#define SKQ_LEAF_WORDS 8

/* Forests: the parameters of SKQ_FOREST, a sum over decision trees.
 *
 * Codes. Rows are processed SKQ_ROWS at a time, as columns of codes: the operand minus `code_lo`, 8 or 16
 * bits wide. A row goes to child[0] if code <= threshold, else to child[1].
 *
 * Nodes. Only inner nodes are stored. child[side] is the index of a node within the tree, or a leaf
 * number plus the leaf mark of the node type. Children come before their parent, and a right subtree
 * directly before its parent, so the root is the last node. One node of padding follows the last tree.
 *
 *     type             leaf mark       used for
 *     skq_tiny_node    SKQ_TINY_LEAF   8-bit codes in at most 256 columns, at most 128 leaves a tree
 *     skq_small_node   SKQ_LEAF        the same codes and columns, more leaves
 *     skq_node         SKQ_LEAF        16-bit codes, more columns, or a real operand
 *     skq_big_node     SKQ_BIG_LEAF    a tree of more than 32768 leaves
 *     skq_wide_node    (below)         wider codes, or nodes that several trees share (SKQ_CODES_WIDE)
 *
 * Evaluation. A small tree (n_top is 0) is evaluated node by node for many rows at a time. Of a larger tree
 * the upper levels are evaluated that way, and each row walks the rest. For that the upper levels are
 * stored once more, after the nodes of the tree, as a small tree of n_top nodes. Its leaf k stands for
 * the child exits[k] of the whole tree, where the walk starts; there are n_top + 1 exits.
 *
 * Real operands. With SKQ_REALS and SKQ_REALS_TINY rows walk on the real operand and nothing is binned:
 * `threshold` is the index of an edge, a row goes left if x <= edges[threshold], and NaN goes right if
 * the highest bit of `feature` is set (SKQ_BIG_NAN_RIGHT, or SKQ_TINY_NAN_RIGHT in tiny nodes).
 *
 * Leaf values. A forest adds 64-bit words that hold several outputs as lanes of `lane_bits` bits. Lanes
 * are non-negative: `bias` holds what is added to each output afterwards. The words of a tree are stored
 * in as few bytes as it needs (`item`). Where that makes them shorter, the width of the lanes is halved
 * up to three times; then the lanes are spread to full width when they are read. At last the word is
 * shifted left to its lanes.
 *
 * The trees follow each other in all arrays, so a tree stores sizes and no offsets.
 *
 * SKQ_CODES_WIDE is the exception to all of this: it stores the nodes of the program as they are. The
 * feature of a leaf is -1, and its child[0] is the leaf number. */
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

/* A tree: 16 bytes. */
typedef struct {
    uint32_t n_nodes;            /* inner nodes */
    uint32_t leaf_bytes;         /* bytes of its leaves, and of the padding before those of the next tree */
    uint16_t n_top;              /* nodes of the upper levels; 0 for a small tree */
    uint16_t word, n_words;      /* index of the first word of the sums that it adds to, and how many */
    uint8_t item;                /* bytes of a stored word: 1, 2, 4 or 8 */
    uint8_t shift;               /* bits to shift a word left, plus 64 for each halving of its lanes */
} skq_tree;

/* The same in 8 bytes, for a forest in which all numbers fit. */
typedef struct { uint16_t leaf_bytes; uint8_t n_nodes, n_top, word, n_words, item, shift; } skq_small_tree;

/* Layouts of `trees` in a forest: an array of skq_tree; an array of skq_small_tree; or, for trees that
 * differ only in n_nodes and leaf_bytes, one skq_small_tree followed by one uint16_t a tree, which is
 * n_nodes + 256 * (leaf_bytes / item). */
enum { SKQ_TREES, SKQ_SMALL_TREES, SKQ_ALIKE_TREES };

typedef struct { int64_t threshold; int32_t feature; int32_t child[2]; } skq_wide_node;

typedef struct skq_forest {
    int32_t codes;               /* SKQ_CODES_8_TINY ... SKQ_CODES_WIDE */
    int32_t n_trees, n_columns, n_outputs;
    int32_t n_words, lane_bits;  /* words of the sums of a row; bits of a lane */
    int32_t width;               /* CODES_WIDE: outputs that a tree adds to */
    int32_t tree_layout, bias_dtype;
    int32_t binned;              /* whether the operand is real and has bins */
    int64_t code_lo;             /* least code of the operand */
    const void *trees;           /* CODES_WIDE: int32_t, the root of each tree */
    const void *nodes;
    const void *exits;           /* of the type of a child */
    const void *leaves;          /* CODES_WIDE: int64_t, `width` for each leaf */
    const void *bias;            /* n_outputs numbers of bias_dtype */
    const int32_t *output;       /* CODES_WIDE: first output of each tree */
    const int64_t *multiplier;   /* CODES_WIDE: factor of each tree */
    const skq_bins *bins;        /* NULL: the operand holds codes; not in descriptors */
    const double *edges;         /* REALS and REALS_TINY */
} skq_forest;

/* Descriptors. They are, in this order: the skq_program; its values; its steps, each followed by its
 * parameters (a struct of skq_parameters.h, a skq_bins, or a skq_forest, which is followed by its
 * skq_bins if it is binned); its inputs; and the value numbers of its outputs.
 *
 * A small model should not need more bytes for descriptors than for constants. So only fields that are not
 * zero are stored, as numbers of variable length:
 *
 * - A number k is stored as 2 k if k >= 0, else as -2 k - 1, in bytes of 7 bits each, the lowest first.
 *   The highest bit of a byte says whether another byte follows.
 * - An array is stored as its offset in the constants minus the offset of the array stored before it.
 * - A struct starts with a byte whose lowest 7 bits say which of the first seven fields follow, in
 *   the order of skq_..._fields. Its highest bit says whether, after them, the next seven fields follow
 *   in the same way. */
typedef struct {
    const char *name;            /* begins with an asterisk if it is an array; NULL ends the list */
    uint8_t offset, bytes;       /* in the struct */
    uint8_t is_address;          /* whether it is an array */
} skq_field;
#define SKQ_FIELDS_OF(name, fields) extern const skq_field skq_##name##_fields[];
SKQ_PARAMETER_STRUCTS(SKQ_FIELDS_OF)
#undef SKQ_FIELDS_OF
extern const skq_field skq_program_fields[], skq_value_fields[], skq_step_fields[],
    skq_argument_fields[], skq_bins_fields[], skq_forest_fields[];

/* Read the skq_program at the start of the descriptors; returns the address of the rest. */
const void *skq_read_program(const void *packed, skq_program *program);

/* Bytes of memory that skq_open needs, aligned to 8 bytes. */
size_t skq_opened_bytes(const skq_program *program);

/* Read the rest of the descriptors into `memory`, with offsets turned into addresses. */
void skq_open(skq_program *program, const void *rest, const void *constants, void *memory);

/* Drop the steps that only outputs that are NULL need. Call it once, before skq_run. */
void skq_select(skq_program *program, void *const *outputs);

/* Best instruction set of this machine. */
int skq_best_isa(void);

/* Bytes of arena for runs of at most `n_rows` rows in blocks of at most `block`. */
size_t skq_arena_bytes(const skq_program *program, int64_t block, int64_t n_rows);

/* Run rows [first, first + n_rows) in blocks of `block` rows.
 *
 * `inputs` are in the order of program->inputs. `outputs` are those given to skq_select: each is NULL or
 * an array of int64 (or double) whose row 0 is row 0 of the inputs. `arena` is aligned to 64 bytes.
 *
 * Returns SKQ_OK; SKQ_NOT_FINITE if a real input holds what `refuse` names; or SKQ_OUT_OF_RANGE if an
 * integer input leaves its proven interval. The outputs are undefined unless it returns SKQ_OK. */
int skq_run(const skq_program *program, const skq_input *inputs, void *const *outputs,
            int64_t first, int64_t n_rows, int64_t block, void *arena, int refuse, int isa);

#ifdef __cplusplus
}
#endif

#endif
