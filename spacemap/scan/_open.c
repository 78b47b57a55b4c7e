/* Opening what lies below a root, whatever the length of its path. */
#define _GNU_SOURCE 1
#include "_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    PATH_PIECE = 4000, /* longer paths are opened piece by piece */
    PASS_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
};

/* Open one piece of a path. Unless links are followed, no part of it may be a symlink, where the kernel can
   promise that (openat2, Linux 5.6): a directory replaced by a link leads nowhere. */
static int open_piece(int at, const char *path, int flags, int follow) {
    struct {
        uint64_t flags, mode, resolve;
    } how = {(uint64_t)flags, 0, RESOLVE_NO_SYMLINKS};
    if (follow)
        return openat(at, path, flags & ~O_NOFOLLOW);
    int fd = (int)syscall(SYS_openat2, at, path, &how, sizeof how);
    return fd >= 0 || (errno != ENOSYS && errno != EPERM) ? fd : openat(at, path, flags);
}

int open_below(int root, const char *path, size_t length, int flags, int follow) {
    if (!length)
        return openat(root, ".", flags);
    int at = root;
    while (length > PATH_PIECE) {
        size_t piece = PATH_PIECE;
        while (piece && path[piece] != '/')
            piece--;
        char text[PATH_PIECE + 1];
        memcpy(text, path, piece);
        text[piece] = 0;
        int next = piece ? open_piece(at, text, PASS_FLAGS, follow) : -1;
        if (!piece)
            errno = ENAMETOOLONG;
        if (at != root)
            close(at);
        if (next < 0)
            return -1;
        at = next;
        path += piece + 1;
        length -= piece + 1;
    }
    int fd = open_piece(at, path, flags, follow);
    int error = errno;
    if (at != root)
        close(at);
    errno = error;
    return fd;
}

