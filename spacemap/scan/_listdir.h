/* One directory: read its names, sort them, stat them, append them to a batch. */
#ifndef SPACEMAP_LISTDIR_H
#define SPACEMAP_LISTDIR_H

#include "_batch.h"

/* What an exclusion says of one name. */
enum { VERDICT_KEEP = 0, VERDICT_EXCLUDE = 1, VERDICT_PRUNE = 2 };

/* Asked once a directory when there are exclusions. `records` holds, for each name, NUL, one of 'd' (directory)
   or 'f', and the name; a NUL ends it. Writes one verdict a name. Returns 0, or -1 to stop the walk. */
typedef int (*verdict_function)(void *context, const char *path, size_t path_length, const char *records,
                                size_t records_length, unsigned char *verdicts, size_t count);

typedef struct list_options {
    int follow_symlinks;
    int read_times; /* 0: neither mtime nor ctime is asked of the kernel */
    int exclude_cache_tagged;
    verdict_function verdict; /* NULL: nothing is excluded by name */
    void *context;
} list_options;

/* A subdirectory that was listed: its row in the batch, and what decides whether to descend. */
typedef struct subdirectory {
    uint64_t device, inode;
    const char *name; /* valid until the next listing */
    uint32_t index;
    uint16_t name_length;
    uint8_t flags; /* of the entry */
} subdirectory;

/* One name of a directory, before it is measured. */
typedef struct found_name {
    uint64_t key; /* the 8 bytes after the common prefix, big-endian: compares as the names do */
    uint64_t inode;
    const char *name;
    uint16_t length;
    uint8_t type; /* DT_* */
    uint8_t verdict;
} found_name;

/* What statx said of one name. */
typedef struct measured {
    uint64_t device, inode, size, blocks;
    int64_t mtime, mtime_ns, ctime_ns;
    uint32_t mode, links, owner;
    int error;
    uint8_t is_mount_root, via_symlink;
} measured;

/* Buffers of one thread, reused from directory to directory. */
typedef struct scratch {
    column text, names, spare, records, verdicts, measured, buffer;
    subdirectory *subdirectories;
    size_t subdirectory_count, subdirectory_capacity;
    _Atomic int64_t *sign_of_life; /* set to the monotonic time, ns, as the listing advances; NULL: nobody looks */
} scratch;

/* Ask the kernel about one name of the open directory `fd`; an errno becomes `error`. */
void measure_name(int fd, const found_name *n, const list_options *options, measured *m);
/* KIND_* of a st_mode. */
uint8_t kind_of(uint32_t mode);

/* List the open directory `fd` (closed by the caller) into `b` as the listing of `ref`.
   `device` is the directory's own; `path` its path below the root, for exclusions.
   Returns 0, or -1 when memory ran out or an exclusion failed: the batch is then of no use. */
int list_directory(int fd, uint64_t ref, uint64_t device, const char *path, size_t path_length,
                   const list_options *options, scratch *s, batch *b);
void scratch_free(scratch *s);
int64_t monotonic_ns(void);

#endif
