/* The Python face of the check: columns in, a byte an entry out, the interpreter's lock dropped in between. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_check.h"
#include "_known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARENT,
    KIND,
    FLAGS,
    APPARENT,
    BLOCKS,
    MTIME,
    INODE,
    OWNER,
    OWNERS,
    NAME_OFFSET,
    NAMES,
    ENTRY,
    FIRST_CHILD,
    CHILD_COUNT,
    DEVICE,
    MTIME_NS,
    CTIME_NS,
    ORDER,
    LINK_ENTRY,
    LINK_COUNT,
    LINK_DEVICE,
    ROOT_FDS,
    WANTED,
    DIFFERS,
    COLUMNS
};

/* Bytes a value; 0: any. */
static const Py_ssize_t WIDTHS[COLUMNS] = {
    [PARENT] = 4,      [KIND] = 1,        [FLAGS] = 1,       [OWNERS] = 4,     [NAMES] = 1,      [ENTRY] = 4,
    [FIRST_CHILD] = 4, [CHILD_COUNT] = 4, [DEVICE] = 8,      [MTIME_NS] = 8,   [CTIME_NS] = 8,   [ORDER] = 4,
    [LINK_ENTRY] = 4,  [LINK_COUNT] = 4,  [LINK_DEVICE] = 8, [ROOT_FDS] = 4,   [WANTED] = 1,     [DIFFERS] = 1};

typedef struct {
    PyObject_HEAD
    Py_buffer columns[COLUMNS];
    int held; /* so many of them are held */
    known_tree tree;
} KnownObject;

static Py_ssize_t length_of(const KnownObject *o, int column) {
    return o->columns[column].len / o->columns[column].itemsize;
}

/* Whether the columns of each table are equally long. */
static int fit_together(const KnownObject *o) {
    Py_ssize_t entries = length_of(o, PARENT), directories = length_of(o, ENTRY), links = length_of(o, LINK_ENTRY);
    for (int i = KIND; i <= OWNER; i++)
        if (length_of(o, i) != entries)
            return 0;
    for (int i = FIRST_CHILD; i <= ORDER; i++)
        if (length_of(o, i) != directories)
            return 0;
    return length_of(o, NAME_OFFSET) == entries + 1 && length_of(o, WANTED) == entries &&
           length_of(o, DIFFERS) == entries && length_of(o, LINK_COUNT) == links && length_of(o, LINK_DEVICE) == links;
}

static narrow_column narrow(const KnownObject *o, int column) {
    return (narrow_column){o->columns[column].buf, (uint8_t)o->columns[column].itemsize};
}

static int known_init(PyObject *self, PyObject *arguments, PyObject *keywords) {
    KnownObject *o = (KnownObject *)self;
    if (keywords || o->held || PyTuple_Size(arguments) != COLUMNS) {
        PyErr_Format(PyExc_TypeError, "Known takes %d columns, once", (int)COLUMNS);
        return -1;
    }
    for (; o->held < COLUMNS; o->held++) {
        Py_buffer *b = &o->columns[o->held];
        int flags = o->held == DIFFERS ? PyBUF_ND | PyBUF_WRITABLE : PyBUF_ND;
        if (PyObject_GetBuffer(PyTuple_GetItem(arguments, o->held), b, flags))
            return -1;
        if (b->itemsize > 8 || b->itemsize < 1 || (WIDTHS[o->held] && b->itemsize != WIDTHS[o->held])) {
            PyErr_Format(PyExc_ValueError, "column %d has values of %zd bytes", o->held, b->itemsize);
            o->held++;
            return -1;
        }
    }
    if (!fit_together(o) || !length_of(o, ROOT_FDS)) { /* the way up from an entry ends at a root */
        PyErr_SetString(PyExc_ValueError, "the columns are not of equal length, or there is no root");
        return -1;
    }
    o->tree = (known_tree){
        .parent = o->columns[PARENT].buf,
        .kind = o->columns[KIND].buf,
        .flags = o->columns[FLAGS].buf,
        .apparent = narrow(o, APPARENT),
        .blocks = narrow(o, BLOCKS),
        .mtime = narrow(o, MTIME),
        .inode = narrow(o, INODE),
        .owner = narrow(o, OWNER),
        .owners = o->columns[OWNERS].buf,
        .owner_count = (size_t)length_of(o, OWNERS),
        .name_offset = narrow(o, NAME_OFFSET),
        .names = o->columns[NAMES].buf,
        .entry = o->columns[ENTRY].buf,
        .first_child = o->columns[FIRST_CHILD].buf,
        .child_count = o->columns[CHILD_COUNT].buf,
        .device = o->columns[DEVICE].buf,
        .mtime_ns = o->columns[MTIME_NS].buf,
        .ctime_ns = o->columns[CTIME_NS].buf,
        .order = o->columns[ORDER].buf,
        .directories = (size_t)length_of(o, ENTRY),
        .link_entry = o->columns[LINK_ENTRY].buf,
        .link_count = o->columns[LINK_COUNT].buf,
        .link_device = o->columns[LINK_DEVICE].buf,
        .links = (size_t)length_of(o, LINK_ENTRY),
        .root_fds = o->columns[ROOT_FDS].buf,
        .first = (uint32_t)length_of(o, ROOT_FDS),
    };
    for (size_t i = 0; i < o->tree.directories; i++)
        if (o->tree.order[i] >= o->tree.directories) {
            PyErr_SetString(PyExc_ValueError, "the order names a directory that there is not");
            return -1;
        }
    return 0;
}

static void known_dealloc(PyObject *self) {
    KnownObject *o = (KnownObject *)self;
    PyTypeObject *type = Py_TYPE(self);
    for (int i = 0; i < o->held; i++)
        PyBuffer_Release(&o->columns[i]);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyObject *known_check(PyObject *self, PyObject *arguments) {
    KnownObject *o = (KnownObject *)self;
    Py_ssize_t begin, end;
    if (!PyArg_ParseTuple(arguments, "nn", &begin, &end))
        return NULL;
    if (begin < 0 || end < begin || o->held != COLUMNS || (size_t)end > o->tree.directories) {
        PyErr_SetString(PyExc_ValueError, "no such directories");
        return NULL;
    }
    int error;
    column changed = {0};
    Py_BEGIN_ALLOW_THREADS
    error = check_children(&o->tree, (size_t)begin, (size_t)end, o->columns[WANTED].buf, o->columns[DIFFERS].buf,
                           &changed);
    Py_END_ALLOW_THREADS
    PyObject *result =
        error ? PyErr_NoMemory() : PyBytes_FromStringAndSize((const char *)changed.data, (Py_ssize_t)changed.length);
    free(changed.data);
    return result;
}

static PyMethodDef methods[] = {
    {"check", known_check, METH_VARARGS, "check(begin, end): compare the wanted children of these directories; return those that changed."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_init, (void *)known_init},
    {Py_tp_dealloc, (void *)known_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_doc, "The columns of a tree, to be compared with the file system; see scan/stale.py."},
    {0, NULL},
};

static PyType_Spec spec = {"spacemap.scan._native.Known", sizeof(KnownObject), 0, Py_TPFLAGS_DEFAULT, slots};

int add_known(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (!type)
        return -1;
    int result = PyModule_AddObjectRef(module, "Known", type);
    Py_DECREF(type);
    return result;
}
