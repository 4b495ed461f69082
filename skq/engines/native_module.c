/* skq.engines._native: the kernels for CPython. Thin: plans are built in Python as plain arrays. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "kernels/skq_kernels.h"

#if !defined(_WIN32)
#include <pthread.h>
#define THREADS 1
#else
#define THREADS 0
#endif

#define MAX_ARRAYS 64
#define MAX_THREADS 256
#define BLOCKS_A_TASK 8

typedef struct {
    const skq_program *program;
    const skq_input *inputs;
    void *const *outputs;
    int64_t n_rows, next, task;
    int refuse, isa, status;
#if THREADS
    pthread_mutex_t lock;
#endif
} job;

enum { NO_MEMORY = -1 };

/* First row of the next task; n_rows when there is none or the job has failed. */
static int64_t take(job *j, int status)
{
#if THREADS
    pthread_mutex_lock(&j->lock);
#endif
    if (status != SKQ_OK && j->status == SKQ_OK) {
        j->status = status;
        j->next = j->n_rows;
    }
    const int64_t first = j->next;
    j->next = first + j->task < j->n_rows ? first + j->task : j->n_rows;
#if THREADS
    pthread_mutex_unlock(&j->lock);
#endif
    return first;
}

static void *work(void *argument)
{
    job *j = argument;
    const int64_t block = j->program->block < j->n_rows ? j->program->block : j->n_rows;
    void *memory = malloc(skq_arena_bytes(j->program, block) + 64);
    int status = memory ? SKQ_OK : NO_MEMORY;
    char *arena = (char *)memory + (64 - (uintptr_t)memory % 64) % 64;
    for (int64_t first = take(j, status); first < j->n_rows; first = take(j, status)) {
        const int64_t left = j->n_rows - first;
        status = skq_run(j->program, j->inputs, j->outputs, first, left < j->task ? left : j->task,
                         block, arena, j->refuse, j->isa);
    }
    free(memory);
    return NULL;
}

static int run_job(job *j, int n_threads)
{
    const int64_t block = j->program->block;
    j->task = j->n_rows;
#if THREADS
    if (pthread_mutex_init(&j->lock, NULL) != 0)
        return NO_MEMORY;
    pthread_t threads[MAX_THREADS];
    int started = 0;
    const int64_t blocks = (j->n_rows + block - 1) / block;
    if (n_threads > blocks)
        n_threads = (int)blocks;
    if (n_threads > MAX_THREADS)
        n_threads = MAX_THREADS;
    if (n_threads > 1) {
        const int64_t fair = (blocks + 4 * n_threads - 1) / (4 * n_threads);
        j->task = block * (fair < BLOCKS_A_TASK ? fair : BLOCKS_A_TASK);
        while (started < n_threads - 1 &&
               pthread_create(&threads[started], NULL, work, j) == 0)
            started++;
    }
    work(j);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&j->lock);
#else
    (void)n_threads;
    (void)block;
    work(j);
#endif
    return j->status;
}

/* dtype of a buffer's elements, or -1 */
static int32_t dtype_of(const Py_buffer *view)
{
    const char *format = view->format ? view->format : "B";
    if (*format == '@' || *format == '=')
        format++;
    if (format[0] == '\0' || format[1] != '\0')
        return -1;
    switch (format[0]) {
    case 'f': return SKQ_F32;
    case 'd': return SKQ_F64;
    case '?': case 'B': return SKQ_U8;
    case 'b': return SKQ_I8;
    case 'H': return SKQ_U16;
    case 'h': return SKQ_I16;
    case 'I': case 'L': case 'Q': return view->itemsize == 8 ? SKQ_U64 : SKQ_U32;
    case 'i': case 'l': case 'q': return view->itemsize == 8 ? SKQ_I64 : SKQ_I32;
    default: return -1;
    }
}

/* Fill views[i] from item i of a tuple; -1 and an exception when an array does not fit. Inputs have
 * two axes; outputs, which are contiguous, any. */
static int open_views(PyObject *arrays, const int32_t *numbers, const skq_program *program,
                      Py_ssize_t n_rows, int flags, Py_buffer *views, int *opened)
{
    const int writable = (flags & PyBUF_WRITABLE) != 0;
    const Py_ssize_t count = PyTuple_Size(arrays);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (PyObject_GetBuffer(PyTuple_GetItem(arrays, i), views + i, flags) != 0)
            return -1;
        (*opened)++;
        const Py_ssize_t size = (Py_ssize_t)program->values[numbers[i]].size;
        const int fits = writable ? views[i].len == n_rows * size * views[i].itemsize
                                  : views[i].ndim == 2 && views[i].shape[0] == n_rows &&
                                        views[i].shape[1] == size;
        if (!fits || dtype_of(views + i) < 0) {
            PyErr_Format(PyExc_ValueError,
                         "array %zd has not the %zd rows of %zd elements or the dtype wanted", i,
                         n_rows, size);
            return -1;
        }
    }
    return 0;
}

static PyObject *run(PyObject *self, PyObject *args)
{
    (void)self;
    unsigned long long address;
    PyObject *in, *out;
    Py_ssize_t n_rows;
    int n_threads, refuse, isa;
    if (!PyArg_ParseTuple(args, "KO!O!niii:run", &address, &PyTuple_Type, &in, &PyTuple_Type, &out,
                          &n_rows, &n_threads, &refuse, &isa))
        return NULL;
    const skq_program *program = (const skq_program *)(uintptr_t)address;
    const Py_ssize_t n_in = PyTuple_Size(in), n_out = PyTuple_Size(out);
    if (n_in != program->n_inputs || n_out != program->n_outputs || n_in + n_out > MAX_ARRAYS) {
        PyErr_SetString(PyExc_ValueError, "wrong number of arrays");
        return NULL;
    }
    Py_buffer views[MAX_ARRAYS];
    skq_input inputs[MAX_ARRAYS];
    void *outputs[MAX_ARRAYS];
    int opened = 0;
    PyObject *result = NULL;
    if (open_views(in, program->inputs, program, n_rows, PyBUF_STRIDES | PyBUF_FORMAT, views,
                   &opened) != 0 ||
        open_views(out, program->outputs, program, n_rows,
                   PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | PyBUF_WRITABLE, views + n_in, &opened) != 0)
        goto done;
    for (Py_ssize_t i = 0; i < n_in; i++) {
        const skq_input input = {views[i].buf, views[i].strides[0], views[i].strides[1],
                                 dtype_of(views + i), 0};
        inputs[i] = input;
    }
    for (Py_ssize_t i = 0; i < n_out; i++) {
        if (views[n_in + i].itemsize != 8) {
            PyErr_SetString(PyExc_ValueError, "outputs are int64 or float64");
            goto done;
        }
        outputs[i] = views[n_in + i].buf;
    }
    job j = {.program = program, .inputs = inputs, .outputs = outputs, .n_rows = n_rows,
             .refuse = refuse, .isa = isa, .status = SKQ_OK};
    int status = SKQ_OK;
    Py_BEGIN_ALLOW_THREADS
    status = run_job(&j, n_threads);
    Py_END_ALLOW_THREADS
    if (status == NO_MEMORY)
        PyErr_NoMemory();
    else
        result = PyLong_FromLong(status);
done:
    for (int i = 0; i < opened; i++)
        PyBuffer_Release(views + i);
    return result;
}

static PyObject *best_isa(PyObject *self, PyObject *none)
{
    (void)self;
    (void)none;
    return PyLong_FromLong(skq_best_isa());
}

/* Sizes of the structs, by which Python checks that it lays them out alike. */
static PyObject *layout(PyObject *self, PyObject *none)
{
    (void)self;
    (void)none;
    return Py_BuildValue("{s:n,s:n,s:n,s:n,s:n,s:n,s:n,s:n}", "program",
                         (Py_ssize_t)sizeof(skq_program), "value", (Py_ssize_t)sizeof(skq_value),
                         "step", (Py_ssize_t)sizeof(skq_step), "forest",
                         (Py_ssize_t)sizeof(skq_forest), "tree", (Py_ssize_t)sizeof(skq_tree),
                         "node", (Py_ssize_t)sizeof(skq_node), "wide_node",
                         (Py_ssize_t)sizeof(skq_wide_node), "float_node",
                         (Py_ssize_t)sizeof(skq_float_node));
}

static PyMethodDef methods[] = {
    {"run", run, METH_VARARGS,
     "run(program, inputs, outputs, n_rows, n_threads, refuse, isa) -> status"},
    {"best_isa", best_isa, METH_NOARGS, "Best instruction set of this machine."},
    {"layout", layout, METH_NOARGS, "Bytes of each struct."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_native", "The integer kernels of skq.", 0, methods, slots,
    NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module); }
