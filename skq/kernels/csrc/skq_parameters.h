/* Parameters of the steps: one struct an operation. This table is the only place that names their
 * fields: it declares the structs, and lists the fields for the reader of descriptors and for Python
 * (`FIELDS` in layout.py, compared when the extension is imported).
 *
 * NUMBER(type, name) is a number. ARRAY(name) is an array of doubles, or of a dtype that is said, and
 * INTEGERS(name) one of integers, packed or not, whose dtype is in the field name_dtype. In a plan arrays
 * are offsets in its block of constants; 0 stands for none. */
#ifndef SKQ_PARAMETERS_H
#define SKQ_PARAMETERS_H

/* Codes of real rows. Kinds: SKQ_RECIPROCAL, SKQ_DIVIDE, SKQ_WIDE_CODES. */
#define SKQ_QUANTIZE_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, row)          /* elements */ \
    NUMBER(int32_t, n_channels) \
    ARRAY(scale) \
    INTEGERS(zero_point) \
    NUMBER(uint8_t, kind) \
    NUMBER(int64_t, lo) \
    NUMBER(int64_t, hi)

/* Exact products. Kinds: SKQ_DOT_U8_I8 and those behind it. */
#define SKQ_MATMUL_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, n_inputs) \
    NUMBER(int32_t, n_outputs) \
    INTEGERS(weights)             /* [n_outputs][n_inputs] */ \
    NUMBER(uint8_t, kind) \
    NUMBER(int32_t, panel)        /* outputs whose weights are unpacked at a time, at the start of the \
                                     scratch: SKQ_GROUP_OUTPUTS at least, or all */

/* Quantize and MatMul in one step, not in SKQ_PORTABLE. */
#define SKQ_LINEAR_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, n_inputs) \
    NUMBER(int32_t, n_outputs)    /* at most 4 */ \
    ARRAY(scale) \
    INTEGERS(zero_point) \
    INTEGERS(weights)             /* [n_outputs][n_inputs] */ \
    NUMBER(int64_t, lo)           /* of the codes */ \
    NUMBER(int64_t, hi)

/* Fixed-point rescaling. Kinds: SKQ_NARROW_FACTORS, SKQ_ANY_FACTORS, and SKQ_UNCLIPPED. */
#define SKQ_REQUANTIZE_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, row) \
    NUMBER(int32_t, n_channels) \
    INTEGERS(multiplier) \
    INTEGERS(offset) \
    NUMBER(uint8_t, shift) \
    NUMBER(uint8_t, kind) \
    NUMBER(int64_t, lo)           /* not given with SKQ_UNCLIPPED */ \
    NUMBER(int64_t, hi)

/* Lookup, entry x - lo. */
#define SKQ_TABLE_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, row) \
    INTEGERS(table)               /* packed, or of the dtype of the result */ \
    NUMBER(int32_t, n_entries)    /* of a table */ \
    NUMBER(int64_t, lo) \
    NUMBER(int32_t, n_tables)     /* one a channel, or 0: one for all */

/* Two operands, broadcast: where each element of the result reads them; without an index the same place. */
#define SKQ_ELEMENTWISE_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, row) \
    INTEGERS(index) \
    INTEGERS(index2)

/* Over the last axis. */
#define SKQ_REDUCTION_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, length) \
    NUMBER(int32_t, n_runs)       /* in a row */

/* Elements of a row by index; -1 stands for `fill`. */
#define SKQ_GATHER_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, n_read)       /* elements of the operand */ \
    NUMBER(int32_t, row)          /* elements of the result */ \
    INTEGERS(index) \
    NUMBER(uint8_t, laid_out)     /* the dtype in which a packed index is laid out */ \
    NUMBER(int64_t, fill)

/* A part of a Concat. */
#define SKQ_COPY_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, n_read) \
    NUMBER(int32_t, row) \
    NUMBER(int32_t, first)        /* where it begins in the result */

/* Reals of integers. */
#define SKQ_DEQUANTIZE_PARAMETERS(NUMBER, ARRAY, INTEGERS) \
    NUMBER(int32_t, row) \
    NUMBER(int32_t, n_channels) \
    ARRAY(scale) \
    ARRAY(zero_point)

/* All structs, and the operations that have them. */
#define SKQ_PARAMETER_STRUCTS(STRUCT) \
    STRUCT(quantize, SKQ_QUANTIZE_PARAMETERS) \
    STRUCT(matmul, SKQ_MATMUL_PARAMETERS) \
    STRUCT(linear, SKQ_LINEAR_PARAMETERS) \
    STRUCT(requantize, SKQ_REQUANTIZE_PARAMETERS) \
    STRUCT(table, SKQ_TABLE_PARAMETERS) \
    STRUCT(elementwise, SKQ_ELEMENTWISE_PARAMETERS) \
    STRUCT(reduction, SKQ_REDUCTION_PARAMETERS) \
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
