/* Many directories: threads that take them from one stack, and send what they list as frames. */
#ifndef SPACEMAP_WALK_H
#define SPACEMAP_WALK_H

#include "_listdir.h"

#include <pthread.h>
#include <stdatomic.h>

/* Stable on disk, as the records of a frame of directories; see wire.py. */
enum {
    NOTE_BOUNDARY = 1,    /* begins another mount, or is on another device than its parent */
    NOTE_VIA_SYMLINK = 2, /* reached through a symlink */
    NOTE_POISONED = 4,    /* was found on the list of directories not to be opened */
    NOTE_ALONE = 8        /* list this directory, hand back its subdirectories */
};

typedef struct waiting_record {
    uint64_t ref, device, inode;
    uint32_t depth;
    uint16_t root, notes;
    uint32_t path_length, padding;
} waiting_record;

typedef struct identity {
    uint64_t device, inode;
} identity;

/* A directory that waits, or whose subdirectories wait. */
typedef struct node {
    struct node *parent; /* NULL: `name` is the path below the root */
    uint64_t ref, device, inode;
    int fd;             /* -1: not open */
    uint32_t holders;   /* itself while waiting or being listed, and each child */
    uint32_t unopened;  /* children that still need `fd` */
    uint32_t depth;
    uint32_t name_length;
    uint16_t root, notes;
    char name[];
} node;

typedef struct walker walker;

typedef struct lister {
    walker *owner;
    pthread_t thread;
    scratch scratch;
    batch batch;
    column path;
    _Atomic int64_t since_ns; /* last sign of life of the listing under way; 0: none */
    identity current;
} lister;

struct walker {
    list_options list;
    int32_t max_depth; /* -1: no limit */
    uint32_t flush_entries;
    sink out;
    pthread_mutex_t lock;     /* the stack, the nodes, the poisoned, the listers' since_ns and current */
    pthread_mutex_t out_lock; /* the sink */
    pthread_cond_t work;
    pthread_cond_t rest; /* told when the listers become idle */
    node **stack;
    size_t stack_length, stack_capacity;
    identity *poisoned;
    size_t poisoned_count;
    int *root_fds; /* -1: beyond the limit of descriptors, or not to be opened */
    char **root_names;
    size_t root_count;
    lister *listers;
    uint32_t lister_count, started, idle;
    int open_descriptors, open_limit;
    int announced, stopping;
    int exits_on_failure; /* a worker that can list no more must end, so that another takes its work over */
    int failed; /* an errno: memory ran out, the reader is gone, or an exclusion failed */
};

/* Prepare a walker of `listers` threads; ref_base is the first reference it may give out. 0, or an errno. */
int walker_init(walker *w, uint32_t listers, uint64_t ref_base, const char *const *roots, size_t root_count);
int walker_start(walker *w);
/* Add the directories of a frame's records; 0, or EINVAL, ENOMEM. */
int walker_push(walker *w, const void *records, size_t length, uint32_t count);
int walker_poison(walker *w, uint64_t device, uint64_t inode);
/* Wait until nothing waits and nobody lists, at most so long; returns whether that is so. */
int walker_wait(walker *w, int64_t nanoseconds);
/* Send half of what waits (all of it: everything) as one frame, the oldest first. */
void walker_give(walker *w, int all);
/* Write the start and identity of each listing under way; returns how many of `capacity`. */
size_t walker_status(walker *w, int64_t *since_ns, identity *current, size_t capacity);
/* Take the frames kept in memory over from the sink; free() them. */
unsigned char *walker_take(walker *w, size_t *length);
/* Write a frame of the caller's own between those of the listers. */
void walker_send(walker *w, const void *frame, size_t length);
void walker_stop(walker *w);
void walker_free(walker *w);

#endif
