/* Opening what lies below a root. */
#ifndef SPACEMAP_OPEN_H
#define SPACEMAP_OPEN_H

#include <stddef.h>

/* Open a path below a root piece by piece, so that its length has no limit; an empty path is the root itself.
   Unless links are followed no part of it may be a symlink. A descriptor, or -1 and errno. */
int open_below(int root, const char *path, size_t length, int flags, int follow);

#endif
