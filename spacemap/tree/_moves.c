/* Slices of one array to their places in another: what the building of a tree does most. Optional, see place.py. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

/* Positions are in values of `width` bytes. Slices that follow each other on both sides are one: of a tree that hardly
   changed, nearly all do. Returns -1 when a slice leaves its array. */
static int move_slices(char *target, Py_ssize_t target_size, const char *source, Py_ssize_t source_size,
                       const int64_t *to, const int64_t *begin, const int64_t *end, Py_ssize_t count, int64_t width) {
    int64_t target_count = target_size / width, source_count = source_size / width;
    for (Py_ssize_t i = 0, next; i < count; i = next) {
        int64_t last = end[i];
        if (begin[i] < 0 || begin[i] > last || to[i] < 0 || to[i] > target_count)
            return -1;
        for (next = i + 1; next < count && begin[next] == last && end[next] >= last && last <= source_count &&
                           to[next] == to[i] + (last - begin[i]);
             next++)
            last = end[next];
        if (last > source_count || to[i] > target_count - (last - begin[i]))
            return -1;
        memcpy(target + to[i] * width, source + begin[i] * width, (size_t)((last - begin[i]) * width));
    }
    return 0;
}

static PyObject *moves_move(PyObject *Py_UNUSED(module), PyObject *arguments) {
    Py_buffer target, source, to, begin, end;
    int width;
    if (!PyArg_ParseTuple(arguments, "w*y*y*y*y*i", &target, &source, &to, &begin, &end, &width))
        return NULL;
    int failed = width < 1 || to.len != begin.len || to.len != end.len;
    if (!failed) {
        Py_BEGIN_ALLOW_THREADS /* two threads fill one tree, at different places */
        failed = move_slices(target.buf, target.len, source.buf, source.len, to.buf, begin.buf, end.buf,
                             to.len / (Py_ssize_t)sizeof(int64_t), width);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&target);
    PyBuffer_Release(&source);
    PyBuffer_Release(&to);
    PyBuffer_Release(&begin);
    PyBuffer_Release(&end);
    if (failed) {
        PyErr_SetString(PyExc_ValueError, "a slice leaves its array");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"move", moves_move, METH_VARARGS,
     "move(target, source, to, begin, end, width): copy each slice; positions are i64, in values of width bytes."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_moves", .m_size = 0, .m_methods = methods, .m_slots = slots};

PyMODINIT_FUNC PyInit__moves(void) { return PyModuleDef_Init(&module); }
