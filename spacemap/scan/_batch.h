/* The columns of one batch, as they grow, and how they leave: one frame, see wire.py for its layout. */
#ifndef SPACEMAP_BATCH_H
#define SPACEMAP_BATCH_H

#include "_column.h"

#include <sys/types.h>

/* Stable on disk: the values of Kind, Flag, Skip and Operation in tree/columns.py. */
enum { KIND_DIRECTORY = 0, KIND_FILE = 1, KIND_SYMLINK = 2, KIND_OTHER = 3 };
enum { FLAG_LINKED = 1, FLAG_MOUNT = 4, FLAG_VIA_SYMLINK = 8, FLAG_UNMEASURED = 32 };
enum {
    SKIP_NONE = 0,
    SKIP_EXCLUDED = 1,
    SKIP_PRUNED = 2,
    SKIP_UNREADABLE = 5,
    SKIP_DEPTH_LIMIT = 9,
    SKIP_CACHE_TAGGED = 10,
    SKIP_VANISHED = 255 /* of a listing only */
};
/* Stable on disk: nobody's number, for whose owner was not asked. */
#define OWNER_UNKNOWN UINT32_MAX
enum { OPERATION_OPEN = 1, OPERATION_LIST = 2, OPERATION_STAT = 3 };

/* Where frames go: a descriptor (fd >= 0), or memory. */
typedef struct sink {
    int fd;
    int failed; /* the reader is gone, or memory ran out: nothing more is written */
    unsigned char *memory;
    size_t length, capacity;
} sink;

enum batch_column {
    LISTING_REF,
    LISTING_COUNT,
    LISTING_SKIP,
    DIRECTORY_DEVICE,
    DIRECTORY_MTIME_NS,
    DIRECTORY_CTIME_NS,
    DIRECTORY_SKIP,
    LINK_INDEX,
    LINK_COUNT,
    LINK_DEVICE,
    PROBLEM_REF,
    PROBLEM_ERRNO,
    PROBLEM_OPERATION,
    KIND,
    FLAGS,
    NAME_LENGTH,
    APPARENT,
    BLOCKS,
    MTIME,
    INODE,
    OWNER,
    NAMES,
    PLACE, /* path of the directory listed last, for the progress line; may be empty */
    COLUMN_COUNT
};

typedef struct batch {
    column columns[COLUMN_COUNT];
    uint64_t base_ref; /* reference of the first entry */
    uint64_t excluded; /* files left out by an exclusion */
    uint32_t entries;
    uint32_t root; /* of PLACE */
    int64_t started_ns; /* monotonic time of the first listing; 0 when empty */
} batch;

/* Room in every per-entry column for `entries` rows and `name_bytes`, and for one listing. */
int batch_reserve(batch *b, size_t entries, size_t name_bytes);
int batch_add_listing(batch *b, uint64_t ref, uint32_t count, uint8_t skip);
int batch_add_problem(batch *b, uint64_t ref, uint8_t operation, int error);
/* Write the batch as one frame and empty it; the columns are narrowed in place. */
void batch_send(batch *b, sink *to);
void batch_free(batch *b);

void sink_write(sink *to, const void *data, size_t length);

#endif
