/* The stack of waiting directories, and the threads that empty it. */
#define _GNU_SOURCE 1
#include "_walk.h"

#include "_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    FRAME_MAGIC = 0x31424d53,
    FRAME_WAITING = 2,
    FRAME_IDLE = 3,
    OPEN_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
    MAX_OPEN = 1024,            /* descriptors kept for subdirectories that wait */
    RESERVED_DESCRIPTORS = 24,  /* of the process itself */
    FLUSH_AFTER_NS = 200000000, /* a batch leaves at the latest then, for the live view */
    SERIAL_BITS = 40            /* references of one lister */
};

typedef struct waiting_header {
    uint32_t magic;
    uint8_t type;
    uint8_t padding[7];
    uint32_t count;
    uint64_t length;
} waiting_header;

_Static_assert(sizeof(waiting_header) == 24, "stable on disk");
_Static_assert(sizeof(waiting_record) == 40, "stable on disk");

/* ---- nodes; the lock is held ---- */

static node *new_node(node *parent, const char *name, size_t length) {
    node *n = malloc(sizeof *n + length + 1);
    if (!n)
        return NULL;
    *n = (node){.parent = parent, .fd = -1, .holders = 1, .name_length = (uint32_t)length};
    memcpy(n->name, name, length);
    n->name[length] = 0;
    if (parent) {
        parent->holders++;
        parent->unopened++;
    }
    return n;
}

static void close_node(walker *w, node *n) {
    if (n->fd < 0)
        return;
    close(n->fd);
    n->fd = -1;
    w->open_descriptors--;
}

/* The child no longer needs its parent's descriptor. */
static void settle(walker *w, node *child) {
    node *parent = child->parent;
    if (parent && --parent->unopened == 0)
        close_node(w, parent);
}

static void release(walker *w, node *n) {
    while (n && --n->holders == 0) {
        node *parent = n->parent;
        close_node(w, n);
        free(n);
        n = parent;
    }
}

static int push_node(walker *w, node *n) {
    if (w->stack_length == w->stack_capacity) {
        size_t capacity = w->stack_capacity * 2 + 256;
        node **grown = realloc(w->stack, capacity * sizeof *grown);
        if (!grown)
            return ENOMEM;
        w->stack = grown;
        w->stack_capacity = capacity;
    }
    w->stack[w->stack_length++] = n;
    return 0;
}

/* The path below the root, NUL-terminated, into `path`. Names of living nodes never change: no lock needed. */
static int write_path(const node *n, column *path) {
    size_t length = 0;
    for (const node *at = n; at; at = at->parent)
        length += at->name_length + (at->parent && at->parent->depth ? 1 : 0);
    path->length = 0;
    if (column_reserve(path, length + 1))
        return -1;
    path->length = length;
    path->data[length] = 0;
    for (const node *at = n; at; at = at->parent) {
        length -= at->name_length;
        memcpy(path->data + length, at->name, at->name_length);
        if (at->parent && at->parent->depth)
            path->data[--length] = '/';
    }
    return 0;
}

static void fail(walker *w, int error) {
    if (w->exits_on_failure)
        _exit(1);
    pthread_mutex_lock(&w->lock);
    if (!w->failed)
        w->failed = error;
    w->stopping = 1;
    pthread_cond_broadcast(&w->work);
    pthread_cond_broadcast(&w->rest);
    pthread_mutex_unlock(&w->lock);
}

/* ---- opening ---- */

/* The descriptor of a root: one that is kept, or for a root beyond the limit, one of its own (*opened). */
static int root_descriptor(const walker *w, const node *n, int *opened) {
    *opened = -1;
    if (w->root_fds[n->root] >= 0)
        return w->root_fds[n->root];
    return *opened = open(w->root_names[n->root], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
}

/* Whether the descriptor is that of the directory which was measured: by a path, another may have taken its place. */
static int is_same(int fd, const node *n) {
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_dev == n->device && st.st_ino == n->inode;
}

static int open_node(walker *w, lister *l, node *n) {
    if (n->parent && n->parent->fd >= 0) /* never a followed link: those come back as claims, with a path */
        return openat(n->parent->fd, n->name, OPEN_FLAGS);
    if (write_path(n, &l->path)) {
        errno = ENOMEM;
        return -1;
    }
    int opened, root = root_descriptor(w, n, &opened), fd = -1;
    if (root >= 0)
        fd = open_below(root, (const char *)l->path.data, l->path.length, OPEN_FLAGS, w->list.follow_symlinks);
    int error = errno;
    if (opened >= 0)
        close(opened);
    if (fd >= 0 && !is_same(fd, n)) {
        close(fd);
        fd = -1;
        error = ENOENT;
    }
    errno = error;
    return fd;
}

/* ---- sending ---- */

/* 0, or the errno that ended the sink. */
static int send_batch(walker *w, lister *l) {
    pthread_mutex_lock(&w->out_lock);
    batch_send(&l->batch, &w->out);
    int failed = w->out.failed;
    pthread_mutex_unlock(&w->out_lock);
    return failed;
}

static void send_frame(walker *w, uint8_t type, uint32_t count, const column *records, const column *paths) {
    waiting_header h = {.magic = FRAME_MAGIC,
                        .type = type,
                        .count = count,
                        .length = sizeof h + (records ? records->length + paths->length : 0)};
    pthread_mutex_lock(&w->out_lock);
    sink_write(&w->out, &h, sizeof h);
    if (records) {
        sink_write(&w->out, records->data, records->length);
        sink_write(&w->out, paths->data, paths->length);
    }
    pthread_mutex_unlock(&w->out_lock);
}

static int add_record(const node *n, column *records, column *paths, column *path) {
    if (write_path(n, path) || column_reserve(records, sizeof(waiting_record)) ||
        column_reserve(paths, path->length + 1)) /* memcpy may not be given NULL, even for nothing */
        return ENOMEM;
    waiting_record r = {.ref = n->ref,
                        .device = n->device,
                        .inode = n->inode,
                        .depth = n->depth,
                        .root = n->root,
                        .notes = n->notes,
                        .path_length = (uint32_t)path->length};
    memcpy(records->data + records->length, &r, sizeof r);
    records->length += sizeof r;
    memcpy(paths->data + paths->length, path->data, path->length);
    paths->length += path->length;
    return 0;
}

/* Send nodes[0..count) to the reader and let go of them; the lock is held. */
static int send_nodes(walker *w, node **nodes, size_t count) {
    column records = {0}, paths = {0}, path = {0};
    int error = 0;
    for (size_t i = 0; i < count; i++) {
        if (!error)
            error = add_record(nodes[i], &records, &paths, &path);
        settle(w, nodes[i]);
        release(w, nodes[i]);
    }
    if (!error)
        send_frame(w, FRAME_WAITING, (uint32_t)count, &records, &paths);
    free(records.data);
    free(paths.data);
    free(path.data);
    return error;
}

/* ---- listing ---- */

static int is_poisoned(const walker *w, const node *n) {
    for (size_t i = 0; i < w->poisoned_count; i++)
        if (w->poisoned[i].device == n->device && w->poisoned[i].inode == n->inode)
            return 1;
    return 0;
}

/* Put the subdirectories just listed on the stack, or back to the reader; the lock is held. */
static int adopt_subdirectories(walker *w, lister *l, node *parent, uint64_t first_ref, int *fd) {
    scratch *s = &l->scratch;
    column back = {0};
    int error = 0;
    size_t before = w->stack_length;
    for (size_t i = s->subdirectory_count; i-- && !error;) { /* the first name is to be taken first */
        const subdirectory *d = &s->subdirectories[i];
        node *n = new_node(parent, d->name, d->name_length);
        if (!n) {
            error = ENOMEM;
            break;
        }
        n->ref = first_ref + d->index;
        n->device = d->device;
        n->inode = d->inode;
        n->depth = parent->depth + 1;
        n->root = parent->root;
        n->notes = (uint16_t)((d->flags & FLAG_MOUNT ? NOTE_BOUNDARY : 0) |
                              (d->flags & FLAG_VIA_SYMLINK ? NOTE_VIA_SYMLINK : 0));
        if (!n->notes && !(parent->notes & NOTE_ALONE))
            error = push_node(w, n);
        else
            error = column_reserve(&back, sizeof n) ? ENOMEM : (put64(&back, (uintptr_t)n), 0);
    }
    if (w->stack_length > before && w->open_descriptors < w->open_limit) {
        parent->fd = *fd;
        *fd = -1;
        w->open_descriptors++;
    }
    if (!error && back.length)
        error = send_nodes(w, (node **)(void *)back.data, back.length / sizeof(node *));
    free(back.data);
    return error;
}

/* A directory at the depth limit is listed by its parent and not entered. */
static void mark_depth_limit(lister *l, size_t first_directory) {
    column *skip = &l->batch.columns[DIRECTORY_SKIP];
    for (size_t i = first_directory; i < skip->length; i++)
        if (skip->data[i] == SKIP_NONE)
            skip->data[i] = SKIP_DEPTH_LIMIT;
    l->scratch.subdirectory_count = 0;
}

/* What vanished, or was replaced by something else, has nothing in it that could not be read. */
static int has_vanished(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP; }

/* List one node into the lister's batch; *fd is its open descriptor, or -1. Returns 0 or an errno. */
static int list_node(walker *w, lister *l, node *n, int *fd) {
    l->scratch.subdirectory_count = 0;
    *fd = open_node(w, l, n);
    if (*fd < 0) {
        int error = errno;
        if (has_vanished(error))
            return batch_add_listing(&l->batch, n->ref, 0, SKIP_VANISHED) ? ENOMEM : 0;
        return batch_add_problem(&l->batch, n->ref, OPERATION_OPEN, error) ||
                       batch_add_listing(&l->batch, n->ref, 0, SKIP_UNREADABLE)
                   ? ENOMEM
                   : 0;
    }
    l->path.length = 0;
    if (w->list.verdict && write_path(n, &l->path))
        return ENOMEM;
    size_t directories = l->batch.columns[DIRECTORY_SKIP].length;
    if (list_directory(*fd, n->ref, n->device, (const char *)l->path.data, l->path.length, &w->list, &l->scratch,
                       &l->batch))
        return ENOMEM;
    if (w->max_depth >= 0 && n->depth + 1 >= (uint32_t)w->max_depth)
        mark_depth_limit(l, directories);
    return 0;
}

/* Let the batch say where its lister is; without memory for it, it does not. */
static void note_place(lister *l, const node *n) {
    column *place = &l->batch.columns[PLACE];
    l->batch.root = n->root;
    if (write_path(n, place))
        place->length = 0;
}

/* Take and list the newest waiting directory; the lock is held on entry and on return. */
static int list_next(walker *w, lister *l) {
    node *n = w->stack[--w->stack_length];
    if (w->poisoned_count && is_poisoned(w, n)) {
        n->notes |= NOTE_POISONED;
        return send_nodes(w, &n, 1);
    }
    int64_t started = monotonic_ns();
    atomic_store_explicit(&l->since_ns, started, memory_order_relaxed);
    l->current = (identity){n->device, n->inode};
    pthread_mutex_unlock(&w->lock);

    int fd;
    uint64_t first_ref = l->batch.base_ref;
    int error = list_node(w, l, n, &fd);
    if (!l->batch.started_ns)
        l->batch.started_ns = started;
    if (fd >= 0 && !l->scratch.subdirectory_count) {
        close(fd);
        fd = -1;
    }
    int is_due = l->batch.entries >= w->flush_entries || started - l->batch.started_ns > FLUSH_AFTER_NS;

    if (is_due)
        note_place(l, n);

    pthread_mutex_lock(&w->lock);
    atomic_store_explicit(&l->since_ns, 0, memory_order_relaxed);
    settle(w, n);
    if (!error && l->scratch.subdirectory_count)
        error = adopt_subdirectories(w, l, n, first_ref, &fd);
    release(w, n);
    if (w->idle && w->stack_length)
        pthread_cond_broadcast(&w->work);
    if (fd >= 0 || is_due) {
        pthread_mutex_unlock(&w->lock);
        if (fd >= 0)
            close(fd);
        if (is_due && !error)
            error = send_batch(w, l);
        pthread_mutex_lock(&w->lock);
    }
    return error;
}

/* Nothing waits and nobody lists: send what is left, and say so. The lock is held. 0, or an errno. */
static int announce_idle(walker *w) {
    int error = 0;
    w->announced = 1;
    for (uint32_t i = 0; i < w->lister_count && !error; i++)
        error = send_batch(w, &w->listers[i]);
    send_frame(w, FRAME_IDLE, 0, NULL, NULL);
    pthread_cond_broadcast(&w->rest);
    return error;
}

static void *lister_main(void *argument) {
    lister *l = argument;
    walker *w = l->owner;
    int error = 0;
    pthread_mutex_lock(&w->lock);
    while (!w->stopping && !error) {
        if (w->stack_length) {
            error = list_next(w, l);
            continue;
        }
        w->idle++;
        while (!w->stack_length && !w->stopping && !error) {
            if (w->idle == w->started && !w->announced)
                error = announce_idle(w);
            else
                pthread_cond_wait(&w->work, &w->lock);
        }
        w->idle--;
    }
    pthread_mutex_unlock(&w->lock);
    if (!error)
        error = send_batch(w, l); /* not left to walker_stop, which waits for a lister that may hang */
    if (error)
        fail(w, error);
    return NULL;
}

/* ---- the outside ---- */

static int descriptor_limit(uint32_t listers) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    rlim_t available = limit.rlim_cur == RLIM_INFINITY ? 1u << 20 : limit.rlim_cur;
    rlim_t taken = RESERVED_DESCRIPTORS + 2 * (rlim_t)listers;
    if (available <= taken)
        return 0;
    return available - taken > MAX_OPEN ? MAX_OPEN : (int)(available - taken);
}

int walker_init(walker *w, uint32_t listers, uint64_t ref_base, const char *const *roots, size_t root_count) {
    pthread_mutex_init(&w->lock, NULL);
    pthread_mutex_init(&w->out_lock, NULL);
    pthread_cond_init(&w->work, NULL);
    pthread_condattr_t clock; /* pthread_cond_timedwait by a clock that nobody sets */
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&w->rest, &clock);
    pthread_condattr_destroy(&clock);
    w->open_limit = descriptor_limit(listers);
    w->listers = calloc(listers, sizeof *w->listers);
    w->root_fds = calloc(root_count ? root_count : 1, sizeof *w->root_fds);
    if (!w->listers || !w->root_fds)
        return ENOMEM;
    w->lister_count = listers;
    for (uint32_t i = 0; i < listers; i++) {
        w->listers[i].owner = w;
        w->listers[i].scratch.sign_of_life = &w->listers[i].since_ns;
        w->listers[i].batch.base_ref = ref_base + ((uint64_t)i << SERIAL_BITS);
    }
    w->root_names = calloc(root_count ? root_count : 1, sizeof *w->root_names);
    if (!w->root_names)
        return ENOMEM;
    for (size_t i = 0; i < root_count; i++) {
        w->root_names[i] = strdup(roots[i]);
        if (!w->root_names[i])
            return ENOMEM;
        /* A root that cannot be opened is tried again, and reported, when it is listed. */
        w->root_fds[i] = w->open_limit > MAX_OPEN / 16 && i < (size_t)w->open_limit / 4
                             ? open(roots[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK)
                             : -1;
        w->root_count++;
    }
    w->open_limit -= w->root_count < (size_t)w->open_limit / 4 ? (int)w->root_count : w->open_limit / 4;
    return 0;
}

int walker_start(walker *w) {
    pthread_mutex_lock(&w->lock);
    int error = 0;
    w->announced = 1; /* idle from the start: nothing to say */
    while (w->started < w->lister_count) {
        error = pthread_create(&w->listers[w->started].thread, NULL, lister_main, &w->listers[w->started]);
        if (error)
            break;
        w->started++;
    }
    pthread_mutex_unlock(&w->lock);
    return w->started ? 0 : error;
}

int walker_push(walker *w, const void *records, size_t length, uint32_t count) {
    if ((size_t)count * sizeof(waiting_record) > length)
        return EINVAL;
    const char *path = (const char *)records + count * sizeof(waiting_record);
    size_t left = length - count * sizeof(waiting_record);
    int error = 0;
    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < count && !error; i++) {
        waiting_record r;
        memcpy(&r, (const char *)records + i * sizeof r, sizeof r);
        if (r.path_length > left || r.root >= w->root_count) {
            error = EINVAL;
            break;
        }
        node *n = new_node(NULL, path, r.path_length);
        if (!n) {
            error = ENOMEM;
            break;
        }
        n->ref = r.ref;
        n->device = r.device;
        n->inode = r.inode;
        n->depth = r.depth;
        n->root = r.root;
        n->notes = r.notes;
        error = push_node(w, n);
        path += r.path_length;
        left -= r.path_length;
    }
    w->announced = 0;
    pthread_cond_broadcast(&w->work);
    pthread_mutex_unlock(&w->lock);
    return error;
}

int walker_poison(walker *w, uint64_t device, uint64_t inode) {
    pthread_mutex_lock(&w->lock);
    identity *grown = realloc(w->poisoned, (w->poisoned_count + 1) * sizeof *grown);
    if (grown) {
        grown[w->poisoned_count++] = (identity){device, inode};
        w->poisoned = grown;
    }
    pthread_mutex_unlock(&w->lock);
    return grown ? 0 : ENOMEM;
}

int walker_wait(walker *w, int64_t nanoseconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(nanoseconds / 1000000000);
    until.tv_nsec += (long)(nanoseconds % 1000000000);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&w->lock);
    while (!w->announced && !w->failed && pthread_cond_timedwait(&w->rest, &w->lock, &until) == 0)
        ;
    int is_idle = w->announced;
    pthread_mutex_unlock(&w->lock);
    return is_idle;
}

unsigned char *walker_take(walker *w, size_t *length) {
    pthread_mutex_lock(&w->out_lock);
    unsigned char *memory = w->out.memory;
    *length = w->out.length;
    w->out.memory = NULL;
    w->out.length = w->out.capacity = 0;
    pthread_mutex_unlock(&w->out_lock);
    return memory;
}

void walker_give(walker *w, int all) {
    pthread_mutex_lock(&w->lock);
    size_t count = all ? w->stack_length : (w->stack_length + 1) / 2;
    int error = send_nodes(w, w->stack, count);
    w->stack_length -= count; /* the oldest went: the subtrees nearest to the root */
    memmove(w->stack, w->stack + count, w->stack_length * sizeof *w->stack);
    pthread_cond_broadcast(&w->work); /* with nothing left, somebody must say that all are idle */
    pthread_mutex_unlock(&w->lock);
    if (error)
        fail(w, error);
}

size_t walker_status(walker *w, int64_t *since_ns, identity *current, size_t capacity) {
    size_t count = 0;
    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < w->lister_count && count < capacity; i++) {
        since_ns[count] = atomic_load_explicit(&w->listers[i].since_ns, memory_order_relaxed);
        if (!since_ns[count])
            continue;
        current[count++] = w->listers[i].current;
    }
    pthread_mutex_unlock(&w->lock);
    return count;
}

void walker_send(walker *w, const void *frame, size_t length) {
    pthread_mutex_lock(&w->out_lock);
    sink_write(&w->out, frame, length);
    pthread_mutex_unlock(&w->out_lock);
}

void walker_stop(walker *w) {
    pthread_mutex_lock(&w->lock);
    w->stopping = 1;
    pthread_cond_broadcast(&w->work);
    pthread_mutex_unlock(&w->lock);
    for (uint32_t i = 0; i < w->started; i++)
        pthread_join(w->listers[i].thread, NULL);
    for (uint32_t i = 0; i < w->started && !w->failed; i++)
        w->failed = send_batch(w, &w->listers[i]);
    w->started = 0;
}

void walker_free(walker *w) {
    for (size_t i = 0; i < w->stack_length; i++) {
        settle(w, w->stack[i]);
        release(w, w->stack[i]);
    }
    for (uint32_t i = 0; w->listers && i < w->lister_count; i++) {
        scratch_free(&w->listers[i].scratch);
        batch_free(&w->listers[i].batch);
        free(w->listers[i].path.data);
    }
    for (size_t i = 0; i < w->root_count; i++) {
        if (w->root_fds[i] >= 0)
            close(w->root_fds[i]);
        free(w->root_names[i]);
    }
    free(w->root_names);
    free(w->stack);
    free(w->poisoned);
    free(w->root_fds);
    free(w->listers);
    free(w->out.memory);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->out_lock);
    pthread_cond_destroy(&w->work);
    pthread_cond_destroy(&w->rest);
}
