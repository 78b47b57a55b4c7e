/* Files of one size, told apart by reading all of them at the same pace. */
#ifndef SPACEMAP_PARTITION_H
#define SPACEMAP_PARTITION_H

#include "_reading.h"
#include "_xxh3.h"

/* The digest of the first `offset` bytes of a file: what it is told by from others, known to Python as MARK_TYPE. */
typedef struct {
    uint64_t offset, low, high;
    uint32_t file; /* index */
    uint32_t unused;
} mark;

typedef struct {
    mark *marks;
    size_t count, room;
} mark_list;

typedef struct {
    place place;
    size_t memory;     /* bytes for windows */
    size_t open_files; /* at most so many at a time */
    int only_first;    /* end after the first window: what is left together has equal beginnings */
    int mask;          /* of digests; for tests of what happens when they are equal */
    uint32_t parts;    /* numbers given so far */
    mark_list found;
} run;

/* Find out the state, identity and part of each file of a size, and the marks. -1: out of memory. */
int partition(run *run, file *files, size_t first, size_t count, uint64_t size);

#endif
