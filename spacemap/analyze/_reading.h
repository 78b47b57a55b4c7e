/* Files opened and read so that what was read is known to be of one identity. Linux. */
#ifndef SPACEMAP_READING_H
#define SPACEMAP_READING_H

#include <stddef.h>
#include <stdint.h>

/* What became of a file. Known to Python as contents.State. */
enum { WAITING, UNIQUE, EQUAL, FAILED, CHANGED, STOPPED };

/* One file; Python fills in the first six and reads the rest. The layout is FILE_TYPE of contents.py. */
typedef struct {
    int64_t directory; /* where its directory's path, ended by 0, begins in `directories` */
    int64_t name;      /* where its name begins in `names` */
    int32_t name_length;
    uint32_t part; /* files with equal contents have equal parts; of those that are EQUAL */
    uint64_t device, inode; /* as the scan saw them */
    uint64_t blocks, links;
    int64_t mtime_ns, ctime_ns, birth_ns; /* as it was opened; birth 0 where the file system has none */
    int32_t error; /* errno of FAILED */
    int32_t state;
} file;

/* Shared with Python, which sets `stop` and reads the others. */
typedef struct {
    uint64_t bytes;  /* read or skipped as a hole */
    uint64_t waited; /* windows that were not in the page cache */
    uint64_t files;  /* of which everything is known */
    uint64_t stop;
} counters;

typedef struct {
    const char *directories, *names;
    counters *counters;
} place;

/* A file while it is worked on. */
typedef struct {
    file *file;
    int descriptor; /* -1: closed */
    int was_opened, is_sparse;
    int was_absent; /* from `absent` on it was not in the page cache */
    uint64_t absent, read_end;
    uint64_t data_begin, data_end; /* of a sparse file: the next stretch that is no hole */
} source;

/* Fill in the identity of a file as it is now; `error` where it has none. */
void identify(const place *place, file *file);
/* Each returns 0, or -1 with the state of the file set. */
int open_source(const place *place, source *source, uint64_t size);
int read_source(const place *place, source *source, unsigned char *buffer, uint64_t offset, size_t length);
/* Compares the file with what was opened once more. */
int close_source(source *source, uint64_t size);
/* The next byte at or behind `offset` that is in no hole. The source is open. */
uint64_t next_data(source *source, uint64_t offset, uint64_t size);

#endif
