#define _GNU_SOURCE 1
#include "_reading.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WORTH_FORGETTING = 1 << 20 }; /* bytes: for less, the call costs more than the memory that it gives back */

static int fails(source *source, int state, int error) {
    source->file->state = state;
    source->file->error = error;
    if (source->descriptor >= 0)
        close(source->descriptor);
    source->descriptor = -1;
    return -1;
}

/* Open a path of any length: what is beyond PATH_MAX piece by piece. */
static int open_path(char *path, size_t length, int flags) {
    int above = AT_FDCWD;
    while (length >= PATH_MAX) {
        size_t cut = PATH_MAX - 1;
        while (cut > 0 && path[cut] != '/')
            cut--;
        if (cut == 0) {
            errno = ENAMETOOLONG;
            break;
        }
        path[cut] = '\0';
        int next = openat(above, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (above != AT_FDCWD)
            close(above);
        if (next < 0)
            return -1;
        above = next;
        path += cut + 1;
        length -= cut + 1;
    }
    int opened = length >= PATH_MAX ? -1 : openat(above, path, flags);
    if (above != AT_FDCWD) {
        int error = errno;
        close(above);
        errno = error;
    }
    return opened;
}

/* Write the path of a file, which takes length + 1 bytes. */
static void write_path(const place *place, const file *file, size_t begin, char *path) {
    memcpy(path, place->directories + file->directory, begin);
    path[begin] = '/';
    memcpy(path + begin + 1, place->names + file->name, (size_t)file->name_length);
    path[begin + 1 + (size_t)file->name_length] = '\0';
}

static int open_file(const place *place, const file *file) {
    /* Nothing is waited for where a pipe has taken the place of the file, and no symlink is followed. */
    const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    size_t begin = strlen(place->directories + file->directory), length = begin + 1 + (size_t)file->name_length;
    char room[PATH_MAX], *path = room;
    if (length >= sizeof room && !(path = malloc(length + 1))) {
        errno = ENOMEM;
        return -1;
    }
    write_path(place, file, begin, path);
    int descriptor = open_path(path, length, flags | O_NOATIME);
    if (descriptor < 0 && errno == EPERM) { /* only owners read without a trace */
        write_path(place, file, begin, path); /* it is cut up where it is long */
        descriptor = open_path(path, length, flags);
    }
    if (path != room) {
        int error = errno;
        free(path);
        errno = error;
    }
    return descriptor;
}

static int64_t nanoseconds(struct statx_timestamp time) { return time.tv_sec * 1000000000LL + time.tv_nsec; }

static int measure(int descriptor, struct statx *status) {
    return statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS | STATX_BTIME, status);
}

static int is_same(const file *file, const struct statx *status, uint64_t size) {
    return S_ISREG(status->stx_mode) && status->stx_size == size && status->stx_ino == file->inode &&
           makedev(status->stx_dev_major, status->stx_dev_minor) == file->device &&
           nanoseconds(status->stx_mtime) == file->mtime_ns && nanoseconds(status->stx_ctime) == file->ctime_ns;
}

static void take_identity(file *file, const struct statx *status) {
    file->blocks = status->stx_blocks;
    file->links = status->stx_nlink;
    file->mtime_ns = nanoseconds(status->stx_mtime);
    file->ctime_ns = nanoseconds(status->stx_ctime);
    file->birth_ns = status->stx_mask & STATX_BTIME ? nanoseconds(status->stx_btime) : 0;
}

void identify(const place *place, file *file) {
    size_t begin = strlen(place->directories + file->directory), length = begin + 1 + (size_t)file->name_length;
    char path[PATH_MAX];
    struct statx status;
    if (length >= sizeof path) { /* it is read, then: opening such a path costs as much */
        file->error = ENAMETOOLONG;
        return;
    }
    write_path(place, file, begin, path);
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &status) < 0) {
        file->error = errno;
        return;
    }
    take_identity(file, &status);
    file->device = makedev(status.stx_dev_major, status.stx_dev_minor);
    file->inode = status.stx_ino;
}

int open_source(const place *place, source *source, uint64_t size) {
    file *file = source->file;
    struct statx status;
    source->descriptor = open_file(place, file);
    if (source->descriptor < 0)
        return fails(source, errno == ENOENT || errno == ELOOP || errno == ENOTDIR ? CHANGED : FAILED, errno);
    if (measure(source->descriptor, &status) < 0)
        return fails(source, FAILED, errno);
    if (!source->was_opened) {
        take_identity(file, &status);
        source->was_opened = 1;
        source->is_sparse = status.stx_blocks * 512 < size;
    }
    return is_same(file, &status, size) ? 0 : fails(source, CHANGED, 0);
}

uint64_t next_data(source *source, uint64_t offset, uint64_t size) {
    if (!source->is_sparse || (source->data_begin <= offset && offset < source->data_end))
        return offset;
    if (offset < source->data_begin)
        return source->data_begin;
    off_t begin = lseek(source->descriptor, (off_t)offset, SEEK_DATA);
    off_t end = begin < 0 ? -1 : lseek(source->descriptor, begin, SEEK_HOLE);
    if (begin < 0 && errno == ENXIO) {
        source->data_begin = source->data_end = size;
    } else if (end < 0) { /* nobody tells: it may be data to its end */
        source->is_sparse = 0;
        return offset;
    } else {
        source->data_begin = (uint64_t)begin;
        source->data_end = (uint64_t)end;
    }
    return source->data_begin;
}

/* Read what is in the page cache; else all, and note since where it was not there. */
static ssize_t read_some(const place *place, source *source, unsigned char *buffer, uint64_t offset, size_t length) {
    struct iovec into = {buffer, length};
    if (!source->was_absent) {
        ssize_t got = preadv2(source->descriptor, &into, 1, (off_t)offset, RWF_NOWAIT);
        if (got > 0 || (got < 0 && errno == EINTR))
            return got;
        if (got < 0 && errno == EAGAIN) {
            source->was_absent = 1;
            source->absent = offset;
        }
    }
    ssize_t got = pread(source->descriptor, buffer, length, (off_t)offset);
    if (source->was_absent && got > 0) {
        __atomic_add_fetch(&place->counters->waited, 1, __ATOMIC_RELAXED);
        source->read_end = offset + (uint64_t)got;
    }
    return got;
}

/* What was not in the page cache goes again. At once for the whole file: each such call waits for all processors. */
static void forget(source *source) {
    if (source->was_absent && source->read_end - source->absent >= WORTH_FORGETTING)
        posix_fadvise(source->descriptor, (off_t)source->absent, (off_t)(source->read_end - source->absent),
                      POSIX_FADV_DONTNEED);
    source->was_absent = 0;
}

int read_source(const place *place, source *source, unsigned char *buffer, uint64_t offset, size_t length) {
    size_t done = 0;
    while (done < length) {
        size_t wanted = length - done;
        if (source->is_sparse) {
            uint64_t data = next_data(source, offset + done, UINT64_MAX), hole = data - offset - done;
            if (data > offset + done) {
                size_t zeros = hole < wanted ? (size_t)hole : wanted;
                memset(buffer + done, 0, zeros);
                done += zeros;
                continue;
            }
        }
        ssize_t got = read_some(place, source, buffer + done, offset + done, wanted);
        if (got < 0 && errno != EINTR)
            return fails(source, FAILED, errno);
        if (got == 0)
            return fails(source, CHANGED, 0); /* it was cut */
        done += got > 0 ? (size_t)got : 0;
    }
    __atomic_add_fetch(&place->counters->bytes, length, __ATOMIC_RELAXED);
    return 0;
}

int close_source(source *source, uint64_t size) {
    struct statx status;
    if (source->descriptor < 0)
        return 0;
    if (measure(source->descriptor, &status) < 0)
        return fails(source, FAILED, errno);
    if (!is_same(source->file, &status, size))
        return fails(source, CHANGED, 0);
    forget(source);
    close(source->descriptor);
    source->descriptor = -1;
    return 0;
}
