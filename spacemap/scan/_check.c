/* Measuring the entries of a tree again, and comparing. No Python here, as in _listdir.c. */
#define _GNU_SOURCE 1
#include "_check.h"

#include "_batch.h"
#include "_listdir.h"
#include "_open.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PLACE_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    OPEN_FROM = 4 /* so many entries to measure are worth opening their directory */
};

static uint64_t value(const narrow_column *c, size_t at) {
    uint64_t v = 0;
    memcpy(&v, (const char *)c->data + at * c->width, c->width); /* little-endian */
    return v;
}

static int64_t signed_value(const narrow_column *c, size_t at) {
    unsigned unused = 64 - 8u * c->width;
    return (int64_t)(value(c, at) << unused) >> unused;
}

/* Position of `wanted` in an ascending column, or -1. */
static ptrdiff_t position(const uint32_t *column, size_t count, uint32_t wanted) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (column[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && column[low] == wanted ? (ptrdiff_t)low : -1;
}

static const char *name_of(const known_tree *t, uint32_t entry, size_t *length) {
    uint64_t begin = value(&t->name_offset, entry);
    *length = value(&t->name_offset, (size_t)entry + 1) - begin;
    return t->names + begin;
}

/* Write the path of a directory below its root, NUL-terminated; `root` becomes the root's entry. 0, or -1. */
static int write_directory(const known_tree *t, uint32_t entry, column *path, uint32_t *root) {
    size_t length = 0, size;
    uint32_t at = entry;
    for (; at >= t->first; at = t->parent[at]) {
        name_of(t, at, &size);
        length += size + 1;
    }
    *root = at;
    path->length = 0;
    if (column_reserve(path, length + 1))
        return -1;
    path->data[length ? length - 1 : 0] = 0;
    path->length = length ? length - 1 : 0;
    size_t end = length;
    for (at = entry; at >= t->first; at = t->parent[at]) {
        const char *name = name_of(t, at, &size);
        if (end < length)
            path->data[end - 1] = '/';
        end -= size + 1;
        memcpy(path->data + end, name, size);
    }
    return 0;
}

static int is_same_link(const known_tree *t, uint32_t entry, const measured *m) {
    ptrdiff_t row = position(t->link_entry, t->links, entry);
    return row >= 0 && t->link_count[row] == m->links && t->link_device[row] == m->device;
}

static int is_same_directory(const known_tree *t, uint32_t entry, const measured *m) {
    ptrdiff_t row = position(t->entry, t->directories, entry);
    ptrdiff_t parent = position(t->entry, t->directories, t->parent[entry]);
    if (row < 0 || parent < 0)
        return 0;
    int is_mount = m->is_mount_root || m->device != t->device[parent];
    return t->device[row] == m->device && t->mtime_ns[row] == m->mtime_ns && t->ctime_ns[row] == m->ctime_ns &&
           is_mount == ((t->flags[entry] & FLAG_MOUNT) != 0);
}

static int is_same_owner(const known_tree *t, uint32_t entry, const measured *m) {
    uint64_t at = value(&t->owner, entry);
    return at < t->owner_count && t->owners[at] == m->owner;
}

/* Whether a listing would give the row that the tree has. */
static int is_same(const known_tree *t, uint32_t entry, const measured *m) {
    uint8_t flags = t->flags[entry];
    if (m->error || flags & FLAG_UNMEASURED || kind_of(m->mode) != t->kind[entry])
        return 0;
    if (m->size != value(&t->apparent, entry) || m->blocks != value(&t->blocks, entry) ||
        m->inode != value(&t->inode, entry) || m->mtime != signed_value(&t->mtime, entry) ||
        !is_same_owner(t, entry, m))
        return 0;
    if (t->kind[entry] == KIND_DIRECTORY)
        return is_same_directory(t, entry, m);
    if (m->links > 1 || flags & FLAG_LINKED)
        return m->links > 1 && flags & FLAG_LINKED && is_same_link(t, entry, m);
    return 1;
}

/* A place in the tree that is held open: neighbours among the directories have the one above them in common. */
typedef struct place {
    uint32_t entry;
    int fd, is_own; /* a root's descriptor is not */
} place;

static void leave(place *p) {
    if (p->is_own && p->fd >= 0)
        close(p->fd);
    *p = (place){.fd = -1};
}

/* Go to a directory; its descriptor is -1 where it cannot be reached. 0, or -1. */
static int go_to(const known_tree *t, uint32_t entry, place *p, column *path) {
    uint32_t root;
    if (p->is_own && p->entry == entry)
        return 0;
    leave(p);
    if (entry < t->first) {
        *p = (place){.entry = entry, .fd = t->root_fds[entry]};
        return 0;
    }
    if (write_directory(t, entry, path, &root))
        return -1;
    int fd = t->root_fds[root];
    if (fd >= 0)
        fd = open_below(fd, (const char *)path->data, path->length, PLACE_FLAGS, 0);
    *p = (place){.entry = entry, .fd = fd, .is_own = 1};
    return 0;
}

/* Append the name of an entry to a path, after a slash where it is not empty; NUL-terminated. 0, or -1. */
static int append_name(const known_tree *t, uint32_t entry, column *path) {
    size_t size;
    const char *name = name_of(t, entry, &size);
    if (column_reserve(path, size + 2))
        return -1;
    if (path->length)
        path->data[path->length++] = '/';
    memcpy(path->data + path->length, name, size);
    path->length += size;
    path->data[path->length] = 0;
    return 0;
}

/* Note a directory that differs and is still where and what it was, with what it measures now. 0, or -1. */
static int note_changed(const known_tree *t, uint32_t entry, const measured *m, column *changed) {
    if (m->error || t->flags[entry] & (FLAG_MOUNT | FLAG_UNMEASURED) || t->kind[entry] != KIND_DIRECTORY ||
        kind_of(m->mode) != KIND_DIRECTORY || m->is_mount_root || m->inode != value(&t->inode, entry))
        return 0;
    ptrdiff_t row = position(t->entry, t->directories, entry);
    if (row < 0 || t->device[row] != m->device)
        return 0;
    changed_directory c = {.entry = entry,
                           .owner = m->owner,
                           .size = m->size,
                           .blocks = m->blocks,
                           .mtime = m->mtime,
                           .mtime_ns = m->mtime_ns,
                           .ctime_ns = m->ctime_ns};
    if (column_reserve(changed, sizeof c))
        return -1;
    memcpy(changed->data + changed->length, &c, sizeof c);
    changed->length += sizeof c;
    return 0;
}

/* Measure one child of a directory: relative to `fd`, by the directory's name where `path` is not empty. 0, or -1. */
static int check_child(const known_tree *t, int fd, column *path, uint32_t entry, uint8_t *differs, column *changed) {
    static const list_options OPTIONS = {.read_times = 1};
    size_t length = path->length;
    if (append_name(t, entry, path))
        return -1;
    found_name found = {.name = (const char *)path->data,
                        .type = t->kind[entry] == KIND_DIRECTORY ? DT_DIR : DT_REG};
    measured m;
    measure_name(fd, &found, &OPTIONS, &m);
    path->length = length;
    differs[entry] = !is_same(t, entry, &m);
    return differs[entry] ? note_changed(t, entry, &m, changed) : 0;
}

/* Check the wanted children of one directory. 0, or -1 when memory ran out. */
static int check_directory(const known_tree *t, size_t row, size_t count, const uint8_t *wanted, uint8_t *differs,
                           place *above, column *path, column *changed) {
    uint32_t first = t->first_child[row], last = first + t->child_count[row], own = t->entry[row];
    int is_root = own < t->first, opened = -1;
    if (go_to(t, is_root ? own : t->parent[own], above, path))
        return -1;
    int fd = above->fd;
    path->length = 0;
    if (fd >= 0 && !is_root && append_name(t, own, path))
        return -1;
    if (fd >= 0 && !is_root && count >= OPEN_FROM) {
        fd = opened = openat(fd, (const char *)path->data, PLACE_FLAGS);
        path->length = 0;
    }
    int result = 0;
    for (uint32_t entry = first; entry < last && !result; entry++) {
        if (!wanted[entry])
            continue;
        if (fd < 0) /* what cannot be reached is to be listed, which tells why */
            differs[entry] = 1;
        else
            result = check_child(t, fd, path, entry, differs, changed);
    }
    if (opened >= 0)
        close(opened);
    return result;
}

int check_children(const known_tree *t, size_t begin, size_t end, const uint8_t *wanted, uint8_t *differs,
                   column *changed) {
    column path = {0};
    place above = {.fd = -1};
    int result = 0;
    for (size_t at = begin; at < end && !result; at++) {
        size_t count = 0, row = t->order[at];
        for (uint32_t i = 0; i < t->child_count[row]; i++)
            count += wanted[t->first_child[row] + i] != 0;
        if (count)
            result = check_directory(t, row, count, wanted, differs, &above, &path, changed);
    }
    leave(&above);
    free(path.data);
    return result ? ENOMEM : 0;
}
