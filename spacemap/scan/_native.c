/* The Python face of the walker: arguments in, bytes out, the interpreter's lock dropped in between. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_known.h"
#include "_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_CAPACITY = 256 };

typedef struct {
    PyObject_HEAD
    walker walk;
    PyObject *exclude; /* callable, or NULL */
    int is_ready;
} WalkerObject;

/* Called by listers, which do not hold the interpreter's lock. */
static int ask_exclusion(void *context, const char *path, size_t path_length, const char *records,
                         size_t records_length, unsigned char *verdicts, size_t count) {
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *answer = PyObject_CallFunction((PyObject *)context, "y#y#", path, (Py_ssize_t)path_length, records,
                                             (Py_ssize_t)records_length);
    char *bytes;
    Py_ssize_t length;
    int result = -1;
    if (answer == Py_None)
        result = 0;
    else if (answer && PyBytes_AsStringAndSize(answer, &bytes, &length) == 0 && (size_t)length == count) {
        memcpy(verdicts, bytes, count);
        result = 0;
    }
    if (result && PyErr_Occurred())
        PyErr_WriteUnraisable((PyObject *)context);
    Py_XDECREF(answer);
    PyGILState_Release(state);
    return result;
}

static int read_roots(PyObject *roots, const char ***names, size_t *count) {
    Py_ssize_t length = PyTuple_Size(roots);
    if (length < 0)
        return -1;
    *names = calloc((size_t)length + 1, sizeof **names);
    if (!*names) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        (*names)[i] = PyBytes_AsString(PyTuple_GetItem(roots, i));
        if (!(*names)[i])
            return -1;
    }
    *count = (size_t)length;
    return 0;
}

static PyObject *fail_with(int error) {
    errno = error;
    return PyErr_SetFromErrno(PyExc_OSError);
}

static int walker_object_init(PyObject *self, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"roots",           "ref_base",   "listers",         "sink",
                            "follow_symlinks", "read_times", "exclude_caches", "max_depth",
                            "flush_entries",   "exclude",    NULL};
    WalkerObject *o = (WalkerObject *)self;
    PyObject *roots, *exclude;
    unsigned long long ref_base;
    unsigned int listers, flush_entries;
    int sink_fd, follow, times, caches, max_depth;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "$O!KIipppiIO", names, &PyTuple_Type, &roots, &ref_base,
                                     &listers, &sink_fd, &follow, &times, &caches, &max_depth, &flush_entries,
                                     &exclude))
        return -1;
    if (listers < 1 || listers > STATUS_CAPACITY || o->is_ready) {
        PyErr_Format(PyExc_ValueError, "listers must be 1 to %d", (int)STATUS_CAPACITY);
        return -1;
    }
    const char **root_names = NULL;
    size_t root_count = 0;
    int error = read_roots(roots, &root_names, &root_count);
    if (!error) {
        o->walk.list = (list_options){.follow_symlinks = follow, .read_times = times, .exclude_cache_tagged = caches};
        o->walk.max_depth = max_depth;
        o->walk.flush_entries = flush_entries;
        o->walk.out.fd = sink_fd;
        o->walk.exits_on_failure = sink_fd >= 0; /* with frames in memory there is a caller who can be told */
        if (exclude != Py_None) {
            Py_INCREF(exclude);
            o->exclude = exclude;
            o->walk.list.verdict = ask_exclusion;
            o->walk.list.context = exclude;
        }
        error = walker_init(&o->walk, listers, ref_base, root_names, root_count);
        o->is_ready = 1;
        if (error)
            fail_with(error);
    }
    free(root_names);
    return error ? -1 : 0;
}

static void walker_object_dealloc(PyObject *self) {
    WalkerObject *o = (WalkerObject *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (o->is_ready) {
        Py_BEGIN_ALLOW_THREADS
        walker_stop(&o->walk);
        walker_free(&o->walk);
        Py_END_ALLOW_THREADS
    }
    Py_XDECREF(o->exclude);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyObject *walker_object_start(PyObject *self, PyObject *Py_UNUSED(none)) {
    int error = walker_start(&((WalkerObject *)self)->walk);
    if (error)
        return fail_with(error);
    Py_RETURN_NONE;
}

static PyObject *walker_object_push(PyObject *self, PyObject *arguments) {
    unsigned int count;
    const char *records;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(arguments, "Iy#", &count, &records, &length))
        return NULL;
    int error;
    Py_BEGIN_ALLOW_THREADS
    error = walker_push(&((WalkerObject *)self)->walk, records, (size_t)length, count);
    Py_END_ALLOW_THREADS
    if (error)
        return fail_with(error);
    Py_RETURN_NONE;
}

static PyObject *walker_object_poison(PyObject *self, PyObject *arguments) {
    unsigned long long device, inode;
    if (!PyArg_ParseTuple(arguments, "KK", &device, &inode))
        return NULL;
    int error = walker_poison(&((WalkerObject *)self)->walk, device, inode);
    if (error)
        return fail_with(error);
    Py_RETURN_NONE;
}

static PyObject *walker_object_wait(PyObject *self, PyObject *arguments) {
    WalkerObject *o = (WalkerObject *)self;
    double seconds;
    if (!PyArg_ParseTuple(arguments, "d", &seconds))
        return NULL;
    int is_idle;
    Py_BEGIN_ALLOW_THREADS
    is_idle = walker_wait(&o->walk, (int64_t)(seconds * 1e9));
    Py_END_ALLOW_THREADS
    if (o->walk.failed)
        return fail_with(o->walk.failed);
    return PyBool_FromLong(is_idle);
}

static PyObject *walker_object_give(PyObject *self, PyObject *arguments) {
    int all;
    if (!PyArg_ParseTuple(arguments, "p", &all))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    walker_give(&((WalkerObject *)self)->walk, all);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *walker_object_take(PyObject *self, PyObject *Py_UNUSED(none)) {
    size_t length;
    unsigned char *memory = walker_take(&((WalkerObject *)self)->walk, &length);
    PyObject *frames = PyBytes_FromStringAndSize((const char *)memory, (Py_ssize_t)length);
    free(memory);
    return frames;
}

static PyObject *walker_object_status(PyObject *self, PyObject *Py_UNUSED(none)) {
    int64_t since[STATUS_CAPACITY];
    identity current[STATUS_CAPACITY];
    size_t count = walker_status(&((WalkerObject *)self)->walk, since, current, STATUS_CAPACITY);
    PyObject *result = PyList_New(0);
    for (size_t i = 0; result && i < count; i++) {
        PyObject *row = Py_BuildValue("LKK", (long long)since[i], (unsigned long long)current[i].device,
                                      (unsigned long long)current[i].inode);
        if (!row || PyList_Append(result, row)) {
            Py_XDECREF(row);
            Py_DECREF(result);
            return NULL;
        }
        Py_DECREF(row);
    }
    return result;
}

static PyObject *walker_object_send(PyObject *self, PyObject *arguments) {
    const char *frame;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(arguments, "y#", &frame, &length))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    walker_send(&((WalkerObject *)self)->walk, frame, (size_t)length);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *walker_object_stop(PyObject *self, PyObject *Py_UNUSED(none)) {
    walker *w = &((WalkerObject *)self)->walk;
    Py_BEGIN_ALLOW_THREADS
    walker_stop(w);
    Py_END_ALLOW_THREADS
    if (w->failed)
        return fail_with(w->failed);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"start", walker_object_start, METH_NOARGS, "Start the listers."},
    {"push", walker_object_push, METH_VARARGS, "push(count, records): add directories to list."},
    {"poison", walker_object_poison, METH_VARARGS, "poison(device, inode): never open this directory."},
    {"wait", walker_object_wait, METH_VARARGS, "wait(seconds): return whether all listers are idle by then."},
    {"give", walker_object_give, METH_VARARGS, "give(all): send half, or all, of what waits."},
    {"take", walker_object_take, METH_NOARGS, "Return the frames kept in memory, and forget them."},
    {"status", walker_object_status, METH_NOARGS, "Return [(since_ns, device, inode)] of listings under way."},
    {"send", walker_object_send, METH_VARARGS, "send(frame): write a frame of the caller's own."},
    {"stop", walker_object_stop, METH_NOARGS, "Finish the listings under way, send them, end the listers."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_init, (void *)walker_object_init},
    {Py_tp_dealloc, (void *)walker_object_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_doc, "Lists directories in threads of its own; see scan/engine.py for the contract."},
    {0, NULL},
};

static PyType_Spec spec = {"spacemap.scan._native.Walker", sizeof(WalkerObject), 0, Py_TPFLAGS_DEFAULT, slots};

static int module_exec(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (!type)
        return -1;
    int result = PyModule_AddObjectRef(module, "Walker", type);
    Py_DECREF(type);
    return result ? result : add_known(module);
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, (void *)module_exec}, {0, NULL}};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_native", .m_size = 0, .m_slots = module_slots};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&module); }
