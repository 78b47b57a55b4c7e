/* Growing columns, narrowing them, and writing them as one frame. */
#define _GNU_SOURCE 1
#include "_batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FRAME_MAGIC = 0x31424d53, FRAME_BATCH = 1, WIDE_COLUMNS = 5, HEADER_SIZE = 88 };

typedef struct header {
    uint32_t magic;
    uint8_t type;
    uint8_t width[WIDE_COLUMNS]; /* apparent, blocks, mtime, inode, owner: bytes per value */
    uint8_t padding[2];
    uint32_t entries;
    uint64_t length;
    uint64_t base_ref;
    uint32_t listings, directories, links, problems;
    uint64_t names;
    uint64_t excluded;
    uint64_t blocks; /* sum over the entries */
    uint32_t place, root;
    uint32_t owner; /* of all entries, where their column has no bytes */
    uint32_t unused;
} header;

_Static_assert(sizeof(header) == HEADER_SIZE, "the header's size is stable on disk");

int column_reserve(column *c, size_t bytes) {
    size_t wanted = c->length + bytes;
    if (wanted <= c->capacity)
        return 0;
    size_t capacity = c->capacity ? c->capacity : 256;
    while (capacity < wanted)
        capacity += capacity / 2;
    unsigned char *data = realloc(c->data, capacity);
    if (!data)
        return -1;
    c->data = data;
    c->capacity = capacity;
    return 0;
}

static const uint8_t entry_width[] = {
    [KIND] = 1, [FLAGS] = 1, [NAME_LENGTH] = 2, [APPARENT] = 8, [BLOCKS] = 8, [MTIME] = 8, [INODE] = 8, [OWNER] = 8};

int batch_reserve(batch *b, size_t entries, size_t name_bytes) {
    for (int i = KIND; i <= OWNER; i++)
        if (column_reserve(&b->columns[i], entries * entry_width[i]))
            return -1;
    for (int i = DIRECTORY_DEVICE; i <= DIRECTORY_CTIME_NS; i++)
        if (column_reserve(&b->columns[i], entries * 8))
            return -1;
    if (column_reserve(&b->columns[DIRECTORY_SKIP], entries))
        return -1;
    for (int i = LINK_INDEX; i <= LINK_DEVICE; i++)
        if (column_reserve(&b->columns[i], entries * 8))
            return -1;
    return column_reserve(&b->columns[NAMES], name_bytes);
}

int batch_add_listing(batch *b, uint64_t ref, uint32_t count, uint8_t skip) {
    column *c = b->columns;
    if (column_reserve(&c[LISTING_REF], 8) || column_reserve(&c[LISTING_COUNT], 4) ||
        column_reserve(&c[LISTING_SKIP], 1))
        return -1;
    put64(&c[LISTING_REF], ref);
    put32(&c[LISTING_COUNT], count);
    put8(&c[LISTING_SKIP], skip);
    return 0;
}

int batch_add_problem(batch *b, uint64_t ref, uint8_t operation, int error) {
    column *c = b->columns;
    if (column_reserve(&c[PROBLEM_REF], 8) || column_reserve(&c[PROBLEM_ERRNO], 4) ||
        column_reserve(&c[PROBLEM_OPERATION], 1))
        return -1;
    put64(&c[PROBLEM_REF], ref);
    put32(&c[PROBLEM_ERRNO], (uint32_t)error);
    put8(&c[PROBLEM_OPERATION], operation);
    return 0;
}

/* Bytes that hold every value: 0 when all are 0, else 1, 2, 4 or 8. A signed column takes at least 1. */
static uint8_t narrowest(const column *c, int is_signed) {
    uint64_t used = 0;
    for (size_t i = 0; i < c->length; i += 8) {
        uint64_t v;
        memcpy(&v, c->data + i, 8);
        used |= is_signed ? (v ^ (uint64_t)((int64_t)v >> 63)) << 1 : v;
    }
    if (used == 0 && !is_signed)
        return 0;
    return used <= UINT8_MAX ? 1 : used <= UINT16_MAX ? 2 : used <= UINT32_MAX ? 4 : 8;
}

static uint64_t sum(const column *c) {
    uint64_t total = 0;
    for (size_t i = 0; i < c->length; i += 8) {
        uint64_t v;
        memcpy(&v, c->data + i, 8);
        total += v;
    }
    return total;
}

/* Store 8-byte values in the fewest bytes that hold all of them; return that width.
   Little-endian: the low bytes come first, so each value moves down and never over an unread one. */
static uint8_t narrow(column *c, int is_signed) {
    uint8_t width = narrowest(c, is_signed);
    size_t count = c->length / 8;
    for (size_t i = 0; i < count && width < 8; i++) {
        uint64_t v;
        memcpy(&v, c->data + i * 8, 8);
        if (width == 4)
            memcpy(c->data + i * 4, &v, 4);
        else if (width == 2)
            memcpy(c->data + i * 2, &v, 2);
        else if (width == 1)
            c->data[i] = (unsigned char)v;
    }
    c->length = count * width;
    return width;
}

/* The same for owners: 0 bytes, too, where all entries have one, which becomes `all`. */
static uint8_t narrow_owners(column *c, uint32_t *all) {
    uint64_t first = 0, others = 0;
    if (c->length)
        memcpy(&first, c->data, 8);
    for (size_t i = 0; i < c->length; i += 8) {
        uint64_t v;
        memcpy(&v, c->data + i, 8);
        others |= v ^ first;
    }
    if (others)
        return narrow(c, 0);
    *all = (uint32_t)first;
    c->length = 0;
    return 0;
}

static void append_memory(sink *to, const unsigned char *data, size_t length) {
    if (!length) /* memcpy may not be given NULL even then */
        return;
    if (to->length + length > to->capacity) {
        size_t capacity = (to->length + length) * 3 / 2 + 4096;
        unsigned char *memory = realloc(to->memory, capacity);
        if (!memory) {
            to->failed = ENOMEM;
            return;
        }
        to->memory = memory;
        to->capacity = capacity;
    }
    memcpy(to->memory + to->length, data, length);
    to->length += length;
}

void sink_write(sink *to, const void *data, size_t length) {
    const unsigned char *at = data;
    if (to->fd < 0 && !to->failed)
        append_memory(to, at, length);
    while (to->fd >= 0 && length && !to->failed) {
        ssize_t done = write(to->fd, at, length);
        if (done < 0 && errno != EINTR)
            to->failed = errno;
        if (done > 0) {
            at += done;
            length -= (size_t)done;
        }
    }
}

static void sink_writev(sink *to, struct iovec *parts, int count) {
    if (to->fd < 0) {
        for (int i = 0; i < count; i++)
            sink_write(to, parts[i].iov_base, parts[i].iov_len);
        return;
    }
    while (count && !to->failed) {
        ssize_t done = writev(to->fd, parts, count);
        if (done < 0) {
            if (errno != EINTR)
                to->failed = errno;
            continue;
        }
        size_t left = (size_t)done;
        while (count && left >= parts->iov_len) {
            left -= parts->iov_len;
            parts++;
            count--;
        }
        if (count) {
            parts->iov_base = (unsigned char *)parts->iov_base + left;
            parts->iov_len -= left;
        }
    }
}

void batch_send(batch *b, sink *to) {
    static const unsigned char zeros[8];
    column *c = b->columns;
    if (!c[LISTING_REF].length && !c[PROBLEM_REF].length)
        return;
    header h = {.magic = FRAME_MAGIC, .type = FRAME_BATCH, .entries = b->entries, .base_ref = b->base_ref};
    h.blocks = sum(&c[BLOCKS]);
    h.width[0] = narrow(&c[APPARENT], 0);
    h.width[1] = narrow(&c[BLOCKS], 0);
    h.width[2] = narrow(&c[MTIME], 1);
    h.width[3] = narrow(&c[INODE], 0);
    h.width[4] = narrow_owners(&c[OWNER], &h.owner);
    h.listings = (uint32_t)(c[LISTING_REF].length / 8);
    h.directories = (uint32_t)c[DIRECTORY_SKIP].length;
    h.links = (uint32_t)(c[LINK_INDEX].length / 4);
    h.problems = (uint32_t)c[PROBLEM_OPERATION].length;
    h.names = c[NAMES].length;
    h.excluded = b->excluded;
    h.place = (uint32_t)c[PLACE].length;
    h.root = b->root;
    h.length = HEADER_SIZE;

    struct iovec parts[1 + 2 * COLUMN_COUNT];
    int count = 0;
    parts[count++] = (struct iovec){&h, HEADER_SIZE};
    for (int i = 0; i < COLUMN_COUNT; i++) {
        size_t padding = (8 - c[i].length % 8) % 8;
        if (c[i].length)
            parts[count++] = (struct iovec){c[i].data, c[i].length};
        if (padding)
            parts[count++] = (struct iovec){(void *)(uintptr_t)zeros, padding};
        h.length += c[i].length + padding;
    }
    sink_writev(to, parts, count);

    b->base_ref += b->entries;
    b->entries = 0;
    b->excluded = 0;
    b->started_ns = 0;
    for (int i = 0; i < COLUMN_COUNT; i++)
        c[i].length = 0;
}

void batch_free(batch *b) {
    for (int i = 0; i < COLUMN_COUNT; i++)
        free(b->columns[i].data);
}
