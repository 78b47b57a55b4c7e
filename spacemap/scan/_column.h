/* Bytes that grow: a column of a batch, a path, a buffer. */
#ifndef SPACEMAP_COLUMN_H
#define SPACEMAP_COLUMN_H

#include <stddef.h>
#include <stdint.h>

typedef struct column {
    unsigned char *data;
    size_t length, capacity; /* bytes */
} column;

/* Make room for `bytes` more; 0, or -1 when memory ran out. */
int column_reserve(column *c, size_t bytes);

/* Appending without a check: only after column_reserve. */
static inline void put8(column *c, uint8_t v) { c->data[c->length++] = v; }
static inline void put16(column *c, uint16_t v) {
    *(uint16_t *)(void *)(c->data + c->length) = v;
    c->length += 2;
}
static inline void put32(column *c, uint32_t v) {
    *(uint32_t *)(void *)(c->data + c->length) = v;
    c->length += 4;
}
static inline void put64(column *c, uint64_t v) {
    *(uint64_t *)(void *)(c->data + c->length) = v;
    c->length += 8;
}

#endif
