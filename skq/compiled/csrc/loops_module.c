/* The extension module skq.compiled._loops: inner loops of conversion.
 *
 * Each function computes, to the bit, what the NumPy function of the same name in Python computes: sums
 * are added up in the order that is stated there. Python checks shapes and data types; here only sizes of
 * buffers are checked. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BUFFERS 24

/* Arguments of a call: buffers of arrays, taken in turn. */
typedef struct {
    PyObject *const *args;
    Py_ssize_t n_args, next;
    Py_buffer buffers[MAX_BUFFERS];
    int n_buffers, failed;
} arguments;

static void start(arguments *a, PyObject *const *args, Py_ssize_t n_args)
{
    a->args = args;
    a->n_args = n_args;
    a->next = 0;
    a->n_buffers = 0;
    a->failed = 0;
}

static PyObject *finish(arguments *a)
{
    for (int i = 0; i < a->n_buffers; i++)
        PyBuffer_Release(&a->buffers[i]);
    if (a->failed)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *next_argument(arguments *a)
{
    if (a->failed)
        return NULL;
    if (a->next >= a->n_args) {
        PyErr_SetString(PyExc_TypeError, "too few arguments");
        a->failed = 1;
        return NULL;
    }
    return a->args[a->next++];
}

/* The memory of the next argument, a contiguous array of `count` items of 8 or 4 bytes. */
static void *array_of(arguments *a, int64_t count, int64_t item, int writes)
{
    PyObject *argument = next_argument(a);
    if (!argument)
        return NULL;
    Py_buffer *buffer = &a->buffers[a->n_buffers];
    if (PyObject_GetBuffer(argument, buffer, writes ? PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE : PyBUF_C_CONTIGUOUS)) {
        a->failed = 1;
        return NULL;
    }
    a->n_buffers++;
    if (buffer->itemsize != item || buffer->len != count * item) {
        PyErr_Format(PyExc_ValueError, "argument %zd has another size than expected", a->next);
        a->failed = 1;
        return NULL;
    }
    return buffer->buf;
}

static const double *doubles(arguments *a, int64_t count) { return array_of(a, count, 8, 0); }
static double *writable_doubles(arguments *a, int64_t count) { return array_of(a, count, 8, 1); }
static const int64_t *longs(arguments *a, int64_t count) { return array_of(a, count, 8, 0); }
static int64_t *writable_longs(arguments *a, int64_t count) { return array_of(a, count, 8, 1); }
static const int32_t *ints(arguments *a, int64_t count) { return array_of(a, count, 4, 0); }

static int64_t integer(arguments *a)
{
    PyObject *argument = next_argument(a);
    if (!argument)
        return 0;
    const int64_t value = PyLong_AsLongLong(argument);
    if (value == -1 && PyErr_Occurred())
        a->failed = 1;
    return value;
}

static double number(arguments *a)
{
    PyObject *argument = next_argument(a);
    if (!argument)
        return 0;
    const double value = PyFloat_AsDouble(argument);
    if (value == -1.0 && PyErr_Occurred())
        a->failed = 1;
    return value;
}

static void *memory_of(arguments *a, int64_t count, size_t item)
{
    void *memory = malloc((size_t)(count > 0 ? count : 1) * item);
    if (!memory) {
        PyErr_NoMemory();
        a->failed = 1;
    }
    return memory;
}

static double *workspace(arguments *a, int64_t count) { return memory_of(a, count, sizeof(double)); }

static double clipped(double value, double lo, double hi) { return value < lo ? lo : value > hi ? hi : value; }

#include "descend.inc"
#include "edges.inc"
#include "leaves.inc"
#include "round_trees.inc"
#include "rows_below.inc"
#include "sweep.inc"

static PyMethodDef methods[] = {
    {"arrivals", (PyCFunction)(void (*)(void))arrivals, METH_FASTCALL,
     "See skq.quantization.trees.routing.Arrivals."},
    {"chosen_codes", (PyCFunction)(void (*)(void))chosen_codes, METH_FASTCALL,
     "See skq.quantization.search.descent.Grids.chosen_codes."},
    {"code_moments", (PyCFunction)(void (*)(void))code_moments, METH_FASTCALL,
     "See skq.quantization.search.descent.Grids.moments."},
    {"descend_round", (PyCFunction)(void (*)(void))descend_round, METH_FASTCALL,
     "See skq.quantization.search.descent.descend_round."},
    {"group_costs", (PyCFunction)(void (*)(void))group_costs, METH_FASTCALL,
     "See skq.quantization.trees.bins.group_costs."},
    {"leaf_indices", (PyCFunction)(void (*)(void))leaf_indices, METH_FASTCALL,
     "See skq.graph.ops.tree_ensemble.TreeArrays.leaf_indices."},
    {"leaf_sums", (PyCFunction)(void (*)(void))leaf_sums, METH_FASTCALL,
     "See skq.quantization.trees.leaves.sums_over_trees."},
    {"round_trees", (PyCFunction)(void (*)(void))round_trees, METH_FASTCALL,
     "See skq.quantization.trees.rounding.round_trees."},
    {"rows_below", (PyCFunction)(void (*)(void))rows_below, METH_FASTCALL,
     "See skq.quantization.search.candidates.rows_below."},
    {"run_starts", (PyCFunction)(void (*)(void))run_starts, METH_FASTCALL,
     "See skq.quantization.trees.bins.partition."},
    {"subtree_sums", (PyCFunction)(void (*)(void))subtree_sums, METH_FASTCALL,
     "See skq.graph.ops.tree_ensemble.TreeArrays.subtree_sums."},
    {"sweep", (PyCFunction)(void (*)(void))sweep, METH_FASTCALL,
     "See skq.quantization.search.weights.sweep."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_loops", "Inner loops of conversion.", 0, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__loops(void) { return PyModuleDef_Init(&module); }
