/* Read, sort and measure one directory. No Python here, so that it can run alone under a sanitizer. */
#define _GNU_SOURCE 1
#include "_listdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BUFFER = 64 * 1024,
    KEPT_BUFFER = 1024 * 1024, /* a buffer that grew beyond this is given back after its directory */
    CHUNK = 32 * 1024,         /* names measured before they are appended */
    SHARED_FROM = 4096,        /* a chunk of at least this many names is measured by several threads */
    SHARERS = 8,
    INSERTION_SORT_UP_TO = 24
};

static const char CACHE_TAG_NAME[] = "CACHEDIR.TAG";
static const char CACHE_TAG_SIGNATURE[] = "Signature: 8a477f597d28d172789f06886806bc55"; /* bford.info/cachedir */

typedef struct kernel_dirent {
    uint64_t inode;
    int64_t offset;
    unsigned short record_length;
    unsigned char type;
    char name[];
} kernel_dirent;

int64_t monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void show_life(const scratch *s) {
    if (s->sign_of_life)
        atomic_store_explicit(s->sign_of_life, monotonic_ns(), memory_order_relaxed);
}

/* Nanoseconds since 1970; before 1677 and after 2262 the first and the last that fit. */
static int64_t nanoseconds(int64_t seconds, int64_t rest) {
    __int128 result = (__int128)seconds * 1000000000 + rest;
    return result < INT64_MIN ? INT64_MIN : result > INT64_MAX ? INT64_MAX : (int64_t)result;
}

static int measure_by_stat(int fd, const char *name, int flags, int read_times, measured *m) {
    struct stat st;
    if (fstatat(fd, name, &st, flags | AT_NO_AUTOMOUNT) != 0)
        return errno;
    *m = (measured){.device = st.st_dev,
                    .inode = st.st_ino,
                    .size = (uint64_t)st.st_size,
                    .blocks = (uint64_t)st.st_blocks,
                    .mode = st.st_mode,
                    .links = (uint32_t)st.st_nlink,
                    .owner = st.st_uid};
    if (read_times) {
        m->mtime = st.st_mtim.tv_sec;
        m->mtime_ns = nanoseconds(st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        m->ctime_ns = nanoseconds(st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
    }
    return 0;
}

static int measure_by_statx(int fd, const char *name, int flags, int read_times, measured *m) {
    unsigned mask = STATX_TYPE | STATX_SIZE | STATX_BLOCKS | STATX_NLINK | STATX_INO | STATX_UID;
    struct statx x;
    if (read_times)
        mask |= STATX_MTIME | STATX_CTIME;
    if (statx(fd, name, flags | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, mask, &x) != 0)
        return errno;
    *m = (measured){.device = makedev(x.stx_dev_major, x.stx_dev_minor),
                    .inode = x.stx_ino,
                    .size = x.stx_size,
                    .blocks = x.stx_blocks,
                    .mode = x.stx_mode,
                    .links = x.stx_nlink,
                    .owner = x.stx_uid,
                    .is_mount_root = (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0};
    if (read_times) {
        m->mtime = x.stx_mtime.tv_sec;
        m->mtime_ns = nanoseconds(x.stx_mtime.tv_sec, x.stx_mtime.tv_nsec);
        m->ctime_ns = nanoseconds(x.stx_ctime.tv_sec, x.stx_ctime.tv_nsec);
    }
    return 0;
}

/* 0, or an errno. Only statx tells the root of a mount, and can leave times alone; for all else fstatat is quicker
   by a twentieth. It serves, too, where a kernel or a sandbox has no statx. */
static int query(int fd, const found_name *n, int flags, int read_times, measured *m) {
    int may_be_directory = n->type == DT_UNKNOWN || n->type == DT_DIR || (n->type == DT_LNK && !(flags & AT_SYMLINK_NOFOLLOW));
    if (!may_be_directory && read_times) {
        int error = measure_by_stat(fd, n->name, flags, read_times, m);
        if (error || !S_ISDIR(m->mode)) /* a directory has taken its place */
            return error;
    }
    int error = measure_by_statx(fd, n->name, flags, read_times, m);
    return error == ENOSYS || error == EPERM ? measure_by_stat(fd, n->name, flags, read_times, m) : error;
}

void measure_name(int fd, const found_name *n, const list_options *options, measured *m) {
    int error = EINVAL, via_symlink = 0;
    if (options->follow_symlinks && (n->type == DT_LNK || n->type == DT_UNKNOWN)) {
        measured link;
        int is_link = n->type == DT_LNK || (query(fd, n, AT_SYMLINK_NOFOLLOW, 0, &link) == 0 && S_ISLNK(link.mode));
        error = is_link ? query(fd, n, 0, options->read_times, m) : EINVAL;
        via_symlink = is_link && error == 0;
    }
    if (!via_symlink) /* a link that leads nowhere is measured itself */
        error = query(fd, n, AT_SYMLINK_NOFOLLOW, options->read_times, m);
    m->error = error;
    m->via_symlink = (uint8_t)via_symlink;
}

typedef struct share {
    int fd;
    const found_name *names;
    measured *into;
    size_t count;
    const list_options *options;
} share;

static void *measure_share(void *argument) {
    share *s = argument;
    for (size_t i = 0; i < s->count; i++)
        if (s->names[i].verdict != VERDICT_EXCLUDE)
            measure_name(s->fd, &s->names[i], s->options, &s->into[i]);
    return NULL;
}

/* Measure names[0..count) into `into`; a large count is split over threads. */
static void measure_all(int fd, const found_name *names, size_t count, const list_options *options, measured *into) {
    pthread_t threads[SHARERS];
    share shares[SHARERS];
    size_t sharers = count < SHARED_FROM ? 1 : SHARERS, started = 0;
    for (size_t i = 0; i < sharers; i++) {
        size_t begin = count * i / sharers, end = count * (i + 1) / sharers;
        shares[i] = (share){fd, names + begin, into + begin, end - begin, options};
    }
    while (started + 1 < sharers && pthread_create(&threads[started], NULL, measure_share, &shares[started]) == 0)
        started++;
    for (size_t i = started; i < sharers; i++)
        measure_share(&shares[i]);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* Read all names; the array in s->names keeps offsets into s->text until the text stands still.
   Returns an errno of getdents64 (what was read before it stays), or -1 when memory ran out. */
static int read_names(int fd, scratch *s, size_t *count) {
    *count = 0;
    s->text.length = s->names.length = 0;
    int error = 0;
    if (column_reserve(&s->buffer, READ_BUFFER))
        return -1;
    for (;;) {
        long got = syscall(SYS_getdents64, fd, s->buffer.data, READ_BUFFER);
        if (got < 0)
            error = errno == ENOENT ? 0 : errno; /* ENOENT: the directory was removed while open */
        if (got <= 0)
            break;
        if (*count) /* a second buffer: a large directory */
            show_life(s);
        int64_t offset = 0; /* of what follows the last entry */
        if (column_reserve(&s->text, (size_t)got + 8) ||
            column_reserve(&s->names, (size_t)got / offsetof(kernel_dirent, name) * sizeof(found_name)))
            return -1;
        for (long at = 0; at < got;) {
            const kernel_dirent *entry = (const void *)(s->buffer.data + at);
            const char *name = entry->name;
            at += entry->record_length;
            offset = entry->offset;
            if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
                continue;
            size_t length = strlen(name);
            found_name *n = (void *)(s->names.data + s->names.length);
            *n = (found_name){.inode = entry->inode,
                              .name = (const char *)s->text.length, /* an offset, for the time being */
                              .length = (uint16_t)length,
                              .type = entry->type};
            s->names.length += sizeof *n;
            memcpy(s->text.data + s->text.length, name, length + 1);
            s->text.length += length + 1;
            ++*count;
        }
        if (offset == INT64_MAX) /* nothing can follow: ext4 and btrfs say so, and save a call for each directory */
            break;
    }
    found_name *names = (void *)s->names.data;
    for (size_t i = 0; i < *count; i++)
        names[i].name = (const char *)s->text.data + (size_t)names[i].name;
    return error;
}

static size_t common_prefix(const found_name *names, size_t count) {
    size_t prefix = count ? names[0].length : 0;
    for (size_t i = 1; i < count && prefix; i++) {
        size_t same = 0;
        while (same < prefix && names[i].name[same] == names[0].name[same])
            same++;
        prefix = same;
    }
    return prefix;
}

/* 8 bytes from `from` on, big-endian, 0 after the end: names hold no NUL, so shorter sorts first. */
static uint64_t sort_key(const found_name *n, size_t from) {
    uint64_t key = 0;
    size_t count = n->length > from ? n->length - from : 0;
    for (size_t i = 0; i < 8; i++)
        key = key << 8 | (i < count ? (unsigned char)n->name[from + i] : 0);
    return key;
}

static int compare_names(const void *a, const void *b) {
    const found_name *left = a, *right = b;
    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    return strcmp(left->name, right->name); /* strcmp compares unsigned bytes */
}

static void insertion_sort(found_name *names, size_t count) {
    for (size_t i = 1; i < count; i++) {
        found_name n = names[i];
        size_t at = i;
        for (; at && compare_names(&n, &names[at - 1]) < 0; at--)
            names[at] = names[at - 1];
        names[at] = n;
    }
}

/* Least significant byte first; bytes that all keys share cost one pass of counting in total. */
static found_name *radix_sort(found_name *names, found_name *spare, size_t count) {
    static const int BYTES = 8, VALUES = 256;
    uint32_t histogram[8][256];
    memset(histogram, 0, sizeof histogram);
    for (size_t i = 0; i < count; i++)
        for (int byte = 0; byte < BYTES; byte++)
            histogram[byte][names[i].key >> (8 * byte) & 255]++;
    for (int byte = 0; byte < BYTES; byte++) {
        uint32_t *starts = histogram[byte], sum = 0;
        if (starts[names[0].key >> (8 * byte) & 255] == count)
            continue;
        for (int value = 0; value < VALUES; value++) {
            uint32_t here = starts[value];
            starts[value] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++)
            spare[starts[names[i].key >> (8 * byte) & 255]++] = names[i];
        found_name *swap = names;
        names = spare;
        spare = swap;
    }
    return names;
}

/* Names ascending by raw bytes; a name that the file system returned twice stands once. */
static found_name *sort_names(scratch *s, size_t *count) {
    found_name *names = (void *)s->names.data;
    size_t prefix = common_prefix(names, *count);
    for (size_t i = 0; i < *count; i++)
        names[i].key = sort_key(&names[i], prefix);
    if (*count <= INSERTION_SORT_UP_TO) {
        insertion_sort(names, *count);
    } else {
        s->spare.length = 0;
        if (column_reserve(&s->spare, *count * sizeof *names))
            return NULL;
        names = radix_sort(names, (void *)s->spare.data, *count);
        for (size_t begin = 0, end; begin < *count; begin = end) {
            for (end = begin + 1; end < *count && names[end].key == names[begin].key;)
                end++;
            if (end - begin > 1)
                qsort(names + begin, end - begin, sizeof *names, compare_names);
        }
    }
    size_t kept = *count ? 1 : 0;
    for (size_t i = 1; i < *count; i++)
        if (names[i].key != names[kept - 1].key || strcmp(names[i].name, names[kept - 1].name) != 0)
            names[kept++] = names[i];
    *count = kept;
    return names;
}

/* Ask the exclusion for a verdict on each name. 0, or -1. */
static int judge(int fd, const char *path, size_t path_length, const list_options *options, scratch *s,
                 found_name *names, size_t count) {
    s->records.length = s->verdicts.length = 0;
    if (column_reserve(&s->verdicts, count))
        return -1;
    for (size_t i = 0; i < count; i++) {
        measured m;
        if (names[i].type == DT_UNKNOWN && query(fd, &names[i], AT_SYMLINK_NOFOLLOW, 0, &m) == 0)
            names[i].type = (unsigned char)IFTODT(m.mode);
        if (column_reserve(&s->records, (size_t)names[i].length + 3))
            return -1;
        put8(&s->records, 0);
        put8(&s->records, names[i].type == DT_DIR ? 'd' : 'f');
        memcpy(s->records.data + s->records.length, names[i].name, names[i].length);
        s->records.length += names[i].length;
    }
    if (column_reserve(&s->records, 1))
        return -1;
    put8(&s->records, 0);
    memset(s->verdicts.data, VERDICT_KEEP, count);
    if (options->verdict(options->context, path, path_length, (const char *)s->records.data, s->records.length,
                         s->verdicts.data, count))
        return -1;
    for (size_t i = 0; i < count; i++)
        names[i].verdict = s->verdicts.data[i];
    return 0;
}

static int has_cache_tag(int fd, const found_name *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (names[i].length != sizeof CACHE_TAG_NAME - 1 || strcmp(names[i].name, CACHE_TAG_NAME) != 0)
            continue;
        char head[sizeof CACHE_TAG_SIGNATURE - 1];
        int tag = openat(fd, CACHE_TAG_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (tag < 0)
            return 0;
        ssize_t got = read(tag, head, sizeof head);
        close(tag);
        return got == (ssize_t)sizeof head && memcmp(head, CACHE_TAG_SIGNATURE, sizeof head) == 0;
    }
    return 0;
}

uint8_t kind_of(uint32_t mode) {
    return S_ISREG(mode) ? KIND_FILE : S_ISDIR(mode) ? KIND_DIRECTORY : S_ISLNK(mode) ? KIND_SYMLINK : KIND_OTHER;
}

static int remember_subdirectory(scratch *s, const found_name *n, const measured *m, uint32_t index, uint8_t flags) {
    if (s->subdirectory_count == s->subdirectory_capacity) {
        size_t capacity = s->subdirectory_capacity * 2 + 64;
        subdirectory *grown = realloc(s->subdirectories, capacity * sizeof *grown);
        if (!grown)
            return -1;
        s->subdirectories = grown;
        s->subdirectory_capacity = capacity;
    }
    s->subdirectories[s->subdirectory_count++] = (subdirectory){.device = m->device,
                                                                .inode = m->inode,
                                                                .name = n->name,
                                                                .index = index,
                                                                .name_length = n->length,
                                                                .flags = flags};
    return 0;
}

/* Append one entry; room was made for it. Returns 0, or -1 when memory ran out. */
static int append_entry(const found_name *n, measured *m, uint64_t device, const list_options *options, scratch *s,
                        batch *b) {
    column *c = b->columns;
    uint8_t flags = 0, skip = SKIP_NONE;
    if (n->verdict == VERDICT_EXCLUDE) { /* only directories come here */
        *m = (measured){.inode = n->inode, .mode = S_IFDIR, .device = device, .owner = OWNER_UNKNOWN};
        skip = SKIP_EXCLUDED;
    } else if (m->error) {
        int error = m->error;
        *m = (measured){.inode = n->inode,
                        .mode = DTTOIF(n->type),
                        .device = device,
                        .links = 1,
                        .owner = OWNER_UNKNOWN};
        flags = FLAG_UNMEASURED;
        skip = SKIP_UNREADABLE;
        if (batch_add_problem(b, b->base_ref + b->entries, OPERATION_STAT, error))
            return -1;
    } else if (n->verdict == VERDICT_PRUNE && S_ISDIR(m->mode)) {
        skip = SKIP_PRUNED;
    }
    uint8_t kind = kind_of(m->mode);
    if (m->via_symlink)
        flags |= FLAG_VIA_SYMLINK;
    if (kind == KIND_DIRECTORY) {
        if (m->is_mount_root || m->device != device)
            flags |= FLAG_MOUNT;
        put64(&c[DIRECTORY_DEVICE], m->device);
        put64(&c[DIRECTORY_MTIME_NS], (uint64_t)m->mtime_ns);
        put64(&c[DIRECTORY_CTIME_NS], (uint64_t)m->ctime_ns);
        put8(&c[DIRECTORY_SKIP], skip);
        if (skip == SKIP_NONE && remember_subdirectory(s, n, m, b->entries, flags))
            return -1;
    } else if (m->links > 1 || (options->follow_symlinks && !(flags & FLAG_UNMEASURED))) {
        flags |= FLAG_LINKED;
        put32(&c[LINK_INDEX], b->entries);
        put32(&c[LINK_COUNT], m->links);
        put64(&c[LINK_DEVICE], m->device);
    }
    put8(&c[KIND], kind);
    put8(&c[FLAGS], flags);
    put16(&c[NAME_LENGTH], n->length);
    put64(&c[APPARENT], m->size);
    put64(&c[BLOCKS], m->blocks);
    put64(&c[MTIME], (uint64_t)m->mtime);
    put64(&c[INODE], m->inode);
    put64(&c[OWNER], m->owner);
    memcpy(c[NAMES].data + c[NAMES].length, n->name, n->length);
    c[NAMES].length += n->length;
    b->entries++;
    return 0;
}

/* Measure and append names[0..count). A file that is excluded, or that vanished meanwhile, is left out. */
static int append_entries(int fd, const found_name *names, size_t count, uint64_t device, const list_options *options,
                          scratch *s, batch *b) {
    for (size_t begin = 0; begin < count; begin += CHUNK) {
        size_t size = count - begin < CHUNK ? count - begin : CHUNK;
        s->measured.length = 0;
        if (column_reserve(&s->measured, size * sizeof(measured)))
            return -1;
        measured *rows = (void *)s->measured.data;
        if (begin)
            show_life(s);
        measure_all(fd, names + begin, size, options, rows);
        for (size_t i = 0; i < size; i++) {
            const found_name *n = &names[begin + i];
            if (n->verdict == VERDICT_EXCLUDE && n->type != DT_DIR)
                b->excluded++;
            else if (n->verdict != VERDICT_EXCLUDE && rows[i].error == ENOENT)
                continue;
            else if (append_entry(n, &rows[i], device, options, s, b))
                return -1;
        }
    }
    return 0;
}

static void give_back(column *c) {
    if (c->capacity > KEPT_BUFFER) {
        free(c->data);
        *c = (column){0};
    }
}

int list_directory(int fd, uint64_t ref, uint64_t device, const char *path, size_t path_length,
                   const list_options *options, scratch *s, batch *b) {
    size_t count;
    uint32_t before = b->entries;
    give_back(&s->text); /* the names of the listing before are no longer needed */
    s->subdirectory_count = 0;
    int error = read_names(fd, s, &count);
    if (error < 0)
        return -1;
    if (error && batch_add_problem(b, ref, OPERATION_LIST, error))
        return -1;
    if (options->exclude_cache_tagged && has_cache_tag(fd, (void *)s->names.data, count))
        return batch_add_listing(b, ref, 0, SKIP_CACHE_TAGGED);
    found_name *names = sort_names(s, &count);
    if (!names && count)
        return -1;
    if (options->verdict && count && judge(fd, path, path_length, options, s, names, count))
        return -1;
    if (batch_reserve(b, count, s->text.length) || append_entries(fd, names, count, device, options, s, b))
        return -1;
    give_back(&s->names);
    give_back(&s->spare);
    give_back(&s->measured);
    return batch_add_listing(b, ref, b->entries - before, error && b->entries == before ? SKIP_UNREADABLE : SKIP_NONE);
}

void scratch_free(scratch *s) {
    column *columns[] = {&s->text, &s->names, &s->spare, &s->records, &s->verdicts, &s->measured, &s->buffer};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        free(columns[i]->data);
    free(s->subdirectories);
}
