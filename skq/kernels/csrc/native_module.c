/* skq.engines._native: the kernels for CPython. Thin: plans are built in Python as plain arrays. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "skq_kernels.h"

#if !defined(_WIN32)
#include <pthread.h>
#include <signal.h>
#include <time.h>
#define THREADS 1
#else
#include <windows.h>
#define THREADS 0
#endif

#define MAX_THREADS 256
#define FEW_BYTES 2048 /* of descriptors and arrays, for which a run allocates nothing */
#define BLOCKS_A_TASK 8
#define CHECK_EVERY 0.05 /* seconds between two looks for signals */

typedef struct {
    const skq_program *program;
    const skq_input *inputs;
    void *const *outputs;
    int64_t n_rows, next, task;
    int refuse, isa, status, shared;
    PyThreadState *caller; /* of the thread that called, while it does not have the GIL */
#if THREADS
    pthread_mutex_t lock;  /* of next and status */
    pthread_cond_t left;   /* no thread of the pool works on it any more */
    int helpers;           /* threads of the pool that do; under the pool's lock */
#endif
} job;

/* Answers beside those of skq_run. */
enum { NO_MEMORY = -1, UNREADABLE = -2, FAILED = -3, INTERRUPTED = -4 };

/* First row of the next task; n_rows when there is none or the job has failed. */
static int64_t take(job *j, int status)
{
#if THREADS
    if (j->shared)
        pthread_mutex_lock(&j->lock);
#endif
    if (status != SKQ_OK && j->status == SKQ_OK) {
        j->status = status;
        j->next = j->n_rows;
    }
    const int64_t first = j->next;
    j->next = first + j->task < j->n_rows ? first + j->task : j->n_rows;
#if THREADS
    if (j->shared)
        pthread_mutex_unlock(&j->lock);
#endif
    return first;
}

/* Seconds since some moment. */
static double seconds(void)
{
#if THREADS
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
#else
    return 1e-3 * (double)GetTickCount64();
#endif
}

/* Run the handlers of signals, in the thread that called: INTERRUPTED if one of them raised. */
static int check_signals(job *j)
{
    PyEval_RestoreThread(j->caller);
    const int raised = PyErr_CheckSignals() != 0;
    j->caller = PyEval_SaveThread();
    return raised ? INTERRUPTED : SKQ_OK;
}

/* Run tasks until there are none. The thread that called looks for signals between its tasks. */
static void work(job *j, int calls)
{
    const int64_t block = j->program->block < j->n_rows ? j->program->block : j->n_rows;
    void *memory = malloc(skq_arena_bytes(j->program, block, j->n_rows) + 64);
    int status = memory ? SKQ_OK : NO_MEMORY;
    char *arena = (char *)memory + (64 - (uintptr_t)memory % 64) % 64;
    double checked = calls && j->n_rows > j->task ? seconds() : 0;
    for (int64_t first = take(j, status); first < j->n_rows; first = take(j, status)) {
        const int64_t left = j->n_rows - first;
        status = skq_run(j->program, j->inputs, j->outputs, first, left < j->task ? left : j->task,
                         block, arena, j->refuse, j->isa);
        if (calls && left > j->task && status == SKQ_OK && seconds() - checked > CHECK_EVERY) {
            status = check_signals(j);
            checked = seconds();
        }
    }
    free(memory);
}

#if THREADS
/* Threads that wait for jobs. They are made when first needed and stay, so that the system finds them
 * on cores of their own: new ones often wait for milliseconds. A forked child starts without any. */
typedef struct {
    pthread_cond_t wake;
    job *offered;          /* not taken yet: may be withdrawn */
    int works;
} worker;

static struct {
    pthread_mutex_t lock;
    int n_workers;
    worker workers[MAX_THREADS];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *serve(void *argument)
{
    worker *self = argument;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        while (!self->offered)
            pthread_cond_wait(&self->wake, &pool.lock);
        job *j = self->offered;
        self->offered = NULL;
        self->works = 1;
        pthread_mutex_unlock(&pool.lock);
        work(j, 0);
        pthread_mutex_lock(&pool.lock);
        self->works = 0;
        if (--j->helpers == 0)
            pthread_cond_signal(&j->left);
    }
    return NULL;
}

/* Add a worker, with all signals left to other threads; whether there is one more. */
static int hire(void)
{
    worker *w = pool.workers + pool.n_workers;
    pthread_t thread;
    sigset_t all, before;
    if (pool.n_workers == MAX_THREADS || pthread_cond_init(&w->wake, NULL) != 0)
        return 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int made = pthread_create(&thread, NULL, serve, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (made) {
        pthread_detach(thread);
        pool.n_workers++;
    } else
        pthread_cond_destroy(&w->wake);
    return made;
}

static void forget_workers(void)
{
    memset(&pool, 0, sizeof pool);
    pthread_mutex_init(&pool.lock, NULL);
}

/* Offer a job to idle workers, at most so many. */
static void offer(job *j, int most)
{
    pthread_mutex_lock(&pool.lock);
    for (int i = 0; j->helpers < most && (i < pool.n_workers || hire()); i++) {
        worker *w = pool.workers + i;
        if (!w->offered && !w->works) {
            w->offered = j;
            j->helpers++;
            pthread_cond_signal(&w->wake);
        }
    }
    pthread_mutex_unlock(&pool.lock);
}

/* Wait until no worker works on a job; those that have not begun will not. */
static void withdraw(job *j)
{
    pthread_mutex_lock(&pool.lock);
    for (int i = 0; i < pool.n_workers; i++)
        if (pool.workers[i].offered == j) {
            pool.workers[i].offered = NULL;
            j->helpers--;
        }
    while (j->helpers > 0)
        pthread_cond_wait(&j->left, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

/* Other threads beside this one, which take tasks of a few blocks; none works when it returns. */
static void work_together(job *j, int n_threads, int64_t blocks)
{
    const int64_t fair = (blocks + 4 * n_threads - 1) / (4 * n_threads);
    if (pthread_mutex_init(&j->lock, NULL) != 0) {
        work(j, 1);
        return;
    }
    if (pthread_cond_init(&j->left, NULL) == 0) {
        j->task = j->program->block * (fair < BLOCKS_A_TASK ? fair : BLOCKS_A_TASK);
        j->shared = 1;
        offer(j, n_threads - 1);
        work(j, 1);
        withdraw(j);
        pthread_cond_destroy(&j->left);
    } else
        work(j, 1);
    pthread_mutex_destroy(&j->lock);
}
#endif

static int run_job(job *j, int64_t n_threads)
{
    const int64_t blocks = (j->n_rows + j->program->block - 1) / j->program->block;
    const int64_t most = blocks < MAX_THREADS ? blocks : MAX_THREADS;
    j->task = j->program->block * BLOCKS_A_TASK;
    if (n_threads > most)
        n_threads = most;
#if THREADS
    if (n_threads > 1)
        work_together(j, (int)n_threads, blocks);
    else
#endif
        work(j, 1);
    return j->status;
}

/* What an array's `__array_struct__` holds: NumPy's array interface, the same in every version. It
 * costs a third of a Py_buffer, which counts where one row is predicted. Its capsule owns it. */
typedef struct {
    int two, n_axes;
    char kind;
    int item_bytes, flags;
    Py_ssize_t *shape, *strides;
    void *data;
    PyObject *descr;
} array_view;

enum { ALIGNED = 0x100, NATIVE_ORDER = 0x200 };

typedef struct {
    PyObject *array_struct; /* the attribute's name */
} module_state;

/* dtype of an array's elements, or -1 */
static int32_t dtype_of(const array_view *view)
{
    static const int32_t floats[] = {-1, -1, SKQ_F32, SKQ_F64};
    static const int32_t signed_[] = {SKQ_I8, SKQ_I16, SKQ_I32, SKQ_I64};
    static const int32_t unsigned_[] = {SKQ_U8, SKQ_U16, SKQ_U32, SKQ_U64};
    int log = 0;
    while (log < 4 && 1 << log != view->item_bytes)
        log++;
    const int32_t *dtypes = view->kind == 'f'   ? floats
                            : view->kind == 'i' ? signed_
                            : view->kind == 'u' || (view->kind == 'b' && log == 0) ? unsigned_
                                                                                   : NULL;
    return log < 4 && dtypes ? dtypes[log] : -1;
}

/* Whether an array is `n_rows` rows of `size` elements that the kernels read, and then `input`. */
static int is_readable(const array_view *view, Py_ssize_t n_rows, Py_ssize_t size,
                       skq_input *input)
{
    const int flags = ALIGNED | NATIVE_ORDER;
    if (view->n_axes != 2 || view->shape[0] != n_rows || view->shape[1] != size ||
        (view->flags & flags) != flags || dtype_of(view) < 0)
        return 0;
    const skq_input found = {view->data, view->strides[0], view->strides[1], dtype_of(view), 0};
    *input = found;
    return 1;
}

/* View of an array, and the capsule that owns it; NULL and an exception for anything else. */
static const array_view *open_view(PyObject *self, PyObject *array, PyObject **capsule)
{
    const module_state *state = PyModule_GetState(self);
    *capsule = PyObject_GetAttr(array, state->array_struct);
    return *capsule ? PyCapsule_GetPointer(*capsule, NULL) : NULL;
}

/* Inputs from a list of arrays, which the caller holds: SKQ_OK, UNREADABLE, or FAILED. */
static int open_inputs(PyObject *self, PyObject *arrays, const skq_program *program,
                       Py_ssize_t n_rows, skq_input *inputs)
{
    int status = SKQ_OK;
    for (int32_t i = 0; i < program->n_inputs && status == SKQ_OK; i++) {
        const Py_ssize_t size = (Py_ssize_t)program->values[program->inputs[i].value].size;
        PyObject *capsule;
        const array_view *view = open_view(self, PyList_GetItem(arrays, i), &capsule);
        if (!view)
            status = FAILED;
        else if (!is_readable(view, n_rows, size, inputs + i))
            status = UNREADABLE;
        Py_XDECREF(capsule);
    }
    return status;
}

/* empty((n_rows, *shape), dtype), in C order, of a tuple (output, shape, dtype), and where its rows
 * are. */
static PyObject *new_output(PyObject *self, PyObject *empty, PyObject *result, Py_ssize_t n_rows,
                            void **data)
{
    PyObject *row = PyTuple_GetItem(result, 1), *capsule = NULL;
    const Py_ssize_t n = PyTuple_Size(row);
    PyObject *shape = PyTuple_New(n + 1);
    if (!shape)
        return NULL;
    PyTuple_SetItem(shape, 0, PyLong_FromSsize_t(n_rows));
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *length = PyTuple_GetItem(row, i);
        Py_INCREF(length);
        PyTuple_SetItem(shape, i + 1, length);
    }
    PyObject *array = PyObject_CallFunctionObjArgs(empty, shape, PyTuple_GetItem(result, 2), NULL);
    const array_view *view = array ? open_view(self, array, &capsule) : NULL;
    if (view)
        *data = view->data;
    else
        Py_CLEAR(array);
    Py_XDECREF(capsule);
    Py_DECREF(shape);
    return array;
}

/* A list of new arrays, and in `data` where the rows of each output are. */
static PyObject *new_outputs(PyObject *self, PyObject *empty, PyObject *results, Py_ssize_t n_rows,
                             void **data)
{
    const Py_ssize_t count = PyTuple_Size(results);
    PyObject *outputs = PyList_New(count);
    for (Py_ssize_t i = 0; outputs && i < count; i++) {
        PyObject *result = PyTuple_GetItem(results, i);
        const Py_ssize_t output = PyLong_AsSsize_t(PyTuple_GetItem(result, 0));
        PyObject *array = new_output(self, empty, result, n_rows, data + output);
        if (array)
            PyList_SetItem(outputs, i, array);
        else
            Py_CLEAR(outputs);
    }
    return outputs;
}

/* Run an opened program: `run` but for its memory. */
static PyObject *run_opened(PyObject *self, PyObject *const *args, skq_program *program,
                            skq_input *inputs, void **data)
{
    PyObject *empty = PyTuple_GetItem(args[0], 3), *results = PyTuple_GetItem(args[0], 4);
    job j = {.program = program, .inputs = inputs, .outputs = data, .status = SKQ_OK,
             .n_rows = PyLong_AsSsize_t(args[2]), .refuse = (int)PyLong_AsLong(args[4]),
             .isa = (int)PyLong_AsLong(PyTuple_GetItem(args[0], 2))};
    const long n_threads = PyLong_AsLong(args[3]);
    if (PyErr_Occurred())
        return NULL;
    int status = open_inputs(self, args[1], program, (Py_ssize_t)j.n_rows, inputs);
    if (status != SKQ_OK)
        return status == FAILED ? NULL : PyLong_FromLong(status);
    PyObject *outputs = new_outputs(self, empty, results, (Py_ssize_t)j.n_rows, data);
    if (!outputs || j.n_rows == 0)
        return outputs;
    skq_select(program, data);
    j.caller = PyEval_SaveThread();
    status = run_job(&j, n_threads);
    PyEval_RestoreThread(j.caller);
    if (status == SKQ_OK)
        return outputs;
    Py_DECREF(outputs);
    if (status == INTERRUPTED)
        return NULL;
    return status == NO_MEMORY ? PyErr_NoMemory() : PyLong_FromLong(status);
}

static PyObject *run(PyObject *self, PyObject *const *args, Py_ssize_t n_args)
{
    if (n_args != 5 || !PyTuple_Check(args[0]) || PyTuple_Size(args[0]) != 7 ||
        !PyList_Check(args[1]))
        return PyErr_Format(PyExc_TypeError, "see the docstring of run");
    const void *packed = PyLong_AsVoidPtr(PyTuple_GetItem(args[0], 0));
    const void *constants = PyLong_AsVoidPtr(PyTuple_GetItem(args[0], 1));
    const size_t n_outputs = PyLong_AsSize_t(PyTuple_GetItem(args[0], 5));
    if (PyErr_Occurred())
        return NULL;
    skq_program program;
    const void *rest = skq_read_program(packed, &program);
    const size_t n_inputs = (size_t)PyList_Size(args[1]);
    if ((size_t)program.n_inputs != n_inputs || (size_t)program.n_outputs != n_outputs)
        return PyErr_Format(PyExc_ValueError, "wrong number of arrays");
    const size_t opened = skq_opened_bytes(&program);
    const size_t bytes = opened + n_inputs * sizeof(skq_input) + n_outputs * sizeof(void *);
    uint64_t few[FEW_BYTES / 8];
    void *memory = bytes <= sizeof few ? few : PyMem_Malloc(bytes);
    if (!memory)
        return PyErr_NoMemory();
    skq_open(&program, rest, constants, memory);
    skq_input *inputs = (void *)((char *)memory + opened);
    void **data = (void *)(inputs + n_inputs);
    memset(data, 0, n_outputs * sizeof(void *));
    PyObject *found = run_opened(self, args, &program, inputs, data);
    if (memory != few)
        PyMem_Free(memory);
    return found;
}

static PyObject *best_isa(PyObject *self, PyObject *none)
{
    (void)self;
    (void)none;
    return PyLong_FromLong(skq_best_isa());
}

/* Names of fields, joined by spaces. */
static PyObject *names(const skq_field *fields)
{
    PyObject *joined = PyUnicode_FromString(fields->name);
    while (joined && (++fields)->name) {
        PyObject *longer = PyUnicode_FromFormat("%U %s", joined, fields->name);
        Py_DECREF(joined);
        joined = longer;
    }
    return joined;
}

/* Put an item, which may be NULL, into a dict; whether that worked. */
static int put(PyObject *dict, const char *name, PyObject *item)
{
    const int done = item && PyDict_SetItemString(dict, name, item) == 0;
    Py_XDECREF(item);
    return done;
}

/* What Python checks its own by: bytes of structs of arrays, fields of those of descriptors. */
static PyObject *layout(PyObject *self, PyObject *none)
{
#define ARRAY(name) {#name, sizeof(skq_##name), NULL}
#define DESCRIPTOR(name) {#name, 0, skq_##name##_fields}
    static const struct {
        const char *name;
        size_t bytes;
        const skq_field *fields;
    } structs[] = {
        DESCRIPTOR(program), DESCRIPTOR(value), DESCRIPTOR(step), DESCRIPTOR(argument),
        DESCRIPTOR(bins), DESCRIPTOR(forest),
#define PARAMETERS(name, fields) DESCRIPTOR(name),
        SKQ_PARAMETER_STRUCTS(PARAMETERS)
#undef PARAMETERS
        ARRAY(tree), ARRAY(small_tree), ARRAY(tiny_node), ARRAY(small_node), ARRAY(node),
        ARRAY(big_node), ARRAY(wide_node),
    };
    (void)self;
    (void)none;
    PyObject *found = PyDict_New();
    for (size_t i = 0; found && i < sizeof structs / sizeof structs[0]; i++) {
        const skq_field *fields = structs[i].fields;
        PyObject *item = fields ? names(fields) : PyLong_FromSize_t(structs[i].bytes);
        if (!put(found, structs[i].name, item))
            Py_CLEAR(found);
    }
    return found;
}

static PyMethodDef methods[] = {
    {"run", (PyCFunction)(void (*)(void))run, METH_FASTCALL,
     "run((descriptors, constants, isa, numpy.empty, ((output, shape, dtype), ...), n_outputs,\n"
     "    kept alive),"
     "    [input], n_rows, n_threads, refuse)\n"
     "\nA list of new arrays, those of the outputs named, or an int that says why there are none."},
    {"best_isa", best_isa, METH_NOARGS, "Best instruction set of this machine."},
    {"layout", layout, METH_NOARGS, "Bytes, or fields, of each struct."},
    {NULL, NULL, 0, NULL},
};

static int set_up(PyObject *self)
{
    module_state *state = PyModule_GetState(self);
#if THREADS
    static int prepared = 0;
    if (!prepared && pthread_atfork(NULL, NULL, forget_workers) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    prepared = 1;
#endif
    state->array_struct = PyUnicode_InternFromString("__array_struct__");
    return state->array_struct ? 0 : -1;
}

static int clear(PyObject *self)
{
    module_state *state = PyModule_GetState(self);
    Py_CLEAR(state->array_struct);
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)set_up}, {0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_native", "The integer kernels of skq.", sizeof(module_state), methods,
    slots, NULL, clear, NULL,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module); }
