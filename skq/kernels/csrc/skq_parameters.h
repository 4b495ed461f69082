/* Parameters of the steps: one struct an operation. The structs are declared from this table, and so are
 * the lists of their fields, which the reader of descriptors uses. Python repeats the names (`FIELDS` in
 * layout.py) and compares them when the extension is imported.
 *
 * NUMBER(type, name) is a number. ARRAY(name) is an array of doubles. INTEGERS(name) is an array of
 * integers, packed or not, with its dtype in the field name_dtype. In descriptors an array is an offset in
 * the constants; 0 means that there is none.
 *
 * `row` is the number of elements in a row of the result, and `n_channels` the number of channels, which
 * are the last axis of a row: element i has channel i % n_channels. */
#ifndef SKQ_PARAMETERS_H
#define SKQ_PARAMETERS_H

/* Codes of real rows. Kinds: SKQ_RECIPROCAL, SKQ_DIVIDE, SKQ_WIDE_CODES. */
#define SKQ_QUANTIZE_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, row) \
    NUMBER(int32_t, n_channels) \
    ARRAY(scale) \
    INTEGERS(zero_point) \
    NUMBER(uint8_t, kind) \
    NUMBER(int64_t, lo) \
    NUMBER(int64_t, hi)

/* Exact products of rows and weights. Kinds: SKQ_DOT_U8_I8 ... SKQ_QUADS_U8_I8. */
#define SKQ_MATMUL_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, n_inputs) \
    NUMBER(int32_t, n_outputs) \
    INTEGERS(weights)             /* [n_outputs][n_inputs] */ \
    NUMBER(uint8_t, kind) \
    NUMBER(int32_t, panel)        /* outputs whose weights are unpacked at a time, into the scratch \
                                     memory: at least SKQ_GROUP_OUTPUTS, or all */

/* Quantize and MatMul in one step; not with SKQ_PORTABLE. */
#define SKQ_LINEAR_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, n_inputs) \
    NUMBER(int32_t, n_outputs)    /* at most 4 */ \
    ARRAY(scale) \
    INTEGERS(zero_point) \
    INTEGERS(weights)             /* [n_outputs][n_inputs] */ \
    NUMBER(int64_t, lo)           /* lo and hi: least and greatest code */ \
    NUMBER(int64_t, hi)

/* Fixed-point rescaling. Kinds: SKQ_NARROW_FACTORS, SKQ_ANY_FACTORS, and SKQ_UNCLIPPED. */
#define SKQ_REQUANTIZE_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, row) \
    NUMBER(int32_t, n_channels) \
    INTEGERS(multiplier) \
    INTEGERS(offset) \
    NUMBER(uint8_t, shift) \
    NUMBER(uint8_t, kind) \
    NUMBER(int64_t, lo)           /* lo and hi: not set with SKQ_UNCLIPPED */ \
    NUMBER(int64_t, hi)

/* Lookup: entry x - lo of a table. */
#define SKQ_TABLE_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, row) \
    INTEGERS(table)               /* [n_tables][n_entries], packed or of the result's dtype */ \
    NUMBER(int32_t, n_entries)    /* entries of one table */ \
    NUMBER(int64_t, lo) \
    NUMBER(int32_t, n_tables)     /* number of channels with a table each; 0: one table for all */

/* Two operands, broadcast. `index` and `index2` hold, for each element of the result, the index of the
 * element that it reads of the first and the second operand; no array: the same index. */
#define SKQ_ELEMENTWISE_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, row) \
    INTEGERS(index) \
    INTEGERS(index2)

/* Reductions over the last axis. */
#define SKQ_REDUCTION_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, length)       /* of the last axis */ \
    NUMBER(int32_t, n_runs)       /* results in a row */

/* Least element of the last axis up to which the weights add up to `threshold`. */
#define SKQ_MEDIAN_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, length)       /* of the last axis */ \
    NUMBER(int32_t, n_runs)       /* results in a row */ \
    INTEGERS(weights)             /* [length], at least 0 */ \
    NUMBER(int64_t, threshold)    /* at least 1, at most the sum of the weights */

/* Elements of a row by index; -1 stands for `fill`. */
#define SKQ_GATHER_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, n_read)       /* elements of the operand */ \
    NUMBER(int32_t, row)          /* elements of the result */ \
    INTEGERS(index) \
    NUMBER(uint8_t, laid_out)     /* dtype to which a packed index is unpacked */ \
    NUMBER(int64_t, fill)

/* One operand of a Concat, copied into the result. */
#define SKQ_COPY_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, n_read)       /* elements of the operand */ \
    NUMBER(int32_t, row) \
    NUMBER(int32_t, first)        /* index of its first element in the result */

/* Integers to reals: (x - zero_point) * scale. */
#define SKQ_DEQUANTIZE_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, row) \
    NUMBER(int32_t, n_channels) \
    ARRAY(scale) \
    ARRAY(zero_point)

/* All structs. */
#define SKQ_PARAMETER_STRUCTS(STRUCT) \
    STRUCT(quantize, SKQ_QUANTIZE_PARAMETERS) \
    STRUCT(matmul, SKQ_MATMUL_PARAMETERS) \
    STRUCT(linear, SKQ_LINEAR_PARAMETERS) \
    STRUCT(requantize, SKQ_REQUANTIZE_PARAMETERS) \
    STRUCT(table, SKQ_TABLE_PARAMETERS) \
    STRUCT(elementwise, SKQ_ELEMENTWISE_PARAMETERS) \
    STRUCT(reduction, SKQ_REDUCTION_PARAMETERS) \
    STRUCT(median, SKQ_MEDIAN_PARAMETERS) \
    STRUCT(gather, SKQ_GATHER_PARAMETERS) \
    STRUCT(copy, SKQ_COPY_PARAMETERS) \
    STRUCT(dequantize, SKQ_DEQUANTIZE_PARAMETERS)

#define SKQ_DECLARE_NUMBER(type, name) type name;
#define SKQ_DECLARE_ARRAY(name) const void *name;
#define SKQ_DECLARE_INTEGERS(name) const void *name; int8_t name##_dtype;
#define SKQ_DECLARE_STRUCT(name, fields) \
    typedef struct { \
        fields(SKQ_DECLARE_NUMBER, SKQ_DECLARE_ARRAY, SKQ_DECLARE_INTEGERS) \
    } skq_##name;

SKQ_PARAMETER_STRUCTS(SKQ_DECLARE_STRUCT)

#endif
