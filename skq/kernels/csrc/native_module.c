/* The extension module skq.engines._native: runs plans on NumPy arrays, in several threads. Plans are built
 * in Python, as plain arrays. */
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
#define FEW_BYTES 2048 /* opened descriptors up to this size are held on the stack */
#define BLOCKS_A_TASK 8
#define CHECK_EVERY 0.05 /* seconds between two looks for signals */

/* The arena of a run is kept for the next one, up to this many bytes: where malloc gives the memory back to
 * the system each time, that takes longer than a prediction of one row. Not for AddressSanitizer, which
 * should see the exact size of an arena. */
#ifdef __SANITIZE_ADDRESS__
#define KEPT_BYTES 0
#else
#define KEPT_BYTES (256 * 1024)
#endif

/* One run of a plan: rows that threads take, `task` rows at a time. */
typedef struct {
    const skq_program *program;
    const skq_input *inputs;
    void *const *outputs;
    int64_t n_rows, next, task;
    int refuse, isa, status, shared;
    void *memory;          /* for the arena of the thread that called, if it is not NULL */
    PyThreadState *caller; /* of the thread that called, while it does not have the GIL */
#if THREADS
    pthread_mutex_t lock;  /* guards `next` and `status` */
    pthread_cond_t left;   /* signalled when `helpers` becomes 0 */
    int helpers;           /* threads of the pool that work on it; guarded by the pool's lock */
#endif
} job;

/* Status values in addition to those of skq_run. */
enum { NO_MEMORY = -1, UNREADABLE = -2, FAILED = -3, INTERRUPTED = -4 };

/* Report the status of the last task and take the next one: its first row, or n_rows if there is none or
 * the job has failed. */
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

/* Monotonic time in seconds. */
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

/* Rows of a block of a job. */
static int64_t block_of(const job *j)
{
    return j->program->block < j->n_rows ? j->program->block : j->n_rows;
}

/* Bytes of memory that hold an arena of a job, at any alignment. */
static size_t memory_bytes(const job *j)
{
    return skq_arena_bytes(j->program, block_of(j), j->n_rows) + 64;
}

/* Take and run tasks of a job until there are none. The calling thread checks for signals between tasks. */
static void work(job *j, int calls)
{
    const int64_t block = block_of(j);
    const int given = calls && j->memory;
    void *memory = given ? j->memory : malloc(memory_bytes(j));
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
    if (!given)
        free(memory);
}

#if THREADS
/* The pool: threads that wait for jobs. They are created when first needed and never end, because a new
 * thread often waits for milliseconds until it is scheduled on a core. A forked child starts with none. */
typedef struct {
    pthread_cond_t wake;
    job *offered;          /* not started yet: can be withdrawn */
    int works;             /* whether it runs a job */
} worker;

static struct {
    pthread_mutex_t lock;
    int n_workers;
    worker workers[MAX_THREADS];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The main function of a worker. */
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

/* Add a worker, which receives no signals; returns whether that worked. */
static int add_worker(void)
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

/* In a forked child: its pool has no threads. */
static void forget_workers(void)
{
    memset(&pool, 0, sizeof pool);
    pthread_mutex_init(&pool.lock, NULL);
}

/* Offer a job to at most `most` idle workers. */
static void offer(job *j, int most)
{
    pthread_mutex_lock(&pool.lock);
    for (int i = 0; j->helpers < most && (i < pool.n_workers || add_worker()); i++) {
        worker *w = pool.workers + i;
        if (!w->offered && !w->works) {
            w->offered = j;
            j->helpers++;
            pthread_cond_signal(&w->wake);
        }
    }
    pthread_mutex_unlock(&pool.lock);
}

/* Withdraw a job from workers that have not started it, and wait for the others. */
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

/* Run a job in this thread and in workers of the pool; all have ended when it returns. */
static void work_in_threads(job *j, int n_threads, int64_t blocks)
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

/* Run a job in at most `n_threads` threads; returns its status. */
static int run_job(job *j, int64_t n_threads)
{
    const int64_t blocks = (j->n_rows + j->program->block - 1) / j->program->block;
    const int64_t most = blocks < MAX_THREADS ? blocks : MAX_THREADS;
    j->task = j->program->block * BLOCKS_A_TASK;
    if (n_threads > most)
        n_threads = most;
#if THREADS
    if (n_threads > 1)
        work_in_threads(j, (int)n_threads, blocks);
    else
#endif
        work(j, 1);
    return j->status;
}

/* The struct of NumPy's array interface (`__array_struct__`), the same in every version of NumPy. A capsule
 * owns it. It is used because it takes a third of the time of a Py_buffer, which matters for one row. */
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
    void *kept;             /* memory of the last arena, if no run uses it; guarded by the GIL */
    size_t kept_bytes;
} module_state;

/* Memory for an arena of `bytes` bytes: that of an earlier run, if it is large enough. NULL if there is no
 * memory, or if it is too much to keep. `*size` is set to its size. */
static void *take_memory(module_state *state, size_t bytes, size_t *size)
{
    *size = bytes;
    if (bytes > KEPT_BYTES)
        return NULL;
    void *memory = state->kept;
    state->kept = NULL;
    if (memory && state->kept_bytes >= bytes) {
        *size = state->kept_bytes;
        return memory;
    }
    free(memory);
    return malloc(bytes);
}

/* Keep the memory of an arena for the next run; NULL is nothing to keep. */
static void keep_memory(module_state *state, void *memory, size_t size)
{
    if (!memory)
        return;
    free(state->kept);
    state->kept = memory;
    state->kept_bytes = size;
}

/* The SKQ_... dtype of an array's elements, or -1 if the kernels do not read it. */
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

/* Whether an array has `n_rows` rows of `size` elements that the kernels read; if so, fills in `input`. */
static int is_readable(const array_view *view, Py_ssize_t n_rows, Py_ssize_t size,
                       skq_input *input)
{
    const int flags = ALIGNED | NATIVE_ORDER;
    if (view->n_axes != 2 || view->shape[0] != n_rows || view->shape[1] != size ||
        (view->flags & flags) != flags || dtype_of(view) < 0)
        return 0;
    const skq_input readable = {view->data, view->strides[0], view->strides[1], dtype_of(view), 0};
    *input = readable;
    return 1;
}

/* The array interface of an array, and the capsule that owns it. NULL, with an exception set, for another
 * object. */
static const array_view *open_view(PyObject *self, PyObject *array, PyObject **capsule)
{
    const module_state *state = PyModule_GetState(self);
    *capsule = PyObject_GetAttr(array, state->array_struct);
    return *capsule ? PyCapsule_GetPointer(*capsule, NULL) : NULL;
}

/* Fill in `inputs` from a list of arrays, of which the caller holds references. Returns SKQ_OK, UNREADABLE,
 * or FAILED with an exception set. */
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

/* A new array empty((n_rows, *shape), dtype), in C order, for a tuple (output, shape, dtype); `data` is set to
 * the address of its elements. */
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

/* A list of new arrays, one for each of `results`; data[output] is set to the address of its elements. */
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

/* Run an opened program. `args` are those of `run`; `inputs` and `data` are memory for it. */
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
    module_state *state = PyModule_GetState(self);
    size_t size;
    j.memory = take_memory(state, memory_bytes(&j), &size);
    j.caller = PyEval_SaveThread();
    status = run_job(&j, n_threads);
    PyEval_RestoreThread(j.caller);
    keep_memory(state, j.memory, size);
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
        return PyErr_Format(PyExc_TypeError,
                            "run takes a prepared plan (a tuple of 7), a list of inputs, n_rows, n_threads "
                            "and refuse; see its docstring");
    const void *descriptors = PyLong_AsVoidPtr(PyTuple_GetItem(args[0], 0));
    const void *constants = PyLong_AsVoidPtr(PyTuple_GetItem(args[0], 1));
    const size_t n_outputs = PyLong_AsSize_t(PyTuple_GetItem(args[0], 5));
    if (PyErr_Occurred())
        return NULL;
    skq_program program;
    const void *rest = skq_read_program(descriptors, &program);
    const size_t n_inputs = (size_t)PyList_Size(args[1]);
    if ((size_t)program.n_inputs != n_inputs || (size_t)program.n_outputs != n_outputs)
        return PyErr_Format(PyExc_ValueError,
                            "the plan takes %d inputs and has %d outputs; got %zu and %zu",
                            (int)program.n_inputs, (int)program.n_outputs, n_inputs, n_outputs);
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
    PyObject *result = run_opened(self, args, &program, inputs, data);
    if (memory != few)
        PyMem_Free(memory);
    return result;
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

/* Put an item into a dict; returns whether that worked. The item may be NULL, and is released. */
static int put(PyObject *dict, const char *name, PyObject *item)
{
    const int done = item && PyDict_SetItemString(dict, name, item) == 0;
    Py_XDECREF(item);
    return done;
}

/* A dict from which layout.py checks its copies: field names of the structs in descriptors, sizes of the
 * structs in arrays. */
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
    PyObject *sizes = PyDict_New();
    for (size_t i = 0; sizes && i < sizeof structs / sizeof structs[0]; i++) {
        const skq_field *fields = structs[i].fields;
        PyObject *item = fields ? names(fields) : PyLong_FromSize_t(structs[i].bytes);
        if (!put(sizes, structs[i].name, item))
            Py_CLEAR(sizes);
    }
    return sizes;
}

static PyMethodDef methods[] = {
    {"run", (PyCFunction)(void (*)(void))run, METH_FASTCALL,
     "run((descriptors, constants, isa, numpy.empty, ((output, shape, dtype), ...), n_outputs,\n"
     "     arrays), [input, ...], n_rows, n_threads, refuse)\n"
     "\n"
     "Run a plan. `descriptors` and `constants` are addresses of the memory of `arrays`.\n"
     "Returns a list of new arrays, one for each tuple (output, shape, dtype), or an int: the\n"
     "status, where the inputs cannot be read or are refused."},
    {"best_isa", best_isa, METH_NOARGS, "Best instruction set of this machine."},
    {"layout", layout, METH_NOARGS, "Bytes, or names of fields, of each struct."},
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

static void release(void *self)
{
    module_state *state = PyModule_GetState(self);
    clear(self);
    free(state->kept);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)set_up}, {0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_native", "The integer kernels of skq.", sizeof(module_state), methods,
    slots, NULL, clear, release,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module); }
