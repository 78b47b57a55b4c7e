/* Whether what a tree says still holds: entries measured again by their known names, nothing listed. */
#ifndef SPACEMAP_CHECK_H
#define SPACEMAP_CHECK_H

#include "_column.h"

#include <stddef.h>
#include <stdint.h>

/* A column of unsigned or signed values in their narrowest type. */
typedef struct narrow_column {
    const void *data;
    uint8_t width; /* bytes a value: 1, 2, 4 or 8 */
} narrow_column;

/* The columns of a Tree (see tree/tree.py); all tables are indexed as there. */
typedef struct known_tree {
    const uint32_t *parent;
    const uint8_t *kind, *flags;
    narrow_column apparent, blocks, mtime, inode, owner, name_offset;
    const uint32_t *owners; /* their numbers, by what is in `owner` */
    size_t owner_count;
    const char *names;
    const uint32_t *entry, *first_child, *child_count; /* of directories */
    const uint64_t *device;
    const int64_t *mtime_ns, *ctime_ns;
    size_t directories;
    const uint32_t *order; /* the rows of all directories, as they are gone through */
    const uint32_t *link_entry, *link_count;
    const uint64_t *link_device;
    size_t links;
    const int *root_fds; /* by entry: the roots are the first entries; -1: not to be had */
    uint32_t first;      /* the first entry that is no root */
} known_tree;

/* What a directory measures now that is the same inode as ever, in the same place, and differs. */
typedef struct changed_directory {
    uint32_t entry, owner;
    uint64_t size, blocks;
    int64_t mtime, mtime_ns, ctime_ns;
} changed_directory;

/* For the children of directories order[begin, end) that are wanted (a byte an entry): write to `differs`, a byte an
   entry, 1 where a scan would not find the same row now, and append to `changed` a changed_directory for each that is
   one. 0, or ENOMEM. */
int check_children(const known_tree *t, size_t begin, size_t end, const uint8_t *wanted, uint8_t *differs,
                   column *changed);

#endif
