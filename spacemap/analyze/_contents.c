/* Contents of files compared without the interpreter's lock. Optional, see contents.py. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>

#include "_partition.h"

static int partition_all(run *run, Py_buffer *files, Py_buffer *begins, Py_buffer *sizes) {
    const int64_t *begin = begins->buf;
    const uint64_t *size = sizes->buf;
    int failed = 0;
    for (Py_ssize_t i = 0; !failed && i < sizes->len / (Py_ssize_t)sizeof *size; i++)
        failed = partition(run, files->buf, (size_t)begin[i], (size_t)(begin[i + 1] - begin[i]), size[i]);
    return failed;
}

static int is_consistent(const Py_buffer *files, const Py_buffer *begins, const Py_buffer *sizes, const Py_buffer *counted) {
    Py_ssize_t classes = sizes->len / (Py_ssize_t)sizeof(uint64_t), count = files->len / (Py_ssize_t)sizeof(file);
    const int64_t *begin = begins->buf;
    if (begins->len != (classes + 1) * (Py_ssize_t)sizeof *begin || begin[0] != 0 || begin[classes] != count)
        return 0;
    for (Py_ssize_t i = 0; i < classes; i++)
        if (begin[i + 1] < begin[i])
            return 0;
    return files->len == count * (Py_ssize_t)sizeof(file) && counted->len == sizeof(counters);
}

static PyObject *contents_compare(PyObject *Py_UNUSED(module), PyObject *arguments) {
    Py_buffer files, begins, sizes, directories, names, counted;
    Py_ssize_t memory, open_files;
    run run = {.mask = -1};
    if (!PyArg_ParseTuple(arguments, "w*y*y*y*y*w*nnp|i", &files, &begins, &sizes, &directories, &names, &counted, &memory,
                          &open_files, &run.only_first, &run.mask))
        return NULL;
    int failed = 0, is_usable = is_consistent(&files, &begins, &sizes, &counted) && memory >= 1 << 16 && open_files > 0;
    if (is_usable) {
        run.place = (place){directories.buf, names.buf, counted.buf};
        run.memory = (size_t)memory;
        run.open_files = (size_t)open_files;
        Py_BEGIN_ALLOW_THREADS
        failed = partition_all(&run, &files, &begins, &sizes);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&files);
    PyBuffer_Release(&begins);
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&directories);
    PyBuffer_Release(&names);
    PyBuffer_Release(&counted);
    PyObject *marks = NULL;
    if (!is_usable)
        PyErr_SetString(PyExc_ValueError, "the files, classes or limits do not fit together");
    else if (failed)
        PyErr_NoMemory();
    else
        marks = PyBytes_FromStringAndSize((const char *)run.found.marks, (Py_ssize_t)(run.found.count * sizeof(mark)));
    free(run.found.marks);
    return marks;
}

static PyObject *contents_identify(PyObject *Py_UNUSED(module), PyObject *arguments) {
    Py_buffer files, directories, names;
    if (!PyArg_ParseTuple(arguments, "w*y*y*", &files, &directories, &names))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    place place = {directories.buf, names.buf, NULL};
    for (size_t i = 0; i < (size_t)files.len / sizeof(file); i++)
        identify(&place, (file *)files.buf + i);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&files);
    PyBuffer_Release(&directories);
    PyBuffer_Release(&names);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"identify", contents_identify, METH_VARARGS,
     "identify(files, directories, names): fill in the identity of each file as it is now."},
    {"compare", contents_compare, METH_VARARGS,
     "compare(files, begins, sizes, directories, names, counters, memory, open_files, only_first): find out which "
     "files of each class are equal; return the marks."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_contents", .m_size = 0, .m_methods = methods, .m_slots = slots};

PyMODINIT_FUNC PyInit__contents(void) { return PyModuleDef_Init(&module); }
