/* The Python type of a tree to be checked. Include after Python.h. */
#ifndef SPACEMAP_KNOWN_H
#define SPACEMAP_KNOWN_H

/* Add the type `Known` to the module; 0, or -1 with an exception. */
int add_known(PyObject *module);

#endif
