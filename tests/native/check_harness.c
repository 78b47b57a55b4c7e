/* The check of known entries without Python, to be run under sanitizers.

   check_harness COLUMNS THREADS FAILING COMMAND [ROOT...]

   COLUMNS is a file of what `_native.Known` is given, in order, the descriptors and the answer left out: for each
   column the bytes of a value and of all values, u64, and the values up to a multiple of 8 bytes. Threads take the
   directories in small pieces. COMMAND is run once the roots, by entry and `-` for none, are open. Where FAILING is
   not 0, memory runs out at that request. Prints the answer, a digit an entry, and the error. */
#define _GNU_SOURCE 1
#include "_batch.h"
#include "_check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum input {
    IN_PARENT,
    IN_KIND,
    IN_FLAGS,
    IN_SIZE,
    IN_BLOCKS,
    IN_MTIME,
    IN_INODE,
    IN_OWNER,
    IN_OWNERS,
    IN_OFFSET,
    IN_NAMES,
    IN_ENTRY,
    IN_FIRST_CHILD,
    IN_CHILD_COUNT,
    IN_DEVICE,
    IN_MTIME_NS,
    IN_CTIME_NS,
    IN_ORDER,
    IN_LINK_ENTRY,
    IN_LINK_COUNT,
    IN_LINK_DEVICE,
    IN_WANTED,
    COLUMNS
};
enum { PIECE = 7, MOST_ROOTS = 9 };

static struct {
    void *data; /* of its own, so that a step beyond it is noticed */
    uint64_t width, size;
} columns[COLUMNS];
static known_tree tree;
static uint8_t *differs;
static atomic_size_t next_directory;
static atomic_int requests, failing, failed;

int __real_column_reserve(column *c, size_t bytes);
int __wrap_column_reserve(column *c, size_t bytes);

int __wrap_column_reserve(column *c, size_t bytes) {
    return atomic_fetch_add(&requests, 1) + 1 == failing ? -1 : __real_column_reserve(c, bytes);
}

static void must(int is_true, const char *what) {
    if (is_true)
        return;
    fprintf(stderr, "check_harness: %s: %s\n", what, strerror(errno));
    _exit(9);
}

static void read_columns(const char *path) {
    FILE *file = fopen(path, "rb");
    must(file != NULL, path);
    for (int i = 0; i < COLUMNS; i++) {
        char padding[8];
        must(fread(&columns[i].width, 16, 1, file) == 1, "a width and a size");
        size_t size = columns[i].size;
        columns[i].data = malloc(size ? size : 1);
        must(columns[i].data && fread(columns[i].data, 1, size, file) == size, "values");
        must(fread(padding, 1, -size % 8, file) == -size % 8, "padding");
    }
    fclose(file);
}

static narrow_column narrow(int i) { return (narrow_column){columns[i].data, (uint8_t)columns[i].width}; }

static void *work(void *unused) {
    for (;;) {
        size_t begin = atomic_fetch_add(&next_directory, PIECE), end = begin + PIECE;
        if (begin >= tree.directories)
            return unused;
        if (end > tree.directories)
            end = tree.directories;
        column changed = {0};
        int error = check_children(&tree, begin, end, columns[IN_WANTED].data, differs, &changed);
        free(changed.data);
        if (error)
            atomic_store(&failed, error);
    }
}

int main(int argc, char **argv) {
    int fds[MOST_ROOTS], roots = argc - 5, threads = atoi(argv[2]);
    pthread_t thread[64];
    must(argc > 5 && roots <= MOST_ROOTS && threads <= 64, "usage");
    failing = atoi(argv[3]);
    read_columns(argv[1]);
    for (int i = 0; i < roots; i++)
        fds[i] = open(argv[5 + i], O_PATH | O_DIRECTORY | O_CLOEXEC);
    must(system(argv[4]) == 0, argv[4]);
    size_t entries = columns[IN_KIND].size;
    differs = calloc(entries, 1);
    tree = (known_tree){
        .parent = columns[IN_PARENT].data,
        .kind = columns[IN_KIND].data,
        .flags = columns[IN_FLAGS].data,
        .apparent = narrow(IN_SIZE),
        .blocks = narrow(IN_BLOCKS),
        .mtime = narrow(IN_MTIME),
        .inode = narrow(IN_INODE),
        .owner = narrow(IN_OWNER),
        .owners = columns[IN_OWNERS].data,
        .owner_count = columns[IN_OWNERS].size / 4,
        .name_offset = narrow(IN_OFFSET),
        .names = columns[IN_NAMES].data,
        .entry = columns[IN_ENTRY].data,
        .first_child = columns[IN_FIRST_CHILD].data,
        .child_count = columns[IN_CHILD_COUNT].data,
        .device = columns[IN_DEVICE].data,
        .mtime_ns = columns[IN_MTIME_NS].data,
        .ctime_ns = columns[IN_CTIME_NS].data,
        .directories = columns[IN_ENTRY].size / 4,
        .order = columns[IN_ORDER].data,
        .link_entry = columns[IN_LINK_ENTRY].data,
        .link_count = columns[IN_LINK_COUNT].data,
        .link_device = columns[IN_LINK_DEVICE].data,
        .links = columns[IN_LINK_ENTRY].size / 4,
        .root_fds = fds,
        .first = (uint32_t)roots,
    };
    for (int i = 0; i < threads; i++)
        must(pthread_create(&thread[i], NULL, work, NULL) == 0, "thread");
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    for (size_t i = 0; i < entries; i++)
        putchar('0' + differs[i]);
    printf(" %d\n", failed);
    for (int i = 0; i < roots; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    for (int i = 0; i < COLUMNS; i++)
        free(columns[i].data);
    free(differs);
    return 0;
}
